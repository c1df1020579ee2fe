# Which pages of tables the HTML report has. No rules here: pages and targets share it.
EVALUATED = f"{RESULTS}/evaluation/tables"
VEGA = f"{RESULTS}/report/interactive/vega.js.gz"
ABLATIONS = [
    *VARIANT_TABLES,
    *(["table3_cost"] if SETTINGS["evaluation"]["paper_tables"] and COSTED else []),
]
LOSSES = list(split_losses())
ENVIRONMENTS = sorted((settings.HOME / "envs").glob("*.yaml"))
INTERPRETATION_PAGES = ["fits", "gwas_summary", "overlap", "qtl_recovery", "chromosomes"]
OPENING = f"{RESULTS}/report/opening.rst"

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

WHY_TABLES = [path for path in INTERPRETED if Path(path).stem in INTERPRETATION_PAGES]
if WHY_TABLES:
    REPORT_TABLES["interpretation"] = {
        "title": "What moves the predictions",
        "category": "interpretation",
        "files": {"tables": WHY_TABLES},
        "facts": {"names": [Path(path).stem for path in WHY_TABLES]},
    }
