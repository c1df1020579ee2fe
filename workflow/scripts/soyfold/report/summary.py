"""What a run ends with on the terminal: one screen, and where everything is."""

import os
import sys
import threading
from pathlib import Path

import pandas as pd

from soyfold.common.decimals import decimals, difference_text
from soyfold.common.files import read_table
from soyfold.evaluation.controls import LIKELIHOODS, is_permuted
from soyfold.evaluation.verdicts import NOTHING, best_models, fired_guards

STOREYS = [
    "genotypes", "imputation", "contacts", "cohort", "training", "evaluation", "interpretation",
    "prediction", "report",
]  # fmt: skip
WIDTH = 80
MOST_TRAITS = 8  # that are told one by one; the report has all
GREEN, PLAIN = "\033[32m", "\033[0m"


def _span(values):
    """Whole numbers as `low` or `low to high`."""
    low, high = int(min(values)), int(max(values))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _rank_by_likelihood(judged, trait, label):
    """The real CIM's rank by a kernel's likelihood; `-` for models without one."""
    if (trait, label) not in judged.index:
        return "-"
    row = judged.loc[(trait, label)]
    return f"{row['rank']:.0f} of {row.permutations + 1:.0f}, p {row.permutation_p:.2g}"


def format_controls(path, *, permuted=0):
    """controls.tsv as text: per trait and model, test PCC with the real CIM and the permuted ones.

    Parameters
    ----------
    path : path-like
        A file that `controls.compare_controls` gave.
    permuted : int, keyword only
        How many permuted CIMs the study asks for.

    Returns
    -------
    str
        Empty without permuted CIMs.
    """
    table = read_table(path, required=("trait", "label", "metric", "control", "rank"))
    pooled = table[table.control == "permuted"]
    judged = pooled[pooled.metric.isin(LIKELIHOODS)].set_index(["trait", "label"])
    rows = pooled[pooled.metric == "PCC"]
    lines = [
        {
            "trait": row.trait,
            "model": row.label,
            "real CIM": decimals(row.real),
            "permuted": decimals(row.value),
            "difference [95 %]": difference_text(row.difference, row.low, row.high),
            "rank": "NA" if pd.isna(row.rank) else f"{row.rank:.0f} of {row.permutations + 1:.0f}",
            "p": "NA" if pd.isna(row.permutation_p) else f"{row.permutation_p:.2g}",
        }
        for row in rows.itertuples()
    ]
    if not lines:
        return ""
    if len(judged):
        for line in lines:
            line["by likelihood"] = _rank_by_likelihood(judged, line["trait"], line["model"])
    title = (
        f"Does the 3D genome help? Test PCC, real CIM ({rows.real_cim.iloc[0]}) against permuted"
    )
    text = f"{title}\n{pd.DataFrame(lines).to_string(index=False)}"
    found = table.control[table.control.map(is_permuted)].nunique()
    if found < permuted:
        text += f"\n! {found} permuted CIMs of {permuted}: this CIM has no others that differ"
    return text


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


def losses(results):
    """What each storey took in and handed on, in a few words.

    Parameters
    ----------
    results : path-like
        results/<study>.

    Returns
    -------
    dict of str to str
        Storey to its words; only storeys whose tables are there.
    """
    results = Path(results)
    tellers = {
        "genotypes": ("genotypes/qc_counts.tsv", _tell_filters),
        "imputation": ("imputation/accuracy.tsv", _tell_accuracy),
        "contacts": ("contacts/libraries.tsv", _tell_libraries),
        "cohort": ("cohort/join_counts.tsv", _tell_joins),
        "training": ("evaluation/scores.tsv", _tell_fits),
    }
    return {
        storey: tell(read_table(results / path))
        for storey, (path, tell) in tellers.items()
        if (results / path).is_file()
    }


def _tell_filters(table):
    first, last = table.iloc[0], table.iloc[-1]
    return (
        f"{first.samples_left:,} to {last.samples_left:,} samples,"
        f" {first.variants_left:,} to {last.variants_left:,} SNPs"
    )


def _tell_accuracy(table):
    masked = table[table.masked > 0]
    if masked.empty:
        return f"{table.missing_before.sum():,.0f} missing calls"
    mean = (masked.concordance * masked.masked).sum() / masked.masked.sum()
    return f"{table.missing_before.sum():,.0f} missing calls, {mean:.1%} of masked right"


def _tell_libraries(table):
    dropped = table.contacts_dropped.sum()
    return f"{len(table)} libraries, {table.contacts.sum():,.0f} contacts, {dropped:,.0f} lost"


def _tell_joins(table):
    joined = table[table.status == "matched"].groupby("trait")["count"].sum()
    lost = table[table.status != "matched"].groupby("trait")["count"].sum()
    lost = lost.reindex(joined.index, fill_value=0)
    return f"{len(joined)} traits: {_span(joined)} joined, {_span(lost)} lost"


def _tell_fits(table):
    fits = table[["trait", "model", "scheme", "seed"]].drop_duplicates()
    return f"{len(fits):,} fits, {table[table.role == 'model'].model.nunique()} models"


def format_storeys(results):
    """A line a storey: a tick, jobs, time, and what it lost.

    Parameters
    ----------
    results : path-like
        results/<study>.

    Returns
    -------
    list of (str, str)
        The storey's name and the rest of its line.
    """
    words = losses(results)
    lines = []
    for row in storey_times(Path(results) / "benchmarks").itertuples():
        minutes, seconds = divmod(round(row.seconds), 60)
        hours, minutes = divmod(minutes, 60)
        ran = f"{row.jobs:>4} jobs {hours:>3}:{minutes:02}:{seconds:02}"
        lines.append((row.storey, f"{ran}  {words.get(row.storey, '')}".rstrip()))
    return lines


def format_best(tables, comparisons, *, scheme):
    """The best model of each trait, its PCC, its difference to the reference.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Trait to its table, as `scores.trait_table` returns it.
    comparisons : DataFrame or None
    scheme : str, keyword only

    Returns
    -------
    str
        Empty without a trait.
    """
    best = best_models(tables, comparisons, scheme=scheme)
    if best.empty:
        return ""
    reference = best.reference.dropna()
    to = f"to {reference.iloc[0]} [95 %]" if len(reference) else "no reference"
    cells = [
        (row.trait, NOTHING, "", "") if pd.isna(row.model) else
        (row.trait, row.model,
         decimals(row.mean) + ("" if pd.isna(row.sd) else f" ({decimals(row.sd)})"),
         "is it" if row.model == row.reference else
         "" if pd.isna(row.difference) else difference_text(row.difference, row.low, row.high))
        for row in best.head(MOST_TRAITS).itertuples()
    ]  # fmt: skip
    table = pd.DataFrame(cells, columns=["trait", "best model", "test PCC", to])
    lines = [table.to_string(index=False)]
    if len(best) > MOST_TRAITS:
        lines.append(f"... and {len(best) - MOST_TRAITS} traits more")
    return "\n".join(lines)


def format_guards(tables):
    """What no honest fit shows: one line a guard, with the fits that it fired for."""
    return [f"! {guard}: {', '.join(fits)}" for guard, fits in fired_guards(tables).items()]


def _fitted(text):
    """A line cut to the width of a terminal."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


def _tick():
    """What stands before a finished storey: a tick where the terminal can show one."""
    able = "utf" in (sys.stdout.encoding or "").lower()
    mark = "\N{CHECK MARK}" if able else "+"
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"{GREEN}{mark}{PLAIN}" if coloured else mark


def drop_timers():
    """Cancel what would look at the jobs again: an ended run would wait for the last of them."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def print_summary(*, study, results, tables, scheme, study_file=None, permuted=0):
    """Print storeys with what they lost, the best models, guards, controls, where results are.

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
    study_file : str, optional
        For the command that writes the report.
    permuted : int, optional
        How many permuted CIMs the study asks for.
    """
    folder = Path(results) / "evaluation" / "tables"
    compared = folder / "comparisons.tsv"
    comparisons = read_table(compared, dtype={"trait": str}) if compared.is_file() else None
    read = {trait: read_table(path, required=("metric", "model")) for trait, path in tables.items()}
    print(f"\n{study}\n{'=' * min(len(study), WIDTH)}")
    for storey, text in format_storeys(results):
        print(f"{_tick()} {_fitted(f'{storey:<14}{text}')}")
    best = format_best(read, comparisons, scheme=scheme)
    guards = format_guards(read)
    for block in (best, "\n".join(map(_fitted, guards))):
        if block:
            print(f"\n{block}")
    if (folder / "controls.tsv").is_file():
        print(f"\n{format_controls(folder / 'controls.tsv', permuted=permuted)}")
    names = [path.stem for path in sorted(folder.glob("*.tsv"))]
    listed = ", ".join(names)
    made = listed if len(listed) <= WIDTH // 2 else f"{len(names)} tables"
    report = Path(results) / "report" / "report.html"
    how = "" if report.is_file() else f" (make report STUDY={study_file})" if study_file else ""
    print(f"\ntables   {results}/evaluation/tables/ ({made})")
    print(f"figures  {results}/report/figures/\nlogs     {results}/logs/")
    print(f"report   {report}{how}")
