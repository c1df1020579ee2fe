# Pages of the HTML report: tables that sort, interactive figures, methods and versions.
from snakemake import __version__ as SNAKEMAKE_VERSION

from soyfold import provenance
from soyfold.reporting.templates import template_digest

EVALUATED = f"{RESULTS}/evaluation/tables"
VEGA = f"{RESULTS}/report/interactive/vega.js.gz"
ABLATIONS = [
    *VARIANT_TABLES,
    *(["table3_cost"] if SETTINGS["evaluation"]["paper_tables"] and COSTED else []),
]
LOSSES = list(split_losses())
ENVIRONMENTS = sorted((settings.HOME / "envs").glob("*.yaml"))
OPENING = f"{RESULTS}/report/opening.rst"


report: Path(OPENING).resolve()


# Page -> what it is called, where it stands in the report, its files, and facts beside them.
REPORT_TABLES = {
    "scores": {
        "title": "Scores",
        "category": "results",
        "subcategory": PART["scores"],
        "files": {
            "tables": list(TABLES.values()),
            **({"comparisons": f"{EVALUATED}/comparisons.tsv"} if REFERENCES else {}),
        },
        "facts": {
            "traits": list(TABLES),
            "scheme": SCHEME,
            "units": {trait: row["unit"] for trait, row in TRAITS.items()},
        },
    },
    "filtering": {
        "title": "Lines and SNPs lost at each step",
        "category": "quality",
        "files": {
            "qc": f"{RESULTS}/genotypes/qc_counts.tsv",
            "joins": f"{RESULTS}/cohort/join_counts.tsv",
            "accuracy": f"{RESULTS}/imputation/accuracy.tsv",
            "scores": f"{RESULTS}/evaluation/scores.tsv",
            "losses": [path for _, path in LOSSES],
        },
        "facts": {"schemes": [scheme for scheme, _ in LOSSES]},
    },
}
if REFERENCES:
    REPORT_TABLES["comparisons"] = {
        "title": "Who beats whom",
        "category": "results",
        "subcategory": PART["comparisons"],
        "files": {"comparisons": f"{EVALUATED}/comparisons.tsv", "vega": VEGA},
    }
if CONTROLLED:
    REPORT_TABLES["controls"] = {
        "title": "Controls of the CIM",
        "category": "results",
        "subcategory": PART["controls"],
        "files": {"controls": f"{EVALUATED}/controls.tsv"},
    }
if ABLATIONS:
    REPORT_TABLES["ablations"] = {
        "title": "The paper's tables 3 to 6",
        "category": "results",
        "subcategory": PART["paper"],
        "files": {"tables": expand(f"{EVALUATED}/{{table}}.tsv", table=ABLATIONS)},
        "facts": {"names": ABLATIONS},
    }
if len(SCHEMES) > 1:
    REPORT_TABLES["schemes"] = {
        "title": "Validation schemes",
        "category": "results",
        "subcategory": PART["scores"],
        "files": {"schemes": f"{EVALUATED}/schemes.tsv"},
    }
if LIBRARIES:
    REPORT_TABLES["libraries"] = {
        "title": "Hi-C libraries",
        "category": "contacts",
        "files": {"libraries": f"{RESULTS}/contacts/libraries.tsv"},
    }

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
