"""Importance of SNPs to a linear model: effects times the dosages' spread."""

import numpy as np
import pandas as pd

from soyfold.common.logs import rule_log
from soyfold.interpretation.effects import explain_effects
from soyfold.interpretation.importance import read_places, write_importance

with rule_log(snakemake.log[0]):
    importance, effects = explain_effects(
        snakemake.input.checkpoints, np.load(snakemake.input.dosage, mmap_mode="r")
    )
    fits = pd.DataFrame({"seed": snakemake.params.seeds}).assign(
        trait=snakemake.wildcards.trait, model=snakemake.wildcards.model, method="effects"
    )
    write_importance(
        dict(snakemake.output.items()),
        read_places(snakemake.input.variants),
        importance,
        effects,
        window_kb=snakemake.params.window_kb,
        fits=fits,
    )
