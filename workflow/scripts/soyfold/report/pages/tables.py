"""Pages of tables: which sections each has, from the study's files."""

from soyfold.report.pages import inherited, lost, results, selection, side_by_side
from soyfold.report.pages.pages import Notes
from soyfold.report.pages.plain import plain_table
from soyfold.report.pages.untested import prediction_table


def scores(files, facts):
    """Every model's test scores. Files: tables (a list), comparisons; facts: traits, scheme,
    units.
    """
    tables = results.read_trait_tables(facts["traits"], files["tables"])
    comparisons = results.read_comparisons(files.get("comparisons"))
    return results.score_sections(tables, comparisons, scheme=facts["scheme"], units=facts["units"])


def comparisons(files, facts):
    """Who beats whom: the forest plot and its table. Files: comparisons."""
    from soyfold.report.pages.charts import forest_chart  # altair takes a second to import

    table = results.read_comparisons(files["comparisons"])
    if table.difference.notna().sum() == 0:
        return [Notes("", ["No model to compare: the references are all that was fitted."])]
    return [forest_chart(table), results.comparison_table(table)]


def controls(files, facts):
    """The real CIM against its controls. Files: controls."""
    return results.control_sections(files["controls"])


def hypotheses(files, facts):
    """Hypotheses against none and their copies. Files: table, counts (a list); facts: names."""
    counts = zip(facts["names"], files["counts"], strict=True)
    return [
        results.hypothesis_table(files["table"]),
        *(plain_table(path, f"Groups of {name}", names=("group",)) for name, path in counts),
    ]


def transfer(files, facts):
    """Accuracy over the lines with a value of a trait. Files: table."""
    return [results.transfer_table(files["table"])]


def ablations(files, facts):
    """The paper's tables 3 to 6. Files: tables (a list); facts: names of the tables."""
    return side_by_side.ablation_sections(dict(zip(facts["names"], files["tables"], strict=True)))


def schemes(files, facts):
    """Validation schemes side by side. Files: schemes."""
    return side_by_side.scheme_sections(files["schemes"])


def filtering(files, facts):
    """What was lost on the road. Files: qc, joins, accuracy, scores, lost (a list), covariates (of
    a study that has some); facts: schemes, that of each table of lost lines.
    """
    by_scheme = {}
    for scheme, path in zip(facts["schemes"], files["lost"], strict=True):
        by_scheme.setdefault(scheme, []).append(path)
    names = ("qc", "joins", "accuracy", "scores")
    told = {name: files[name] for name in names} | {"covariates": files.get("covariates")}
    return lost.lost_sections(**told, lost=by_scheme)


def libraries(files, facts):
    """The Hi-C libraries. Files: libraries."""
    return lost.library_sections(files["libraries"])


# Title and note of what interpretation leaves, in the order of reading.
INTERPRETED = {
    "fits": (
        "Do the fits agree?",
        "Importance that differs from seed to seed is none: read seed_agreement first.",
    ),
    "gwas_summary": (
        "Association scans",
        "lambda_gc well above 1: inflated, read p with care; threshold: of p, after Bonferroni.",
    ),
    "overlap": (
        "Top loci of the models near the scan's",
        "share: of the model's loci; expected, low, high: of as many random places.",
    ),
    "qtl_recovery": ("Known QTL near top loci", "Beside what random loci find."),
    "chromosomes": (
        "Importance by chromosome",
        "share: of the importance; snp_share: of the SNPs, what chance would give.",
    ),
    "pair_weights": (
        "Pairs of chromosomes whose SNPs interact",
        "contacts, weight: over their means; share: of the genetic variance; agreement: rank"
        " correlation of the shares between splits; p: against shuffled traits, for all pairs of a"
        " trait together (interpretation.pair_permutations). A weight above 1 alone is no proof.",
    ),
    "knock_outs": (
        "Groups of hypotheses knocked out",
        "Dosages of a group at their training means, on the first split, and in a network no other"
        " group attends to it: mean_change in the trait's unit; spread_change of the predictions'"
        " sd; moved: rms over that sd; R2 with the mean put back; _random: as many SNPs elsewhere"
        " on the same chromosomes, as close together.",
    ),
}


def interpretation(files, facts):
    """What moves the predictions. Files: tables (a list); facts: names of the tables."""
    by_name = dict(zip(facts["names"], files["tables"], strict=True))
    return [
        plain_table(by_name[name], title, names=("trait", "model"), note=note)
        for name, (title, note) in INTERPRETED.items()
        if name in by_name
    ]


def genetic_parameters(files, facts):
    """Heritabilities and correlations. Files: genetic_parameters, genetic_correlations (of several
    traits).
    """
    return inherited.parameter_sections(files)


def variant_classes(files, facts):
    """Classes of variants, and what attention learned of them. Files: counts, bias (of models that
    read them).
    """
    note = (
        "fitting: would be of it if no class came first; ref_differs: REF isn't the reference's, so"
        " they are of no motif."
    )
    counts = plain_table(files["counts"], "Variants", names=("class",), note=note)
    if "bias" not in files:
        return [counts]
    names = ("trait", "model", "class", "class_2")
    note = (
        "bias: added to the logit where a query of the class meets a key of class_2; a mean within"
        " twice its sd over splits says nothing."
    )
    return [counts, plain_table(files["bias"], "Pairs of classes", names=names, note=note)]


def untested(files, facts):
    """Predictions of untested lines. Files: predictions, alignment; facts: best, the model by trait
    as `verdicts.best_names` gives it.
    """
    return [
        prediction_table(files["predictions"], facts["best"]),
        plain_table(files["alignment"], "What became of the SNPs", names=("of", "what")),
    ]


def lines(files, facts):
    """Lines to advance. Files: lines, index, and gains where test lines tell of them."""
    return selection.line_sections(files)


def crosses(files, facts):
    """Crosses to make. Files: crosses; facts: traits, units, share, progeny."""
    return selection.cross_sections(files, facts)


SECTIONS = {
    "scores": scores,
    "comparisons": comparisons,
    "controls": controls,
    "hypotheses": hypotheses,
    "transfer": transfer,
    "ablations": ablations,
    "schemes": schemes,
    "filtering": filtering,
    "libraries": libraries,
    "interpretation": interpretation,
    "genetic_parameters": genetic_parameters,
    "variant_classes": variant_classes,
    "untested": untested,
    "lines": lines,
    "crosses": crosses,
}
