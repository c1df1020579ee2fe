"""Figures that the report's rules draw: what each is drawn from, and where it stands."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """A figure of the report, drawn by the script `plot_<name>`.

    Attributes
    ----------
    title, category, part : str
        As `Report.place` takes them; wildcards in braces.
    message : str
        What the job says, after the storey.
    files, params : dict
        Inputs and parameters by name.
    suffix : str
        Wildcards that file and log end with.
    stem, caption : str, optional
        Of the files, and of the text below `workflow/report`; the name where they aren't given.
    constraints : dict
        Regular expressions by wildcard.
    """

    title: str
    category: str
    message: str
    files: dict
    part: str | None = None
    params: dict = field(default_factory=dict)
    suffix: str = ""
    stem: str | None = None
    caption: str | None = None
    constraints: dict = field(default_factory=dict)


def figures_of(study, *, metrics):
    """All figures by name, whether this study asks for them or not.

    Parameters
    ----------
    study : Study
    metrics : iterable of str
        That figures of the comparisons may show.

    Returns
    -------
    dict of str to Figure
    """
    fits, tables = study.fits, f"{study.results}/evaluation/tables"
    return {
        "learning_curves": Figure(
            "Learning curves of {trait}", "curves", "learning curves of {wildcards.trait}",
            {"histories": lambda wildcards: fits.files(
                fits.trained(wildcards.trait), "history.tsv")},
            params={"fits": lambda wildcards: fits.trained(wildcards.trait)},
            suffix="_{trait}",
        ),
        "predictions": Figure(
            "{trait}, all models", "results", "observed against predicted {wildcards.trait}",
            {"predictions": fits.files_of("predictions.tsv")},
            part="lines",
            params={
                "fits": lambda wildcards: fits.of(wildcards.trait),
                "unit": lambda wildcards: study.traits[wildcards.trait]["unit"],
            },
            suffix="_{trait}",
        ),
        "controls": Figure(
            "Figure", "results", "the real CIM against its controls",
            {"table": f"{tables}/controls.tsv"},
            part="controls", caption="controls_figure",
        ),
        "hypotheses": Figure(
            "Figure", "results", "hypotheses beside their copies",
            {"table": f"{tables}/hypotheses.tsv", "scores": study.hypotheses.scores},
            part="hypotheses", caption="hypotheses_figure",
        ),
        "transfer": Figure(
            "Figure", "results", "curves over the lines with a value",
            {"table": study.transfer.table},
            part="transfer", caption="transfer_figure",
        ),
        "knock_outs": Figure(
            "Groups knocked out", "interpretation", "groups knocked out",
            {"table": f"{study.interpretation.folder}/knock_outs.tsv"},
        ),
        "genetic_correlations": Figure(
            "Heritability and correlations", "interpretation", "correlations of traits",
            {
                "parameters": f"{study.interpretation.folder}/genetic_parameters.tsv",
                "correlations": f"{study.interpretation.folder}/genetic_correlations.tsv",
            },
        ),
        "comparisons": Figure(
            "{metric}, {scheme}", "results",
            "models against the references, {wildcards.metric}, scheme {wildcards.scheme}",
            {"table": f"{tables}/comparisons.tsv"},
            part="comparisons", caption="comparisons_figure", suffix="_{scheme}_{metric}",
            constraints={"metric": "|".join(metrics)},
        ),
        "attention": Figure(
            "Attention, {trait}", "contacts", "attention between chromosomes, {wildcards.trait}",
            {
                "cim": f"{study.results}/contacts/cim.tsv",
                "variants": f"{study.results}/cohort/variants.tsv",
                "attention": study.report.attention("attention.tsv"),
                "estimates": study.report.attention("estimates.tsv"),
            },
            params={"fits": lambda wildcards: fits.attentive(wildcards.trait)},
            suffix="_{trait}",
        ),
        "pairs": Figure(
            "Pairs of chromosomes, {trait}", "contacts",
            "contacts and what was learned of pairs of chromosomes, {wildcards.trait}",
            {"pairs": f"{study.interpretation.folder}/pair_weights.tsv"},
            params={"labels": lambda wildcards: {
                fit["model"]: fit["label"] for fit in fits.paired(wildcards.trait)}},
            suffix="_{trait}", stem="pair_weights", caption="pair_weights",
        ),
        "motif_bias": Figure(
            "Pairs of classes of variants", "interpretation",
            "what attention learned of pairs of classes of variants",
            {"table": f"{study.interpretation.folder}/motif_bias.tsv"},
            params={"labels": {
                fit["model"]: fit["label"] for fit in study.interpretation.motif_biased}},
        ),
        "tuning": Figure(
            "Search for {model}, {trait}", "curves",
            "the search for {wildcards.model}'s hyperparameters for {wildcards.trait}",
            {"trials": f"{study.results}/training/{{trait}}/{{model}}/tuning/trials.tsv"},
            params={"label": lambda wildcards: study.models[wildcards.model]["label"]},
            suffix="_{trait}_{model}",
            constraints={"trait": study.any_of(study.traits), "model": fits.tuned_names},
        ),
    }  # fmt: skip
