# What a whole run makes, and what it says at the end.
import threading

from soyfold.prediction.summary import print_prediction
from soyfold.report.summary import print_summary

EVALUATION_TABLES = [
    *VARIANT_TABLES,
    *(["comparisons"] if REFERENCES else []),
    *(["table3_cost"] if SETTINGS["evaluation"]["paper_tables"] and COSTED else []),
    *(["controls"] if CONTROLLED else []),
    *(["schemes"] if len(SCHEMES) > 1 else []),
]
TARGETS = {
    "qc": f"{RESULTS}/genotypes/qc_counts.tsv",
    "accuracy": f"{RESULTS}/imputation/accuracy.tsv",
    "cim_sums": f"{RESULTS}/contacts/cim_sums.tsv",
    "controls": expand(f"{RESULTS}/contacts/cim_{{control}}.tsv", control=cim.CONTROLS),
    "joins": f"{RESULTS}/cohort/join_report.tsv",
    "scores": f"{RESULTS}/evaluation/scores.tsv",
    "released": [f"{folder}/released.tsv" for folder in RELEASED],
    "tables": [
        *TABLES.values(),
        *expand(f"{RESULTS}/evaluation/tables/{{table}}.tsv", table=EVALUATION_TABLES),
    ],
    "interpretation": INTERPRETED,
    "figures": [
        f"{RESULTS}/report/figures/cim.png",
        *expand(
            f"{RESULTS}/report/figures/{{figure}}_{{trait}}.png",
            figure=["learning_curves", "predictions"],
            trait=TRAITS,
        ),
        *expand(f"{RESULTS}/report/figures/attention_{{trait}}.png", trait=ATTENTIVE),
        *([f"{RESULTS}/report/figures/controls.png"] if CONTROLLED else []),
        *expand(
            f"{RESULTS}/report/figures/comparisons_{{scheme}}_{{metric}}.png",
            scheme=SCHEMES if REFERENCES else [],
            metric=["PCC", "R2", "selection_efficiency"],
        ),
        *[f"{RESULTS}/report/figures/tuning_{trait}_{model}.png" for trait, model in TUNED],
    ],
    "pages": [
        *expand(f"{RESULTS}/report/tables/{{page}}.html", page=REPORT_TABLES),
        *expand(f"{RESULTS}/report/interactive/predictions_{{trait}}.html", trait=TRAITS),
        *expand(f"{RESULTS}/report/interactive/manhattan_{{trait}}.html", trait=SCANNED),
        f"{RESULTS}/report/tables/methods.html",
        OPENING,
    ],
}


def drop_timers():
    """Cancel what would look at the jobs again: a run that has ended waited for the last of them."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


onerror:
    drop_timers()


onsuccess:
    drop_timers()
    if NEW_FILE:
        if Path(rules.predict_lines.output.predictions).is_file():
            print_prediction(NEW_LINES, title=SETTINGS["title"])
    elif all(Path(table).is_file() for table in TABLES.values()):
        print_summary(
            study=SETTINGS["title"],
            results=RESULTS,
            tables=TABLES,
            scheme=SCHEME,
            study_file=STUDY_FILE,
            permuted=(SETTINGS["evaluation"]["controls"] or {}).get("permuted", 0),
        )
