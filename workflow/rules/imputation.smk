# Filtered genotypes -> Beagle, one job a chromosome -> merged again, with the accuracy measured.
BY_CHROMOSOME = f"{study.genotyped}/imputation/by_chromosome"


rule impute_chromosome:
    input:
        bed=f"{study.genotyped}/genotypes/filtered.bed",
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        fam=f"{study.genotyped}/genotypes/filtered.fam",
    output:
        bed=f"{BY_CHROMOSOME}/{{chromosome}}.bed",
        bim=f"{BY_CHROMOSOME}/{{chromosome}}.bim",
        fam=f"{BY_CHROMOSOME}/{{chromosome}}.fam",
        calls=f"{BY_CHROMOSOME}/{{chromosome}}.calls.tsv",
    log:
        f"{study.genotyped}/logs/imputation/impute_chromosome/{{chromosome}}.log",
    conda:
        "../../envs/imputation.yaml"
    threads: study.imputation.get("threads", 1)
    resources:
        **study.resources(study.inputs.beagle_memory, minutes=1440),
    params:
        settings=study.inputs.beagle_settings(),
        source=study.source("impute_chromosome"),
    message:
        "imputation: Beagle on {wildcards.chromosome}"
    script:
        "../scripts/impute_chromosome.py"


rule merge_chromosomes:
    input:
        # Without imputation there are no parts: the filtered genotypes go through, if complete.
        parts=expand(f"{BY_CHROMOSOME}/{{part}}.bed", part=study.inputs.imputed),
        calls=expand(f"{BY_CHROMOSOME}/{{part}}.calls.tsv", part=study.inputs.imputed),
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
