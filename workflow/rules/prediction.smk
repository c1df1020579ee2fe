# Final fits -> saved models; new genotypes -> aligned, filled -> predictions with intervals.
# Nothing of it is a part of `all`: the targets are `final` and `predict`.
from soyfold.study.schemes import FINAL


rule describe_panel:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        variants=f"{study.results}/cohort/variants.tsv",
    output:
        panel=f"{study.prediction.panel}/variants.tsv",
    log:
        f"{study.logs}/prediction/describe_panel.log",
    conda:
        "../../envs/imputation.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        source=study.source("describe_panel"),
    message:
        "prediction: the models' variants and their frequencies"
    script:
        "../scripts/describe_panel.py"


rule save_model:
    input:
        checkpoint=f"{study.results}/training/{{home}}/{{model}}/{FINAL}/seed0/checkpoint.npz",
        predictions=f"{study.results}/training/{{home}}/{{model}}/{FINAL}/seed0/predictions.tsv",
        members=study.prediction.members,
        panel=f"{study.prediction.panel}/variants.tsv",
    output:
        model=f"{study.results}/prediction/models/{{home}}/{{model}}.npz",
    log:
        f"{study.logs}/prediction/save_model/{{home}}/{{model}}.log",
    wildcard_constraints:
        home=study.prediction.homes,
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(4000, minutes=30),
    params:
        traits=study.prediction.units,
        about=study.prediction.about,
        source=study.source("save_model"),
    message:
        "prediction: saving {wildcards.model} of {wildcards.home}"
    script:
        "../scripts/save_model.py"


rule phase_panel:
    input:
        bed=f"{study.genotyped}/imputation/merged.bed",
        bim=f"{study.genotyped}/imputation/merged.bim",
        fam=f"{study.genotyped}/imputation/merged.fam",
    output:
        phased=f"{study.prediction.panel}/{{chromosome}}.vcf.gz",
    log:
        f"{study.logs}/prediction/phase_panel/{{chromosome}}.log",
    conda:
        "../../envs/imputation.yaml"
    threads: study.imputation.get("threads", 1)
    resources:
        **study.resources(study.inputs.beagle_memory, minutes=1440),
    params:
        settings=study.prediction.filling,
        source=study.source("phase_panel"),
    message:
        "prediction: phasing the study's lines on {wildcards.chromosome}"
    script:
        "../scripts/phase_panel.py"


rule import_lines:
    input:
        genotypes=study.prediction.genotypes,
        bed_parts=study.prediction.bed_parts,
        chromosomes=study.settings["chromosomes"],
    output:
        bed=f"{study.prediction.folder}/raw.bed",
        bim=f"{study.prediction.folder}/raw.bim",
        fam=f"{study.prediction.folder}/raw.fam",
        samples=f"{study.prediction.folder}/raw.samples.tsv",
        variants=f"{study.prediction.folder}/import_variants.tsv",
    log:
        f"{study.logs}/prediction/import_lines.log",
    conda:
        "../../envs/genotypes.yaml"
    resources:
        **study.resources(4000, minutes=120),
    params:
        settings=study.prediction.reading,
        source=study.source("import_genotypes"),
    message:
        "prediction: reading {input.genotypes}"
    script:
        "../scripts/import_genotypes.py"


rule align_lines:
    input:
        bed=f"{study.prediction.folder}/raw.bed",
        bim=f"{study.prediction.folder}/raw.bim",
        fam=f"{study.prediction.folder}/raw.fam",
        records=f"{study.prediction.folder}/import_variants.tsv",
        panel=f"{study.prediction.panel}/variants.tsv",
        study=f"{study.genotyped}/imputation/merged.fam",
    output:
        bed=f"{study.prediction.folder}/aligned.bed",
        bim=f"{study.prediction.folder}/aligned.bim",
        fam=f"{study.prediction.folder}/aligned.fam",
        variants=f"{study.prediction.folder}/variants.tsv",
        counts=f"{study.prediction.folder}/alignment.tsv",
        lines=f"{study.prediction.folder}/lines.tsv",
    log:
        f"{study.logs}/prediction/align_lines.log",
    conda:
        "../../envs/imputation.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        settings=study.prediction.alignment,
        file=study.prediction.file,
        source=study.source("align_lines"),
    message:
        "prediction: aligning the new lines with the models' variants"
    script:
        "../scripts/align_lines.py"


# Without imputation in the study there is no phased panel: most frequent genotypes fill.
rule fill_lines:
    input:
        **(
            {"phased": f"{study.prediction.panel}/{{chromosome}}.vcf.gz"}
            if study.imputation
            else {}
        ),
        bed=f"{study.prediction.folder}/aligned.bed",
        bim=f"{study.prediction.folder}/aligned.bim",
        fam=f"{study.prediction.folder}/aligned.fam",
        panel=f"{study.prediction.panel}/variants.tsv",
    output:
        bed=f"{study.prediction.folder}/by_chromosome/{{chromosome}}.bed",
        calls=f"{study.prediction.folder}/by_chromosome/{{chromosome}}.calls.tsv",
    log:
        f"{study.logs}/prediction/fill_lines/{{chromosome}}.log",
    conda:
        "../../envs/imputation.yaml"
    threads: study.imputation.get("threads", 1)
    resources:
        **study.resources(study.inputs.beagle_memory, minutes=1440),
    params:
        settings=study.prediction.filling,
        source=study.source("fill_lines"),
    message:
        "prediction: filling the new lines' gaps on {wildcards.chromosome}"
    script:
        "../scripts/fill_lines.py"


rule predict_lines:
    input:
        models=study.prediction.saved,
        parts=study.prediction.parts("bed"),
        calls=study.prediction.parts("calls.tsv"),
        lines=f"{study.prediction.folder}/lines.tsv",
        counts=f"{study.prediction.folder}/alignment.tsv",
        panel=f"{study.prediction.panel}/variants.tsv",
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        split=f"{study.results}/cohort/splits/{FINAL}/seed0.tsv",
        phenotypes=expand(f"{study.results}/cohort/phenotypes/{{trait}}.tsv", trait=study.traits),
        families=study.families.get("file", []),
    output:
        predictions=f"{study.prediction.folder}/predictions.tsv",
        filled=f"{study.prediction.folder}/filled.tsv",
        dosage=f"{study.prediction.folder}/dosage.npy",
    log:
        f"{study.logs}/prediction/predict_lines.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(8000, minutes=240),
    params:
        chromosomes=study.chromosomes,
        traits=list(study.traits),
        families=study.families,
        level=study.settings["evaluation"]["interval_level"],
        # Models are imported by name, so each one's code counts by its own.
        source=study.source("predict_lines", *study.prediction.models),
    message:
        "prediction: {study.prediction.file} by the saved models"
    script:
        "../scripts/predict_lines.py"


rule plot_predicted:
    input:
        predictions=f"{study.prediction.folder}/predictions.tsv",
    output:
        png=report(
            f"{study.prediction.folder}/figures/{{trait}}.png",
            caption="../report/untested_figure.rst",
            **study.report.place("{trait}", "predictions"),
        ),
        svg=f"{study.prediction.folder}/figures/{{trait}}.svg",
    log:
        f"{study.logs}/prediction/plot_predicted_{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        labels={name: block["label"] for name, block in study.models.items()},
        level=study.settings["evaluation"]["interval_level"],
        source=study.source("plot_predicted"),
    message:
        "prediction: figure of {wildcards.trait}"
    script:
        "../scripts/plot_predicted.py"


# The models alone, to take to another machine.
rule final:
    input:
        study.prediction.saved,
        study.kernels.released(final=True),
    message:
        "prediction: all models are saved"


rule predict:
    input:
        study.prediction.genotypes,
        rules.predict_lines.output.predictions,
        expand(rules.plot_predicted.output.png, trait=study.traits),
        f"{study.prediction.folder}/predictions.html",
        study.kernels.released(final=True),
    message:
        "prediction: all that was asked of the new lines is there"
