# Phenotypes -> values per line -> join with the samples; dosage matrix; splits.
from soyfold.study.schemes import FINAL, OF_ENVIRONMENTS


# From a BrAPI server; traits of one URL share a table. On the machine that Snakemake runs on, as
# fetch_genotypes is.
rule fetch_observations:
    output:
        table=f"{study.results}/cohort/brapi/{{source}}.tsv",
    log:
        f"{study.logs}/cohort/fetch_observations/{{source}}.log",
    wildcard_constraints:
        source=study.any_of(study.inputs.servers),
    localrule: True
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(2000, minutes=240),
    params:
        server=study.inputs.server,
        source=study.source("fetch_observations"),
    message:
        "cohort: fetching {params.server[url]}"
    script:
        "../scripts/fetch_observations.py"


# Joins, families and splits take what passed the filters, before imputation: what is hopeless is
# told in minutes.
rule join_trait:
    input:
        **study.inputs.id_map,
        phenotypes=study.inputs.phenotypes,
        fam=f"{study.genotyped}/genotypes/filtered.fam",
        samples=f"{study.genotyped}/genotypes/samples.tsv",
    output:
        phenotypes=f"{study.results}/cohort/phenotypes/{{trait}}.tsv",
        joins=f"{study.results}/cohort/joins/{{trait}}.tsv",
    log:
        f"{study.logs}/cohort/join_trait/{{trait}}.log",
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        row=study.inputs.join_row,
        prefixes=study.settings["cohort"]["accession_prefixes"],
        minimum_lines=study.settings["cohort"]["minimum_lines"],
        source=study.source("join_trait"),
    message:
        "cohort: joining {wildcards.trait} with the genotypes"
    script:
        "../scripts/join_trait.py"


rule collect_joins:
    input:
        joins=expand(f"{study.results}/cohort/joins/{{trait}}.tsv", trait=study.traits),
    output:
        report=f"{study.results}/cohort/join_report.tsv",
        counts=f"{study.results}/cohort/join_counts.tsv",
    log:
        f"{study.logs}/cohort/collect_joins.log",
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        source=study.source("collect_joins"),
    message:
        "cohort: collecting the join reports"
    script:
        "../scripts/collect_joins.py"


# Apart from the matrix, so that another pattern reruns the models of families alone.
rule name_families:
    input:
        families=study.families.get("file", []),
        fam=f"{study.genotyped}/genotypes/filtered.fam",
    output:
        families=f"{study.results}/cohort/families.tsv",
    log:
        f"{study.logs}/cohort/name_families.log",
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(),
    params:
        families=study.families,
        source=study.source("name_families"),
    message:
        "cohort: families of the lines"
    script:
        "../scripts/name_families.py"


rule join_covariates:
    input:
        **study.inputs.id_map,
        covariates=study.inputs.covariates.get("file", []),
        fam=f"{study.genotyped}/genotypes/filtered.fam",
        samples=f"{study.genotyped}/genotypes/samples.tsv",
    output:
        covariates=f"{study.results}/cohort/covariates.tsv",
        counts=f"{study.results}/cohort/covariate_counts.tsv",
    log:
        f"{study.logs}/cohort/join_covariates.log",
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(),
    params:
        columns=study.inputs.covariates.get("columns"),
        prefixes=study.settings["cohort"]["accession_prefixes"],
        source=study.source("join_covariates"),
    message:
        "cohort: covariates of the lines"
    script:
        "../scripts/join_covariates.py"


rule write_dosage:
    input:
        bed=f"{study.genotyped}/imputation/merged.bed",
        bim=f"{study.genotyped}/imputation/merged.bim",
        fam=f"{study.genotyped}/imputation/merged.fam",
    output:
        dosage=f"{study.results}/cohort/dosage.npy",
        samples=f"{study.results}/cohort/samples.tsv",
        variants=f"{study.results}/cohort/variants.tsv",
    log:
        f"{study.logs}/cohort/write_dosage.log",
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(4000, minutes=60),
    params:
        source=study.source("write_dosage"),
    message:
        "cohort: writing the dosage matrix"
    script:
        "../scripts/write_dosage.py"


# Before imputation too: a reference of another assembly is told in minutes.
rule classify_variants:
    input:
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        chromosomes=study.settings["chromosomes"],
        reference=study.inputs.reference,
    output:
        **study.inputs.class_tables,
    log:
        f"{study.logs}/cohort/classify_variants.log",
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(4000, minutes=60),
    params:
        reference=study.settings["reference"],
        source=study.source("classify_variants"),
    message:
        "cohort: classes of the variants"
    script:
        "../scripts/classify_variants.py"


# Which SNPs a hypothesis says go together.
rule group_snps:
    input:
        regions=lambda wildcards: study.hypothesised[wildcards.hypothesis]["file"],
        weights=study.hypotheses.weights,
        chromosomes=study.settings["chromosomes"],
        variants=f"{study.results}/cohort/variants.tsv",
    output:
        groups=f"{study.hypotheses.folder}/{{hypothesis}}/groups.npz",
        counts=f"{study.hypotheses.folder}/{{hypothesis}}/groups.tsv",
    log:
        f"{study.logs}/cohort/group_snps/{{hypothesis}}.log",
    conda:
        "../../envs/training.yaml"
    resources:
        **study.resources(2000),
    params:
        flank=lambda wildcards: study.hypothesised[wildcards.hypothesis]["flank"],
        source=study.source("group_snps"),
    message:
        "cohort: SNPs of the groups of {wildcards.hypothesis}"
    script:
        "../scripts/group_snps.py"


# Which lines are nearly the same is measured before imputation, which makes neighbours alike.
rule find_clusters:
    input:
        bed=f"{study.genotyped}/genotypes/filtered.bed",
        bim=f"{study.genotyped}/genotypes/filtered.bim",
        fam=f"{study.genotyped}/genotypes/filtered.fam",
    output:
        clusters=f"{study.results}/cohort/clusters.tsv",
    log:
        f"{study.logs}/cohort/find_clusters.log",
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(4000, minutes=120),
    params:
        identity=study.schemes.get("cluster", {}).get("settings", {}).get("identity"),
        source=study.source("find_clusters"),
    message:
        "cohort: lines that are nearly the same"
    script:
        "../scripts/find_clusters.py"


rule average_plots:
    input:
        **study.inputs.id_map,
        phenotypes=study.inputs.phenotypes,
        fam=f"{study.genotyped}/genotypes/filtered.fam",
        samples=f"{study.genotyped}/genotypes/samples.tsv",
    output:
        cells=f"{study.results}/cohort/environments/{{trait}}.tsv",
    log:
        f"{study.logs}/cohort/average_plots/{{trait}}.log",
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(2000, minutes=30),
    params:
        row=study.inputs.join_row,
        prefixes=study.settings["cohort"]["accession_prefixes"],
        source=study.source("average_plots"),
    message:
        "cohort: values of {wildcards.trait} by line and environment"
    script:
        "../scripts/average_plots.py"


# One job per seed: with more seeds the old splits stay as they are, and so does what hangs on them.
rule draw_split:
    input:
        unpack(study.inputs.split_files),
        fam=f"{study.genotyped}/genotypes/filtered.fam",
        samples=f"{study.genotyped}/genotypes/samples.tsv",
    output:
        split=f"{study.results}/cohort/splits/{{scheme}}/seed{{seed}}.tsv",
        lost=f"{study.results}/cohort/splits/{{scheme}}/lost/seed{{seed}}.tsv",
    log:
        f"{study.logs}/cohort/draw_split/{{scheme}}_seed{{seed}}.log",
    wildcard_constraints:
        scheme=study.any_of(name for name in study.drawn if name not in OF_ENVIRONMENTS),
    priority: 1
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(),
    params:
        settings=study.inputs.split_settings,
        source=study.inputs.split_source,
    message:
        "cohort: split {wildcards.seed} ({wildcards.scheme})"
    script:
        "../scripts/draw_split.py"


# These part a trait's values, not the lines alone: `cells` has the part of each.
use rule draw_split as draw_environment_split with:
    output:
        cells=f"{study.results}/cohort/splits/{{scheme}}/cells/seed{{seed}}/{{trait}}.tsv",
        split=f"{study.results}/cohort/splits/{{scheme}}/seed{{seed}}/{{trait}}.tsv",
        lost=f"{study.results}/cohort/splits/{{scheme}}/lost/seed{{seed}}/{{trait}}.tsv",
    log:
        f"{study.logs}/cohort/draw_split/{{scheme}}_seed{{seed}}_{{trait}}.log",
    wildcard_constraints:
        scheme=study.any_of(name for name in study.schemes if name in OF_ENVIRONMENTS),
    message:
        "cohort: split {wildcards.seed} of {wildcards.trait} ({wildcards.scheme})"


# For the final fits of models whose unit is a line in an environment.
rule part_values:
    input:
        cells=f"{study.results}/cohort/environments/{{trait}}.tsv",
        split=f"{study.results}/cohort/splits/{FINAL}/seed0.tsv",
    output:
        cells=f"{study.results}/cohort/splits/{FINAL}/cells/seed0/{{trait}}.tsv",
    log:
        f"{study.logs}/cohort/part_values/{{trait}}.log",
    conda:
        "../../envs/cohort.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("part_values"),
    message:
        "cohort: values of {wildcards.trait} by environment, for untested lines"
    script:
        "../scripts/part_values.py"
