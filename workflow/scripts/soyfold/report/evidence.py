"""A study's outcome as Markdown: what docs/evidence holds, made anew by one command."""

import shutil
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, staged
from soyfold.evaluation.controls import LIKELIHOODS
from soyfold.report import evidence_sections as sections
from soyfold.report.summary import storey_times

# Metrics whose differences are kept as a table.
KEPT = ("PCC", "R2", "selection_efficiency", *LIKELIHOODS)
KINDS = ("comparisons", "controls", "hypotheses", "transfer")  # tables of differences
FIGURES = {
    "PCC": "Differences in PCC", "R2": "Differences in R2", "controls": "The CIM and its controls",
    "hypotheses": "Hypotheses and their copies", "knock_outs": "Groups knocked out",
    "transfer": "R2 over the lines with a value",
}  # fmt: skip
PAIRS, KNOCKED_OUT = "pair_weights", "knock_outs"  # tables of the interpretation


def evidence(results, *, scheme):
    """A study's outcome as Markdown.

    Parameters
    ----------
    results : path-like
        results/<study>, finished.
    scheme : str, keyword only
        The main validation scheme.

    Returns
    -------
    str

    Raises
    ------
    UserError
        If the study has no comparisons, controls, hypotheses or transfer yet.
    """
    results = Path(results)
    tables = results / "evaluation" / "tables"
    comparisons, controls, hypotheses, transfer = (tables / f"{name}.tsv" for name in KINDS)
    knocked, pairs = (results / "interpretation" / f"{name}.tsv" for name in (KNOCKED_OUT, PAIRS))
    if not any(path.is_file() for path in (comparisons, controls, hypotheses, transfer)):
        raise UserError("no such file", file=comparisons, mend="run the study to its end first")
    parts = []
    if comparisons.is_file():
        scores = read_table(results / "evaluation" / "scores.tsv", low_memory=False)
        parts += sections.compared(read_table(comparisons), scores, scheme)
        parts += [text for text in [sections.schemes(results, scheme)] if text]
    if controls.is_file():
        parts.append(sections.controls(controls))
    parts += [
        text
        for path, told in (
            (hypotheses, sections.hypotheses),
            (knocked, sections.knock_outs),
            (transfer, sections.transfer),
            (pairs, sections.pairs),
        )
        if path.is_file() and (text := told(path))
    ]
    times = storey_times(results / "benchmarks")
    hours = times.seconds.sum() / 3600
    parts.append(
        f"## What it took\n\n{hours:.2f} hours of jobs, added up.\n\n{sections.markdown(times, 0)}"
    )
    return "\n\n".join(parts) + "\n"


def write_evidence(results, folder, *, scheme, command, title, version):
    """Write <study>.md, its tables of differences and figures into a folder of documents.

    Parameters
    ----------
    results, folder : path-like
    scheme, command, title, version : str, keyword only
        The main scheme; how the study is run; its title; the soyfold that ran it.
    """
    results, folder = Path(results), Path(folder)
    text = evidence(results, scheme=scheme)
    study = results.name
    folder.mkdir(parents=True, exist_ok=True)
    parts = [f"# {title}", f"`{command}`, soyfold {version}"]
    for kind in KINDS:
        source = results / "evaluation" / "tables" / f"{kind}.tsv"
        if source.is_file():
            _copy_table(source, folder / f"{study}_{kind}.tsv")
            parts.append(f"[All {kind}]({study}_{kind}.tsv)")
    pairs = results / "interpretation" / f"{PAIRS}.tsv"
    if pairs.is_file():
        _copy(read_table(pairs), folder / f"{study}_{PAIRS}.tsv")
        parts.append(f"[All pairs of chromosomes]({study}_{PAIRS}.tsv)")
    figures = {name: f"comparisons_{scheme}_{name}" for name in ("PCC", "R2")}
    alike = {name: name for name in ("controls", "hypotheses", "knock_outs", "transfer")}
    for name, figure in {**figures, **alike}.items():
        source = results / "report" / "figures" / f"{figure}.png"
        if source.is_file():
            shutil.copyfile(source, folder / f"{study}_{name}.png")
            parts.append(f"![{FIGURES[name]}]({study}_{name}.png)")
    (folder / f"{study}.md").write_text("\n\n".join([*parts, text]), encoding="utf-8")


def _copy_table(source, target):
    """Copy a table's differences in the metrics that are kept; of transfer what they are of too."""
    table = read_table(source)
    kept = table[table.metric.isin(KEPT)]
    _copy(kept if "arm" in kept else kept.dropna(subset="difference"), target)


def _copy(table, target):
    """Write a table of documents: five figures a number."""
    with staged(target) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep="NA", float_format="%.5g")
