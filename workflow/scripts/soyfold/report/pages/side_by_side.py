"""Pages that put things side by side: the paper's ablations and costs, the validation schemes."""

from soyfold.common.files import read_table
from soyfold.report.pages.pages import Cell, Column, Table, count, mean_sd, number
from soyfold.report.pages.results import SHOWN


def ablation_sections(files):
    """The paper's tables 4 to 6, and table 3 of costs, beside the printed values.

    Parameters
    ----------
    files : dict of str to path-like
        Table's name (`table4_csafm`) to its file.

    Returns
    -------
    list of Table
    """
    sections = []
    for name, path in files.items():
        table = read_table(path)
        if name == "table3_cost":
            sections.append(_cost_table(table))
            continue
        rows = [
            [row.trait, row.variant, row.metric,
             count(row.mean) if row.metric == "parameters" else mean_sd(row.mean, row.sd),
             number(row.paper, 4),
             row.cim, row.preset]
            for row in table.itertuples()
        ]  # fmt: skip
        columns = [
            Column("trait"), Column("variant"), Column("metric"),
            Column("mean", "(sd) over seeds", True), Column("paper", "printed", True),
            Column("CIM"), Column("preset"),
        ]  # fmt: skip
        number_, model = name.removeprefix("table").split("_", 1)
        title = f"Table {number_}: {model.upper() if model != 'gamma' else model}"
        sections.append(Table(title, columns, rows, filters=("trait", "metric")))
    return sections


def _cost_table(table):
    rows = [
        [row.model, count(row.parameters), number(row.gflops, 4), number(row.relative_flops, 2),
         number(row.ms_per_sample, 2), number(row.peak_memory_mb, 0), row.device,
         count(row.n_tokens), count(row.snps), row.preset]
        for row in table.itertuples()
    ]  # fmt: skip
    columns = [
        Column("model"), Column("parameters", number=True), Column("FLOPs", "10^9 a line", True),
        Column("relative", "to the Transformer", True), Column("time", "ms a line", True),
        Column("peak memory", "MB", True), Column("device"), Column("tokens", number=True),
        Column("SNPs", number=True), Column("preset"),
    ]  # fmt: skip
    return Table("Table 3: what the networks cost", columns, rows)


def scheme_sections(path):
    """The validation schemes side by side.

    Parameters
    ----------
    path : path-like
        schemes.tsv.

    Returns
    -------
    list of Table
    """
    table = read_table(path, required=("trait", "model", "scheme", "metric"), dtype={"trait": str})
    named = table.metric.str.startswith(("PCC_within_", "coverage"))
    kept = table[table.metric.isin(SHOWN) | named]
    keys = ["trait", "model", "metric"]
    schemes = list(dict.fromkeys(kept.scheme))
    rows = []
    for key, group in kept.groupby(keys, sort=False):
        cells = {row.scheme: mean_sd(row.mean, row.sd) for row in group.itertuples()}
        rows.append([*key, *(cells.get(name, Cell("")) for name in schemes)])
    columns = [*map(Column, keys), *(Column(name, "mean (sd)", True) for name in schemes)]
    return [Table("Validation schemes side by side", columns, rows, filters=("trait", "metric"))]
