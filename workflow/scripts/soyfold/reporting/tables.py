"""Pages of tables: which sections each has, from the study's files."""

from soyfold.reporting import losses, results
from soyfold.reporting.pages import Notes


def scores(files, facts):
    """Every model's test scores. Files: tables (a list), comparisons; facts: traits, scheme,
    units.
    """
    tables = results.read_trait_tables(facts["traits"], files["tables"])
    comparisons = results.read_comparisons(files.get("comparisons"))
    return results.score_sections(tables, comparisons, scheme=facts["scheme"], units=facts["units"])


def comparisons(files, facts):
    """Who beats whom: the forest plot and its table. Files: comparisons."""
    from soyfold.reporting.charts import forest_chart  # altair takes a second to import

    table = results.read_comparisons(files["comparisons"])
    if table.difference.notna().sum() == 0:
        return [Notes("", ["No model to compare: the references are all that was fitted."])]
    return [forest_chart(table), results.comparison_table(table)]


def controls(files, facts):
    """The real CIM against its controls. Files: controls."""
    return results.control_sections(files["controls"])


def ablations(files, facts):
    """The paper's tables 3 to 6. Files: tables (a list); facts: names of the tables."""
    return results.ablation_sections(dict(zip(facts["names"], files["tables"], strict=True)))


def schemes(files, facts):
    """Validation schemes side by side. Files: schemes."""
    return results.scheme_sections(files["schemes"])


def filtering(files, facts):
    """What was lost on the road. Files: qc, joins, accuracy, scores, losses (a list); facts:
    schemes, that of each table of losses.
    """
    by_scheme = {}
    for scheme, path in zip(facts["schemes"], files["losses"], strict=True):
        by_scheme.setdefault(scheme, []).append(path)
    names = ("qc", "joins", "accuracy", "scores")
    return losses.loss_sections(**{name: files[name] for name in names}, losses=by_scheme)


def libraries(files, facts):
    """The Hi-C libraries. Files: libraries."""
    return losses.library_sections(files["libraries"])


SECTIONS = {
    "scores": scores,
    "comparisons": comparisons,
    "controls": controls,
    "ablations": ablations,
    "schemes": schemes,
    "filtering": filtering,
    "libraries": libraries,
}
