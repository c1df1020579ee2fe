# Filtered genotypes -> Beagle, one job a chromosome -> merged again, with the accuracy measured.
IMPUTATION = SETTINGS["imputation"] or {}
BY_CHROMOSOME = f"{RESULTS}/imputation/by_chromosome"


rule impute_chromosome:
    input:
        bed=f"{RESULTS}/genotypes/filtered.bed",
        bim=f"{RESULTS}/genotypes/filtered.bim",
        fam=f"{RESULTS}/genotypes/filtered.fam",
    output:
        bed=f"{BY_CHROMOSOME}/{{chromosome}}.bed",
        bim=f"{BY_CHROMOSOME}/{{chromosome}}.bim",
        fam=f"{BY_CHROMOSOME}/{{chromosome}}.fam",
        calls=f"{BY_CHROMOSOME}/{{chromosome}}.calls.tsv",
    log:
        f"{LOGS}/imputation/impute_chromosome/{{chromosome}}.log",
    benchmark:
        f"{BENCHMARKS}/imputation/impute_chromosome/{{chromosome}}.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: IMPUTATION.get("threads", 1)
    resources:
        mem_mb=raised(int(1024 * IMPUTATION.get("memory_gb", 4)) + 1000),
        runtime=1440,
        gpu=0,
    params:
        # Memory decides nothing about the records, so it reruns nothing.
        settings={key: value for key, value in IMPUTATION.items() if key != "memory_gb"},
        source=source_digest("impute_chromosome"),
    message:
        "imputation: Beagle on {wildcards.chromosome}"
    script:
        "../scripts/impute_chromosome.py"


rule merge_chromosomes:
    input:
        # Without imputation there are no parts: the filtered genotypes go through, if complete.
        parts=expand(
            f"{BY_CHROMOSOME}/{{chromosome}}.bed", chromosome=CHROMOSOMES if IMPUTATION else []
        ),
        calls=expand(
            f"{BY_CHROMOSOME}/{{chromosome}}.calls.tsv",
            chromosome=CHROMOSOMES if IMPUTATION else [],
        ),
        bed=f"{RESULTS}/genotypes/filtered.bed",
        bim=f"{RESULTS}/genotypes/filtered.bim",
        fam=f"{RESULTS}/genotypes/filtered.fam",
    output:
        bed=f"{RESULTS}/imputation/merged.bed",
        bim=f"{RESULTS}/imputation/merged.bim",
        fam=f"{RESULTS}/imputation/merged.fam",
        accuracy=f"{RESULTS}/imputation/accuracy.tsv",
    log:
        f"{LOGS}/imputation/merge_chromosomes.log",
    benchmark:
        f"{BENCHMARKS}/imputation/merge_chromosomes.tsv"
    conda:
        "../../envs/imputation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=60,
        gpu=0,
    params:
        chromosomes=CHROMOSOMES,
        source=source_digest("merge_chromosomes"),
    message:
        "imputation: merging the chromosomes"
    script:
        "../scripts/merge_chromosomes.py"
