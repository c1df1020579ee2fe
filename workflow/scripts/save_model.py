"""Write a final fit as one file that predicts on any machine."""

from soyfold.common.logs import rule_log
from soyfold.prediction.panel import read_panel
from soyfold.prediction.saved_models import save_model

with rule_log(snakemake.log[0]):
    save_model(
        snakemake.output.model,
        checkpoint=snakemake.input.checkpoint,
        members=snakemake.input.get("members", []),
        predictions=snakemake.input.predictions,
        panel=read_panel(snakemake.input.panel),
        traits=snakemake.params.traits,
        **snakemake.params.about,
    )
