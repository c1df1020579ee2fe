# VCF, PLINK bed, HapMap or marker tables -> canonical chromosomes -> filters -> PLINK bed.


# From a BrAPI server, where the study names one; what tells a rerun is the URL, not the time. On the
# machine that Snakemake runs on: a cluster's nodes mostly reach no network.
rule fetch_genotypes:
    output:
        vcf=f"{study.genotyped}/genotypes/brapi.vcf.gz",
        call_sets=f"{study.genotyped}/genotypes/brapi_call_sets.tsv",
    log:
        f"{study.genotyped}/logs/genotypes/fetch_genotypes.log",
    localrule: True
    conda:
        "../../envs/genotypes.yaml"
    resources:
        **study.resources(2000, minutes=1440),
    params:
        url=study.settings["genotypes"]["url"],
        token_env=study.settings["genotypes"]["token_env"],
        source=study.source("fetch_genotypes"),
    message:
        "genotypes: fetching {params.url}"
    script:
        "../scripts/fetch_genotypes.py"


rule import_genotypes:
    input:
        genotypes=study.genotype_files,
        bed_parts=study.inputs.bed_parts,
        chromosomes=study.settings["chromosomes"],
    output:
        bed=f"{study.genotyped}/genotypes/raw.bed",
        bim=f"{study.genotyped}/genotypes/raw.bim",
        fam=f"{study.genotyped}/genotypes/raw.fam",
        samples=f"{study.genotyped}/genotypes/raw.samples.tsv",
        variants=f"{study.genotyped}/genotypes/import_variants.tsv",
    log:
        f"{study.genotyped}/logs/genotypes/import_genotypes.log",
    conda:
        "../../envs/genotypes.yaml"
    threads: 2
    resources:
        **study.resources(4000, minutes=120),
    params:
        settings=study.inputs.reading,
        source=study.source("import_genotypes"),
    message:
        "genotypes: reading {input.genotypes}"
    script:
        "../scripts/import_genotypes.py"


rule filter_genotypes:
    input:
        bed=f"{study.genotyped}/genotypes/raw.bed",
        bim=f"{study.genotyped}/genotypes/raw.bim",
        fam=f"{study.genotyped}/genotypes/raw.fam",
        samples=f"{study.genotyped}/genotypes/raw.samples.tsv",
        variants=f"{study.genotyped}/genotypes/import_variants.tsv",
        chromosomes=study.settings["chromosomes"],
    output:
        bed=f"{study.genotyped}/genotypes/filtered.bed",
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        fam=f"{study.genotyped}/genotypes/filtered.fam",
        samples=f"{study.genotyped}/genotypes/samples.tsv",
        variants=f"{study.genotyped}/genotypes/variants.tsv",
        counts=f"{study.genotyped}/genotypes/qc_counts.tsv",
    log:
        f"{study.genotyped}/logs/genotypes/filter_genotypes.log",
    conda:
        "../../envs/genotypes.yaml"
    threads: 2
    resources:
        **study.resources(4000, minutes=60),
    params:
        thresholds=study.settings["genotypes"]["filters"],
        source=study.source("filter_genotypes"),
    message:
        "genotypes: filtering samples and variants"
    script:
        "../scripts/filter_genotypes.py"
