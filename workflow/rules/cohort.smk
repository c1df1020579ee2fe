# Phenotypes -> values per line -> join with the samples; dosage matrix; splits.
FAMILIES = SETTINGS["cohort"]["families"] or {}

# A trait's row without what decides about models or labels alone.
JOIN_COLUMNS = [
    "trait",
    "file",
    "format",
    "sheet",
    "decimal",
    "missing",
    "id_column",
    "value_column",
    "environment_column",
    "unit",
    "unit_column",
]


rule join_trait:
    input:
        **({"id_map": SETTINGS["cohort"]["id_map"]} if SETTINGS["cohort"]["id_map"] else {}),
        phenotypes=lambda wildcards: TRAITS[wildcards.trait]["file"],
        fam=f"{RESULTS}/imputation/merged.fam",
        samples=f"{RESULTS}/genotypes/samples.tsv",
    output:
        phenotypes=f"{RESULTS}/cohort/phenotypes/{{trait}}.tsv",
        joins=f"{RESULTS}/cohort/joins/{{trait}}.tsv",
    log:
        f"{LOGS}/cohort/join_trait/{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/cohort/join_trait/{{trait}}.tsv"
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        row=lambda wildcards: {name: TRAITS[wildcards.trait][name] for name in JOIN_COLUMNS},
        prefixes=SETTINGS["cohort"]["accession_prefixes"],
        minimum_lines=SETTINGS["cohort"]["minimum_lines"],
        source=source_digest("join_trait"),
    message:
        "cohort: joining {wildcards.trait} with the genotypes"
    script:
        "../scripts/join_trait.py"


rule collect_joins:
    input:
        joins=expand(f"{RESULTS}/cohort/joins/{{trait}}.tsv", trait=TRAITS),
    output:
        report=f"{RESULTS}/cohort/join_report.tsv",
        counts=f"{RESULTS}/cohort/join_counts.tsv",
    log:
        f"{LOGS}/cohort/collect_joins.log",
    benchmark:
        f"{BENCHMARKS}/cohort/collect_joins.tsv"
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        source=source_digest("collect_joins"),
    message:
        "cohort: collecting the join reports"
    script:
        "../scripts/collect_joins.py"


rule write_dosage:
    input:
        bed=f"{RESULTS}/imputation/merged.bed",
        bim=f"{RESULTS}/imputation/merged.bim",
        fam=f"{RESULTS}/imputation/merged.fam",
        families=FAMILIES.get("file", []),
    output:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        samples=f"{RESULTS}/cohort/samples.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
    log:
        f"{LOGS}/cohort/write_dosage.log",
    benchmark:
        f"{BENCHMARKS}/cohort/write_dosage.tsv"
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=60,
        gpu=0,
    params:
        families=FAMILIES,
        source=source_digest("write_dosage"),
    message:
        "cohort: writing the dosage matrix"
    script:
        "../scripts/write_dosage.py"


# Which lines are nearly the same is measured before imputation, which makes neighbours alike.
rule find_clusters:
    input:
        bed=f"{RESULTS}/genotypes/filtered.bed",
        bim=f"{RESULTS}/genotypes/filtered.bim",
        fam=f"{RESULTS}/genotypes/filtered.fam",
    output:
        clusters=f"{RESULTS}/cohort/clusters.tsv",
    log:
        f"{LOGS}/cohort/find_clusters.log",
    benchmark:
        f"{BENCHMARKS}/cohort/find_clusters.tsv"
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(4000),
        runtime=120,
        gpu=0,
    params:
        identity=SCHEMES.get("cluster", {}).get("settings", {}).get("identity"),
        source=source_digest("find_clusters"),
    message:
        "cohort: lines that are nearly the same"
    script:
        "../scripts/find_clusters.py"


rule average_plots:
    input:
        **({"id_map": SETTINGS["cohort"]["id_map"]} if SETTINGS["cohort"]["id_map"] else {}),
        phenotypes=lambda wildcards: TRAITS[wildcards.trait]["file"],
        fam=f"{RESULTS}/imputation/merged.fam",
        samples=f"{RESULTS}/genotypes/samples.tsv",
    output:
        cells=f"{RESULTS}/cohort/environments/{{trait}}.tsv",
    log:
        f"{LOGS}/cohort/average_plots/{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/cohort/average_plots/{{trait}}.tsv"
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=30,
        gpu=0,
    params:
        row=lambda wildcards: {name: TRAITS[wildcards.trait][name] for name in JOIN_COLUMNS},
        prefixes=SETTINGS["cohort"]["accession_prefixes"],
        source=source_digest("average_plots"),
    message:
        "cohort: values of {wildcards.trait} by line and environment"
    script:
        "../scripts/average_plots.py"


# One job per seed: with more seeds the old splits stay as they are, and so does what hangs on them.
rule draw_split:
    input:
        unpack(split_inputs),
        fam=f"{RESULTS}/imputation/merged.fam",
        samples=f"{RESULTS}/genotypes/samples.tsv",
    output:
        split=f"{RESULTS}/cohort/splits/{{scheme}}/seed{{seed}}.tsv",
        losses=f"{RESULTS}/cohort/splits/{{scheme}}/losses/seed{{seed}}.tsv",
    log:
        f"{LOGS}/cohort/draw_split/{{scheme}}_seed{{seed}}.log",
    benchmark:
        f"{BENCHMARKS}/cohort/draw_split/{{scheme}}_seed{{seed}}.tsv"
    wildcard_constraints:
        scheme="|".join(set(DRAWN) - schemes.OF_ENVIRONMENTS) or "(?!)",
    conda:
        "../../envs/cohort.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        settings=lambda wildcards: DRAWN[wildcards.scheme]["settings"],
        source=lambda wildcards: source_digest(
            "draw_split", f"soyfold.cohort.splits.{wildcards.scheme}"
        ),
    message:
        "cohort: split {wildcards.seed} ({wildcards.scheme})"
    script:
        "../scripts/draw_split.py"


# These part a trait's values, not the lines alone: `cells` has the part of each.
use rule draw_split as draw_environment_split with:
    output:
        cells=f"{RESULTS}/cohort/splits/{{scheme}}/cells/seed{{seed}}/{{trait}}.tsv",
        split=f"{RESULTS}/cohort/splits/{{scheme}}/seed{{seed}}/{{trait}}.tsv",
        losses=f"{RESULTS}/cohort/splits/{{scheme}}/losses/seed{{seed}}/{{trait}}.tsv",
    log:
        f"{LOGS}/cohort/draw_split/{{scheme}}_seed{{seed}}_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/cohort/draw_split/{{scheme}}_seed{{seed}}_{{trait}}.tsv"
    wildcard_constraints:
        scheme="|".join(set(SCHEMES) & schemes.OF_ENVIRONMENTS) or "(?!)",
    message:
        "cohort: split {wildcards.seed} of {wildcards.trait} ({wildcards.scheme})"
