# VCF, PLINK bed or marker table -> canonical chromosomes -> filters -> PLINK bed.


rule import_genotypes:
    input:
        genotypes=SETTINGS["genotypes"]["file"],
        chromosomes=SETTINGS["chromosomes"],
    output:
        bed=f"{RESULTS}/genotypes/raw.bed",
        bim=f"{RESULTS}/genotypes/raw.bim",
        fam=f"{RESULTS}/genotypes/raw.fam",
        variants=f"{RESULTS}/genotypes/import_variants.tsv",
    log:
        f"{LOGS}/genotypes/import_genotypes.log",
    benchmark:
        f"{BENCHMARKS}/genotypes/import_genotypes.tsv"
    message:
        "genotypes: reading {input.genotypes}"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=0,
    params:
        settings=SETTINGS["genotypes"],
        source=source_digest("import_genotypes"),
    conda:
        "../../envs/genotypes.yaml"
    script:
        "../scripts/import_genotypes.py"
