"""What a run ends with on the terminal: the tables, and where everything is."""

from pathlib import Path

import pandas as pd

from soyfold.comparisons import ALL
from soyfold.evaluation import PAPER_METRICS
from soyfold.files import read_table

STOREYS = [
    "genotypes", "imputation", "contacts", "cohort", "training", "evaluation", "interpretation",
    "report",
]  # fmt: skip

MOST_TRAITS = 5  # whose comparisons are printed each; four and the mean over them


def _cell(row):
    if pd.isna(row["mean"]):
        return "NA"
    return f"{row['mean']:.3f}" + ("" if pd.isna(row.sd) else f" ({row.sd:.3f})")


def _number(value, form=".3f"):
    return "NA" if pd.isna(value) else f"{value:{form}}"


def _interval(row):
    """A paired difference with its interval, where it has one."""
    if pd.isna(row.low):
        return _number(row.difference, "+.3f")
    return f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"


def format_trait_table(path, *, title):
    """One of the trait tables as text: models down, the paper's metrics across, mean (sd).

    Parameters
    ----------
    path : path-like
        A file that `evaluation.trait_table` gave.
    title : str

    Returns
    -------
    str
    """
    table = read_table(path, required=("metric", "model", "mean", "sd", "paper"))
    models = list(dict.fromkeys(table.model))
    columns = {"model": models}
    for metric in PAPER_METRICS:
        rows = table[table.metric == metric].set_index("model")
        if rows.empty:
            continue
        columns[metric] = [_cell(rows.loc[m]) if m in rows.index else "" for m in models]
        if rows.paper.notna().any():
            columns[f"{metric} paper"] = [
                f"{rows.paper[m]:.3f}" if m in rows.index and pd.notna(rows.paper[m]) else ""
                for m in models
            ]
    first = table.iloc[0]
    seeds = f"{first.seeds} seed{'s' if first.seeds > 1 else ''}"
    presets = ", ".join(dict.fromkeys(table.preset.dropna())) or "none"
    cims = ", ".join(name for name in dict.fromkeys(table.cim.dropna()) if name != "none") or "none"
    widths = {name: max(len(name), *map(len, cells)) for name, cells in columns.items()}
    lines = [f"{title} (test lines, mean (sd) over {seeds}; CIM {cims}; preset {presets})"]
    lines.append("  ".join(name.ljust(widths[name]) for name in columns).rstrip())
    for i in range(len(models)):
        lines.append("  ".join(columns[n][i].ljust(widths[n]) for n in columns).rstrip())
    guarded = table.dropna(subset="guards").drop_duplicates("model")
    lines.extend(f"! {row.model}: {row.guards}" for row in guarded.itertuples())
    return "\n".join(lines)


def format_controls(path):
    """controls.tsv as text: per trait and model, test PCC with the real CIM and the permuted ones.

    Parameters
    ----------
    path : path-like
        A file that `controls.compare_controls` gave.

    Returns
    -------
    str
        Empty without permuted CIMs.
    """
    table = read_table(path, required=("trait", "label", "metric", "control", "rank"))
    rows = table[(table.metric == "PCC") & (table.control == "permuted")]
    lines = [
        {
            "trait": row.trait,
            "model": row.label,
            "real CIM": _number(row.real),
            "permuted": _number(row.value),
            "difference [95 %]": _interval(row),
            "rank": "NA" if pd.isna(row.rank) else f"{row.rank:.0f} of {row.permutations + 1:.0f}",
            "p": _number(row.permutation_p, ".2g"),
        }
        for row in rows.itertuples()
    ]
    if not lines:
        return ""
    title = (
        f"Does the 3D genome help? Test PCC, real CIM ({rows.real_cim.iloc[0]}) against permuted"
    )
    return f"{title}\n{pd.DataFrame(lines).to_string(index=False)}"


def format_comparisons(path, *, scheme, metric="PCC"):
    """comparisons.tsv as text: each model's difference to each reference, with its interval.

    Parameters
    ----------
    path : path-like
        A file that `comparisons.compare_models` gave.
    scheme, metric : str, keyword only

    Returns
    -------
    str
        Each trait's rows; those of the mean over traits alone where there are many traits.
    """
    table = read_table(path, required=("trait", "scheme", "metric", "label", "reference_label"))
    rows = table[(table.scheme == scheme) & (table.metric == metric)].dropna(subset="difference")
    if rows.trait.nunique() > MOST_TRAITS:
        rows = rows[rows.trait == ALL]
    if rows.empty:
        return ""
    lines = []
    for (trait, label), group in rows.groupby(["trait", "label"], sort=False):
        cells = {
            f"to {row.reference_label}": f"{_interval(row)} {row.wins}/{row.splits}"
            for row in group.itertuples()
        }
        lines.append({"trait": trait, "model": label, **cells})
    title = f"Test {metric}, difference to the references [95 %], splits won"
    return f"{title}\n{pd.DataFrame(lines).fillna('').to_string(index=False)}"


def storey_times(benchmarks):
    """Seconds that each storey's jobs ran, added up, from the rules' benchmark files.

    Parameters
    ----------
    benchmarks : path-like
        results/<study>/benchmarks.

    Returns
    -------
    DataFrame
        storey, jobs, seconds, cpu_seconds, max_rss_mb.
    """
    rows = []
    for storey in STOREYS:
        files = sorted((Path(benchmarks) / storey).rglob("*.tsv"))
        if not files:
            continue
        table = pd.concat([pd.read_csv(file, sep="\t", na_values="-") for file in files])
        rows.append(
            {
                "storey": storey,
                "jobs": len(files),
                "seconds": round(table.s.sum(), 1),
                "cpu_seconds": round(table.cpu_time.sum(), 1),
                "max_rss_mb": round(table.max_rss.max(), 0),
            }
        )
    return pd.DataFrame(rows)


def print_summary(*, study, results, tables, scheme):
    """Print the tables of traits, comparisons and controls, each storey's time, where results are.

    Parameters
    ----------
    study : str
        Title of the study.
    results : path-like
        results/<study>.
    tables : dict of str to path-like
        Trait to its table.
    scheme : str
        The main one, that the tables are about.
    """
    print(f"\n{study}\n{'=' * len(study)}")
    for trait, path in tables.items():
        print(f"\n{format_trait_table(path, title=trait)}")
    folder = Path(results) / "evaluation" / "tables"
    compared = folder / "comparisons.tsv"
    if compared.is_file() and (text := format_comparisons(compared, scheme=scheme)):
        print(f"\n{text}")
    if (folder / "controls.tsv").is_file():
        print(f"\n{format_controls(folder / 'controls.tsv')}")
    times = storey_times(Path(results) / "benchmarks")
    if not times.empty:
        print(f"\nTime by storey (jobs added up)\n{times.to_string(index=False)}")
    names = ", ".join(path.stem for path in sorted(folder.glob("*.tsv")))
    print(f"\ntables   {results}/evaluation/tables/ ({names})")
    print(f"figures  {results}/report/figures/")
    print(f"logs     {results}/logs/")
