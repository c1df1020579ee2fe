# Pages of the HTML report: tables that sort, interactive figures, methods and versions.
from snakemake import __version__ as SNAKEMAKE_VERSION

from soyfold.report import provenance
from soyfold.report.pages.templates import template_digest


# What the report opens with.
report: Path(OPENING).resolve()


for page, entry in REPORT_TABLES.items():

    rule:
        name:
            f"report_{page}"
        input:
            **entry["files"],
        output:
            page=report(
                f"{RESULTS}/report/tables/{page}.html",
                caption=f"../report/{page}.rst",
                category=CATEGORY[entry["category"]],
                subcategory=entry.get("subcategory"),
                labels={"what": entry["title"]},
            ),
        log:
            f"{LOGS}/report/report_{page}.log",
        benchmark:
            f"{BENCHMARKS}/report/report_{page}.tsv"
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=raised(1000),
            runtime=10,
            gpu=0,
        params:
            page=page,
            title=entry["title"],
            facts=entry.get("facts", {}),
            template=template_digest(),
            source=source_digest("report_table"),
        message:
            f"report: page {page}"
        script:
            "../scripts/report_table.py"


rule report_opening:
    input:
        **REPORT_TABLES["scores"]["files"],
    output:
        text=OPENING,
    log:
        f"{LOGS}/report/report_opening.log",
    benchmark:
        f"{BENCHMARKS}/report/report_opening.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        traits=list(TABLES),
        scheme=SCHEME,
        title=SETTINGS["title"],
        source=source_digest("report_opening"),
    message:
        "report: its opening"
    script:
        "../scripts/report_opening.py"


rule bundle_vega:
    output:
        vega=VEGA,
    log:
        f"{LOGS}/report/bundle_vega.log",
    benchmark:
        f"{BENCHMARKS}/report/bundle_vega.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("bundle_vega"),
    message:
        "report: bundling what draws interactive figures"
    script:
        "../scripts/bundle_vega.py"


rule report_predictions:
    input:
        predictions=lambda wildcards: fit_files(wildcards.trait, "predictions.tsv"),
        intervals=f"{RESULTS}/evaluation/intervals/{{trait}}.tsv.gz",
        vega=VEGA,
    output:
        page=report(
            f"{RESULTS}/report/interactive/predictions_{{trait}}.html",
            caption="../report/predictions_interactive.rst",
            category=CATEGORY["results"],
            subcategory=PART["lines"],
            labels={"what": "{trait}, interactive"},
        ),
    log:
        f"{LOGS}/report/report_predictions_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/report_predictions_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: fits_of(wildcards.trait),
        unit=lambda wildcards: TRAITS[wildcards.trait]["unit"],
        template=template_digest(),
        source=source_digest("report_predictions"),
    message:
        "report: {wildcards.trait} line by line"
    script:
        "../scripts/report_predictions.py"


rule report_manhattan:
    input:
        scan=f"{WHY}/gwas/{{trait}}.tsv",
        summary=f"{WHY}/gwas/summaries/{{trait}}.tsv",
        chromosomes=SETTINGS["chromosomes"],
        vega=VEGA,
    output:
        page=report(
            f"{RESULTS}/report/interactive/manhattan_{{trait}}.html",
            caption="../report/manhattan_interactive.rst",
            category=CATEGORY["interpretation"],
            labels={"what": "Scan of {trait}, interactive"},
        ),
    log:
        f"{LOGS}/report/report_manhattan_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/report_manhattan_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(2000),
        runtime=10,
        gpu=0,
    params:
        template=template_digest(),
        source=source_digest("report_manhattan"),
    message:
        "report: association scan of {wildcards.trait}, SNP by SNP"
    script:
        "../scripts/report_manhattan.py"


# Of the lines that `snakemake predict` was asked for.
rule report_untested:
    input:
        predictions=f"{NEW_LINES}/predictions.tsv",
        alignment=f"{NEW_LINES}/alignment.tsv",
    output:
        page=report(
            f"{NEW_LINES}/predictions.html",
            caption="../report/untested.rst",
            category=CATEGORY["predictions"],
            labels={"what": "Untested lines"},
        ),
    log:
        f"{LOGS}/report/report_untested.log",
    benchmark:
        f"{BENCHMARKS}/report/report_untested.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        page="untested",
        title="Untested lines",
        facts={},
        template=template_digest(),
        source=source_digest("report_table"),
    message:
        "report: predictions of untested lines"
    script:
        "../scripts/report_table.py"


# After all other jobs of the evaluation, whose versions and hours it tells.
rule report_methods:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
        costs=[f"{RESULTS}/{folder}/cost.tsv" for folder in {fit["folder"]: 0 for fit in FITS}],
        tables=expand(f"{RESULTS}/report/tables/{{page}}.html", page=REPORT_TABLES),
        citations=settings.shipped("resources/citations.tsv"),
        environments=[settings.shipped(f"envs/{path.name}") for path in ENVIRONMENTS],
    output:
        page=report(
            f"{RESULTS}/report/tables/methods.html",
            caption="../report/methods.rst",
            category=CATEGORY["methods"],
            labels={"what": "Methods and versions"},
        ),
    log:
        f"{LOGS}/report/report_methods.log",
    benchmark:
        f"{BENCHMARKS}/report/report_methods.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        study={
            "settings": SETTINGS,
            "traits": TRAITS,
            "libraries": LIBRARIES,
            "models": {
                name: {**block_of(name), "preset": MODELS[name]["preset"]}
                for name in dict.fromkeys(fit["model"] for fit in FITS if fit["role"] == "model")
            },
            "seeds": {name: entry["seeds"] for name, entry in SCHEMES.items()},
        },
        used=sorted(
            provenance.used_methods(
                SETTINGS,
                formats=[row["format"] for row in LIBRARIES.values()],
                modules={block["module"]: block["kind"] for block in MODELS.values()},
                schemes=SCHEMES,
                compared=bool(REFERENCES or CONTROLLED),
            )
        ),
        results=lambda wildcards, output: str(Path(output.page).parents[2]),
        snakemake_version=SNAKEMAKE_VERSION,
        template=template_digest(),
        source=source_digest("report_methods"),
    message:
        "report: methods and versions"
    script:
        "../scripts/report_methods.py"
