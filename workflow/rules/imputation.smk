# Filtered genotypes -> Beagle, a job a chromosome or several small ones -> merged, with the accuracy.
PARTS = f"{study.genotyped}/imputation/parts"


rule impute_chromosomes:
    input:
        bed=f"{study.genotyped}/genotypes/filtered.bed",
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        fam=f"{study.genotyped}/genotypes/filtered.fam",
    output:
        bed=f"{PARTS}/{{part}}.bed",
        bim=f"{PARTS}/{{part}}.bim",
        fam=f"{PARTS}/{{part}}.fam",
        calls=f"{PARTS}/{{part}}.calls.tsv",
    log:
        f"{study.genotyped}/logs/imputation/impute_chromosomes/{{part}}.log",
    conda:
        "../../envs/imputation.yaml"
    threads: study.imputation.get("threads", 1)
    resources:
        **study.resources(study.inputs.beagle_memory, minutes=1440),
    params:
        chromosomes=lambda wildcards: study.inputs.imputed[wildcards.part],
        settings=study.inputs.beagle_settings(),
        source=study.source("impute_chromosomes"),
    message:
        "imputation: Beagle on {wildcards.part}"
    script:
        "../scripts/impute_chromosomes.py"


rule merge_chromosomes:
    input:
        # Without imputation there are no parts: the filtered genotypes go through, if complete.
        parts=expand(f"{PARTS}/{{part}}.bed", part=study.inputs.imputed),
        calls=expand(f"{PARTS}/{{part}}.calls.tsv", part=study.inputs.imputed),
        bed=f"{study.genotyped}/genotypes/filtered.bed",
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        fam=f"{study.genotyped}/genotypes/filtered.fam",
    output:
        bed=f"{study.genotyped}/imputation/merged.bed",
        bim=f"{study.genotyped}/imputation/merged.bim",
        fam=f"{study.genotyped}/imputation/merged.fam",
        accuracy=f"{study.genotyped}/imputation/accuracy.tsv",
    log:
        f"{study.genotyped}/logs/imputation/merge_chromosomes.log",
    conda:
        "../../envs/imputation.yaml"
    resources:
        **study.resources(2000, minutes=60),
    params:
        chromosomes=study.chromosomes,
        source=study.source("merge_chromosomes"),
    message:
        "imputation: merging the chromosomes"
    script:
        "../scripts/merge_chromosomes.py"
