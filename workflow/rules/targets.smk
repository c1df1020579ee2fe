# What a whole run makes, and what it says at the end.
from soyfold.summary import print_summary

CONTROLS = ["permuted", "expected", "identity", "constant", "zero"]
TARGETS = {
    "qc": f"{RESULTS}/genotypes/qc_counts.tsv",
    "accuracy": f"{RESULTS}/imputation/accuracy.tsv",
    "cim_sums": f"{RESULTS}/contacts/cim_sums.tsv",
    "controls": expand(f"{RESULTS}/contacts/cim_{{control}}.tsv", control=CONTROLS),
    "joins": f"{RESULTS}/cohort/join_report.tsv",
    "scores": f"{RESULTS}/evaluation/scores.tsv",
    "tables": list(TABLES.values()),
    "figures": [
        f"{RESULTS}/report/figures/cim.png",
        *expand(
            f"{RESULTS}/report/figures/{{figure}}_{{trait}}.png",
            figure=["learning_curves", "predictions"],
            trait=TRAITS,
        ),
    ],
}


onsuccess:
    if all(Path(table).is_file() for table in TABLES.values()):
        print_summary(study=SETTINGS["title"], results=RESULTS, tables=TABLES)
