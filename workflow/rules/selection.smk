# Saved models and candidates -> an index, lines to advance, crosses to make, and what such choices
# gained on test lines. A part of `all` where the study has a section `selection`; else the targets
# are `select` and `crosses`.
from soyfold.study.schemes import FINAL


rule advance_lines:
    input:
        **study.selection.candidates,
        models=study.selection.saved,
        panel=f"{study.prediction.panel}/variants.tsv",
        phenotypes=expand(
            f"{study.results}/cohort/phenotypes/{{trait}}.tsv", trait=study.selection.traits
        ),
    output:
        lines=f"{study.selection.folder}/lines.tsv",
        index=f"{study.selection.folder}/index.tsv",
    log:
        f"{study.selection.logs}/advance_lines.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(8000, minutes=120),
    params:
        traits=study.selection.traits,
        settings=study.selection.choice,
        better=study.selection.better,
        units=study.selection.units,
        source=study.source("advance_lines", *study.selection.models),
    message:
        "selection: lines to advance"
    script:
        "../scripts/advance_lines.py"


rule cross_parents:
    input:
        **study.selection.candidates,
        models=study.selection.saved,
        panel=f"{study.prediction.panel}/variants.tsv",
        lines=f"{study.selection.folder}/lines.tsv",
        index=f"{study.selection.folder}/index.tsv",
        chromosomes=study.settings["chromosomes"],
        genetic_map=study.selection.genetic_map,
    output:
        crosses=f"{study.selection.folder}/crosses.tsv",
    log:
        f"{study.selection.logs}/cross_parents.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=120),
    params:
        traits=study.selection.traits,
        settings=study.selection.crossing,
        better=study.selection.better,
        source=study.source("cross_parents", *study.selection.models),
    message:
        "selection: crosses between the best lines"
    script:
        "../scripts/cross_parents.py"


rule measure_gains:
    input:
        predictions=study.fits.files(study.selection.tested, "predictions.tsv"),
    output:
        gains=f"{study.results}/selection/gains.tsv",
    log:
        f"{study.logs}/selection/measure_gains.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=[(fit["trait"], fit["seed"]) for fit in study.selection.tested],
        settings=study.selection.choice,
        better=study.selection.better,
        units=study.selection.units,
        heritability=study.selection.heritability,
        source=study.source("measure_gains"),
    message:
        "selection: what it gained on test lines"
    script:
        "../scripts/measure_gains.py"


rule choose_training_set:
    input:
        **study.selection.candidates,
        **study.selection.training,
        panel=f"{study.prediction.panel}/variants.tsv",
        split=f"{study.results}/cohort/splits/{FINAL}/seed0.tsv",
        known=f"{study.results}/cohort/dosage.npy",
        known_samples=f"{study.results}/cohort/samples.tsv",
    output:
        lines=f"{study.selection.folder}/training_set.tsv",
    log:
        f"{study.selection.logs}/choose_training_set.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(8000, minutes=240),
    params:
        settings=study.selection.training_choice,
        source=study.source("choose_training_set"),
    message:
        "selection: lines to phenotype next"
    script:
        "../scripts/choose_training_set.py"


rule select:
    input:
        study.selection.training_set,
        rules.advance_lines.output.lines,
        study.selection.gains,
        f"{study.selection.folder}/lines.html",
    message:
        "selection: the lines to advance are there"


rule crosses:
    input:
        rules.cross_parents.output.crosses,
        f"{study.selection.folder}/crosses.html",
    message:
        "selection: the crosses to make are there"
