# VCF, PLINK bed, HapMap or marker tables -> canonical chromosomes -> filters -> PLINK bed.


from soyfold.genotypes.sources import check_settings, list_files

GENOTYPES = SETTINGS["genotypes"]
try:
    GENOTYPE_FORMAT = check_settings(GENOTYPES)
    GENOTYPE_FILES = list_files(GENOTYPES["file"], read_chromosomes(SETTINGS["chromosomes"]))
except UserError as error:
    raise WorkflowError(str(error))
# A bed's bim and fam are inputs too; where one is absent, the job says so in one line.
BED_PARTS = [
    Path(file).with_suffix(suffix)
    for file in GENOTYPE_FILES
    if GENOTYPE_FORMAT == "bed"
    for suffix in (".bim", ".fam")
]


rule import_genotypes:
    input:
        genotypes=GENOTYPE_FILES,
        bed_parts=[str(path) for path in BED_PARTS if path.is_file()],
        chromosomes=SETTINGS["chromosomes"],
    output:
        bed=f"{RESULTS}/genotypes/raw.bed",
        bim=f"{RESULTS}/genotypes/raw.bim",
        fam=f"{RESULTS}/genotypes/raw.fam",
        samples=f"{RESULTS}/genotypes/raw.samples.tsv",
        variants=f"{RESULTS}/genotypes/import_variants.tsv",
    log:
        f"{LOGS}/genotypes/import_genotypes.log",
    benchmark:
        f"{BENCHMARKS}/genotypes/import_genotypes.tsv"
    conda:
        "../../envs/genotypes.yaml"
    threads: 2
    resources:
        mem_mb=raised(4000),
        runtime=120,
        gpu=0,
    params:
        settings={
            key: GENOTYPES.get(key)
            for key in ("format", "marker_name", "codes", "dosage_certainty", "duplicates")
        },
        source=source_digest("import_genotypes"),
    message:
        "genotypes: reading {input.genotypes}"
    script:
        "../scripts/import_genotypes.py"


rule filter_genotypes:
    input:
        bed=f"{RESULTS}/genotypes/raw.bed",
        bim=f"{RESULTS}/genotypes/raw.bim",
        fam=f"{RESULTS}/genotypes/raw.fam",
        samples=f"{RESULTS}/genotypes/raw.samples.tsv",
        variants=f"{RESULTS}/genotypes/import_variants.tsv",
        chromosomes=SETTINGS["chromosomes"],
    output:
        bed=f"{RESULTS}/genotypes/filtered.bed",
        bim=f"{RESULTS}/genotypes/filtered.bim",
        fam=f"{RESULTS}/genotypes/filtered.fam",
        samples=f"{RESULTS}/genotypes/samples.tsv",
        variants=f"{RESULTS}/genotypes/variants.tsv",
        counts=f"{RESULTS}/genotypes/qc_counts.tsv",
    log:
        f"{LOGS}/genotypes/filter_genotypes.log",
    benchmark:
        f"{BENCHMARKS}/genotypes/filter_genotypes.tsv"
    conda:
        "../../envs/genotypes.yaml"
    threads: 2
    resources:
        mem_mb=raised(4000),
        runtime=60,
        gpu=0,
    params:
        thresholds=GENOTYPES["filters"],
        source=source_digest("filter_genotypes"),
    message:
        "genotypes: filtering samples and variants"
    script:
        "../scripts/filter_genotypes.py"
