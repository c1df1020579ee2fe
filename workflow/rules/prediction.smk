# Final fits -> saved models; new genotypes -> aligned, filled -> predictions with intervals.
# Nothing of it is a part of `all`: the targets are `final` and `predict`.
from soyfold.genotypes.sources import SUFFIXES
from soyfold.prediction.new_lines import folder_name

PREDICTION = SETTINGS["prediction"]
LEVEL = SETTINGS["evaluation"]["interval_level"]
NEW_FILE = SETTINGS["new_genotypes"]
NEW_LINES = f"{RESULTS}/prediction/{folder_name(NEW_FILE) if NEW_FILE else 'new'}"
NEW_PARTS = [Path(NEW_FILE).with_suffix(s) for s in (".bim", ".fam")] if NEW_FILE else []
# A file whose suffix says nothing is of the format of the study's.
NEW_FORMAT = (
    "auto" if any(str(NEW_FILE).lower().endswith(s) for s in SUFFIXES) else GENOTYPES["format"]
)
PANEL = f"{RESULTS}/prediction/panel"
# Memory decides nothing about Beagle's records; nor does what is masked to measure accuracy.
PANEL_SETTINGS = {
    key: value for key, value in IMPUTATION.items() if key not in ("memory_gb", "mask_fraction")
}
BEAGLE_MB = int(1024 * IMPUTATION.get("memory_gb", 4)) + 1000
# Saved models of the fits that are asked for, and traits, in the order of the study.
SAVED = list(
    dict.fromkeys(
        f"{RESULTS}/prediction/models/{fit['home']}/{fit['model']}.npz"
        for fit in FINAL_FITS
        if fit["role"] == "model"
    )
)


rule describe_panel:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        variants=f"{RESULTS}/cohort/variants.tsv",
    output:
        panel=f"{PANEL}/variants.tsv",
    log:
        f"{LOGS}/prediction/describe_panel.log",
    benchmark:
        f"{BENCHMARKS}/prediction/describe_panel.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        source=source_digest("describe_panel"),
    message:
        "prediction: the models' variants and their frequencies"
    script:
        "../scripts/describe_panel.py"


rule save_model:
    input:
        checkpoint=f"{RESULTS}/training/{{home}}/{{model}}/{schemes.FINAL}/seed0/checkpoint.npz",
        predictions=f"{RESULTS}/training/{{home}}/{{model}}/{schemes.FINAL}/seed0/predictions.tsv",
        members=saved_members,
        panel=f"{PANEL}/variants.tsv",
    output:
        model=f"{RESULTS}/prediction/models/{{home}}/{{model}}.npz",
    log:
        f"{LOGS}/prediction/save_model/{{home}}/{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/prediction/save_model/{{home}}/{{model}}.tsv"
    wildcard_constraints:
        home=any_of(dict.fromkeys(fit["home"] for fit in FINAL_FITS)),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=30,
        gpu=0,
    params:
        traits=learnt_finally,
        about=lambda wildcards: {
            "study": SETTINGS["study"],
            "name": wildcards.model,
            "label": MODELS[wildcards.model]["label"],
            "chromosomes": CHROMOSOMES,
            "families": SETTINGS["cohort"]["families"] or None,
        },
        source=source_digest("save_model"),
    message:
        "prediction: saving {wildcards.model} of {wildcards.home}"
    script:
        "../scripts/save_model.py"


rule phase_panel:
    input:
        bed=f"{RESULTS}/imputation/merged.bed",
        bim=f"{RESULTS}/imputation/merged.bim",
        fam=f"{RESULTS}/imputation/merged.fam",
    output:
        phased=f"{PANEL}/{{chromosome}}.vcf.gz",
    log:
        f"{LOGS}/prediction/phase_panel/{{chromosome}}.log",
    benchmark:
        f"{BENCHMARKS}/prediction/phase_panel/{{chromosome}}.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: IMPUTATION.get("threads", 1)
    resources:
        mem_mb=raised(BEAGLE_MB),
        runtime=1440,
        gpu=0,
    params:
        settings=PANEL_SETTINGS,
        source=source_digest("phase_panel"),
    message:
        "prediction: phasing the study's lines on {wildcards.chromosome}"
    script:
        "../scripts/phase_panel.py"


rule import_lines:
    input:
        genotypes=new_file,
        bed_parts=[str(path) for path in NEW_PARTS if path.is_file()],
        chromosomes=SETTINGS["chromosomes"],
    output:
        bed=f"{NEW_LINES}/raw.bed",
        bim=f"{NEW_LINES}/raw.bim",
        fam=f"{NEW_LINES}/raw.fam",
        samples=f"{NEW_LINES}/raw.samples.tsv",
        variants=f"{NEW_LINES}/import_variants.tsv",
    log:
        f"{LOGS}/prediction/import_lines.log",
    benchmark:
        f"{BENCHMARKS}/prediction/import_lines.tsv"
    conda:
        "../../envs/genotypes.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=120,
        gpu=0,
    params:
        settings={
            **{
                key: GENOTYPES.get(key)
                for key in ("marker_name", "codes", "dosage_certainty", "duplicates")
                if key in GENOTYPES
            },
            "format": NEW_FORMAT,
            "invariant": True,
        },
        source=source_digest("import_genotypes"),
    message:
        "prediction: reading {input.genotypes}"
    script:
        "../scripts/import_genotypes.py"


rule align_lines:
    input:
        bed=f"{NEW_LINES}/raw.bed",
        bim=f"{NEW_LINES}/raw.bim",
        fam=f"{NEW_LINES}/raw.fam",
        records=f"{NEW_LINES}/import_variants.tsv",
        panel=f"{PANEL}/variants.tsv",
        study=f"{RESULTS}/imputation/merged.fam",
    output:
        bed=f"{NEW_LINES}/aligned.bed",
        bim=f"{NEW_LINES}/aligned.bim",
        fam=f"{NEW_LINES}/aligned.fam",
        variants=f"{NEW_LINES}/variants.tsv",
        counts=f"{NEW_LINES}/alignment.tsv",
        lines=f"{NEW_LINES}/lines.tsv",
    log:
        f"{LOGS}/prediction/align_lines.log",
    benchmark:
        f"{BENCHMARKS}/prediction/align_lines.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        settings={key: PREDICTION[key] for key in ("min_overlap", "ambiguous", "missing")},
        file=NEW_FILE,
        source=source_digest("align_lines"),
    message:
        "prediction: aligning the new lines with the models' variants"
    script:
        "../scripts/align_lines.py"


# Without imputation in the study there is no phased panel: most frequent genotypes fill.
rule fill_lines:
    input:
        **({"phased": f"{PANEL}/{{chromosome}}.vcf.gz"} if IMPUTATION else {}),
        bed=f"{NEW_LINES}/aligned.bed",
        bim=f"{NEW_LINES}/aligned.bim",
        fam=f"{NEW_LINES}/aligned.fam",
        panel=f"{PANEL}/variants.tsv",
    output:
        bed=f"{NEW_LINES}/by_chromosome/{{chromosome}}.bed",
        calls=f"{NEW_LINES}/by_chromosome/{{chromosome}}.calls.tsv",
    log:
        f"{LOGS}/prediction/fill_lines/{{chromosome}}.log",
    benchmark:
        f"{BENCHMARKS}/prediction/fill_lines/{{chromosome}}.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: IMPUTATION.get("threads", 1)
    resources:
        mem_mb=raised(BEAGLE_MB),
        runtime=1440,
        gpu=0,
    params:
        settings=PANEL_SETTINGS,
        source=source_digest("fill_lines"),
    message:
        "prediction: filling the new lines' gaps on {wildcards.chromosome}"
    script:
        "../scripts/fill_lines.py"


rule predict_lines:
    input:
        models=SAVED,
        parts=expand(f"{NEW_LINES}/by_chromosome/{{chromosome}}.bed", chromosome=CHROMOSOMES),
        calls=expand(f"{NEW_LINES}/by_chromosome/{{chromosome}}.calls.tsv", chromosome=CHROMOSOMES),
        lines=f"{NEW_LINES}/lines.tsv",
        counts=f"{NEW_LINES}/alignment.tsv",
        panel=f"{PANEL}/variants.tsv",
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        split=f"{RESULTS}/cohort/splits/{schemes.FINAL}/seed0.tsv",
        phenotypes=expand(f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv", trait=TRAITS),
        families=FAMILIES.get("file", []),
    output:
        predictions=f"{NEW_LINES}/predictions.tsv",
        filled=f"{NEW_LINES}/filled.tsv",
        dosage=f"{NEW_LINES}/dosage.npy",
    log:
        f"{LOGS}/prediction/predict_lines.log",
    benchmark:
        f"{BENCHMARKS}/prediction/predict_lines.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=raised(8000),
        runtime=240,
        gpu=0,
    params:
        chromosomes=CHROMOSOMES,
        traits=list(TRAITS),
        families=FAMILIES,
        level=LEVEL,
        # Models are imported by name, so each one's code counts by its own.
        source=source_digest(
            "predict_lines",
            *sorted({f"soyfold.models.{MODELS[fit['model']]['module']}" for fit in FINAL_FITS}),
        ),
    message:
        "prediction: {NEW_FILE} by the saved models"
    script:
        "../scripts/predict_lines.py"


rule plot_predicted:
    input:
        predictions=f"{NEW_LINES}/predictions.tsv",
    output:
        png=report(
            f"{NEW_LINES}/figures/{{trait}}.png",
            caption="../report/untested_figure.rst",
            category=CATEGORY["predictions"],
            labels={"what": "{trait}"},
        ),
        svg=f"{NEW_LINES}/figures/{{trait}}.svg",
    log:
        f"{LOGS}/prediction/plot_predicted_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/prediction/plot_predicted_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        labels={name: block["label"] for name, block in MODELS.items()},
        level=LEVEL,
        source=source_digest("plot_predicted"),
    message:
        "prediction: figure of {wildcards.trait}"
    script:
        "../scripts/plot_predicted.py"


# The models alone, to take to another machine.
rule final:
    input:
        SAVED,
        [f"{folder}/released.tsv" for folder in FINAL_RELEASED],


rule predict:
    input:
        new_file,
        rules.predict_lines.output.predictions,
        expand(rules.plot_predicted.output.png, trait=TRAITS),
        f"{NEW_LINES}/predictions.html",
        [f"{folder}/released.tsv" for folder in FINAL_RELEASED],
