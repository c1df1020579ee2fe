"""Which pages of tables the report has, where they stand in it, and what they show."""

from dataclasses import dataclass, field
from pathlib import Path

# Categories of the HTML report, in the order of its menu, which sorts them by name: `numbered`.
CATEGORIES = {
    "results": "Results",
    "quality": "Quality control",
    "contacts": "Chromosome contacts",
    "curves": "Learning curves",
    "interpretation": "Interpretation",
    "predictions": "Predictions",
    "selection": "What next",
    "methods": "Methods and versions",
}
# Parts of the results, in their order.
PARTS = {
    "scores": "Scores",
    "comparisons": "Who beats whom",
    "controls": "Controls of the CIM",
    "hypotheses": "Hypotheses",
    "transfer": "Few lines of a trait",
    "lines": "Line by line",
    "paper": "The paper's tables",
}
# Tables of the interpretation that its page shows.
EXPLAINING = (
    "fits",
    "gwas_summary",
    "overlap",
    "qtl_recovery",
    "chromosomes",
    "pair_weights",
    "knock_outs",
)


@dataclass(frozen=True)
class Page:
    """A page of tables: its title, place, inputs by name, and facts beside them."""

    title: str
    files: dict
    category: str = "results"
    part: str | None = None
    facts: dict = field(default_factory=dict)


def numbered(names, shown):
    """Names by key with their numbers, of those shown without a gap; the others bare.

    Parameters
    ----------
    names : dict of str to str
        In their order.
    shown : collection of str
        Keys.

    Returns
    -------
    dict of str to str
    """
    order = [key for key in names if key in shown]
    numbers = {key: f"{number} " for number, key in enumerate(order, start=1)}
    return {key: numbers.get(key, "") + name for key, name in names.items()}


def pages_of(study):
    """The pages of a study by name: those that it has something for.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of str to Page
    """
    pages = {name: page(study) for name, page in PAGES.items()}
    return {name: page for name, page in pages.items() if page}


def _scores(study):
    files = {"tables": list(study.evaluation.trait_tables.values())}
    if study.references:
        files["comparisons"] = f"{study.evaluation.folder}/comparisons.tsv"
    facts = {
        "traits": list(study.traits),
        "scheme": study.scheme,
        "units": {trait: row["unit"] for trait, row in study.traits.items()},
    }
    return Page("Scores", files, part="scores", facts=facts)


def _filtering(study):
    files = {
        "qc": f"{study.genotyped}/genotypes/qc_counts.tsv",
        "joins": f"{study.results}/cohort/join_counts.tsv",
        "accuracy": f"{study.genotyped}/imputation/accuracy.tsv",
        "scores": f"{study.results}/evaluation/scores.tsv",
        "lost": [path for _, path in study.inputs.lost],
    }
    if study.inputs.covariates:
        files["covariates"] = f"{study.results}/cohort/covariate_counts.tsv"
    facts = {"schemes": [scheme for scheme, _ in study.inputs.lost]}
    return Page("Lines and SNPs lost at each step", files, "quality", facts=facts)


def _comparisons(study):
    table = f"{study.evaluation.folder}/comparisons.tsv"
    files = {"comparisons": table, "vega": study.report.vega}
    return study.references and Page("Who beats whom", files, part="comparisons")


def _controls(study):
    files = {"controls": f"{study.evaluation.folder}/controls.tsv"}
    return study.evaluation.controlled and Page("Controls of the CIM", files, part="controls")


def _hypotheses(study):
    files = {"table": f"{study.evaluation.folder}/hypotheses.tsv"}
    files["counts"] = study.hypotheses.files("groups.tsv")
    facts = {"names": study.hypotheses.names}
    title = "Hypotheses of SNPs that act together"
    return study.hypotheses.names and Page(title, files, part="hypotheses", facts=facts)


def _transfer(study):
    files = {"table": study.transfer.table}
    title = "Traits learnt from few lines, alone and beside others"
    return study.transfer.targets and Page(title, files, part="transfer")


def _ablations(study):
    names = study.evaluation.ablations
    files = {"tables": [f"{study.evaluation.folder}/{name}.tsv" for name in names]}
    facts = {"names": names}
    return names and Page("The paper's tables 3 to 6", files, part="paper", facts=facts)


def _schemes(study):
    files = {"schemes": f"{study.evaluation.folder}/schemes.tsv"}
    return len(study.schemes) > 1 and Page("Validation schemes", files, part="scores")


def _libraries(study):
    files = {"libraries": f"{study.results}/contacts/libraries.tsv"}
    return study.libraries and Page("Hi-C libraries", files, "contacts")


def _interpretation(study):
    tables = [path for path in study.interpretation.tables if Path(path).stem in EXPLAINING]
    facts = {"names": [Path(path).stem for path in tables]}
    title = "What moves the predictions"
    return tables and Page(title, {"tables": tables}, "interpretation", facts=facts)


def _variant_classes(study):
    files = {"counts": study.inputs.class_tables["counts"]}
    if study.interpretation.motif_biased:
        files["bias"] = f"{study.interpretation.folder}/motif_bias.tsv"
    return study.inputs.classed and Page("Classes of variants", files, "interpretation")


def _genetic_parameters(study):
    files = study.interpretation.parameters
    return files and Page("What the traits inherit", files, "interpretation")


PAGES = {
    "scores": _scores,
    "filtering": _filtering,
    "comparisons": _comparisons,
    "controls": _controls,
    "hypotheses": _hypotheses,
    "transfer": _transfer,
    "ablations": _ablations,
    "schemes": _schemes,
    "libraries": _libraries,
    "interpretation": _interpretation,
    "genetic_parameters": _genetic_parameters,
    "variant_classes": _variant_classes,
}
