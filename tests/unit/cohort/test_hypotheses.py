"""Groups of SNPs: every format of regions says the same, and the join is that of a plain loop."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.hypotheses import group_snps, read_hypothesis, read_regions, read_weights
from soyfold.common.chromosomes import Chromosomes
from soyfold.common.errors import UserError
from soyfold.common.groups import REST, read_groups, write_groups

CHROMOSOMES = Chromosomes(
    ["Gm01", "Gm02"], np.array([1000, 500]),
    {"Gm01": "Gm01", "1": "Gm01", "Gm02": "Gm02", "Chr02": "Gm02"}, "chromosomes.tsv",
)  # fmt: skip
TABLE = """chromosome	start	end	group
1	100	200	a, with a comma
Gm01	100	200	b
Chr02	1	50	b
scaffold_3	5	6	b
Gm02	300	310	NA
"""
GFF = """##gff-version 3
Gm01	x	chromosome	1	1000	.	.	.	ID=Gm01
Gm01	x	gene	100	200	.	+	.	ID=g1;Ontology_term=a%2C with a comma,b
Chr02	x	gene	1	50	.	+	.	Ontology_term=b;ID=g2
Chr02	x	mRNA	1	50	.	+	.	Ontology_term=c;ID=g2.1
scaffold_3	x	gene	5	6	.	+	.	ID=g3;Ontology_term=b
Gm02	x	gene	300	310	.	+	.	ID=g4
##FASTA
>Gm01
ACGT
"""
BED = """track name=pathways
# a comment
1	99	200	a, with a comma
Gm01	99	200	b	0	+
Chr02	0	50	b
scaffold_3	4	6	b
Gm02	299	310	.
"""
VARIANTS = pd.DataFrame(
    {"chromosome": ["Gm01"] * 4 + ["Gm02"] * 2, "position": [89, 100, 201, 1000, 50, 60]}
)


@pytest.fixture
def regions(tmp_path):
    """Writes a file and reads it."""

    def read(text, name="regions.tsv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return read_regions(path, CHROMOSOMES)

    return read


@pytest.mark.parametrize(
    ("text", "name"),
    [(GFF, "r.gff3"), (GFF, "r.gff.gz"), (BED, "r.bed"), (BED, "r.bed.gz"), (TABLE, "r.tsv.gz"),
     (TABLE.replace("a, with a comma", '"a, with a comma"').replace("\t", ","), "r.csv")],
)  # fmt: skip
def test_every_format_says_the_same(regions, text, name):
    wanted, found = regions(TABLE), regions(text, name)
    order = ["chromosome", "start", "end", "group"]
    for table in (wanted, found):
        table.sort_values(order, inplace=True, ignore_index=True)
    pd.testing.assert_frame_equal(found, wanted, check_names=False)


def test_a_flank_ends_with_the_chromosome_and_everything_is_counted(regions):
    table = regions(TABLE)
    weights = read_weights(None, table["group"].dropna().unique())
    groups, counts = group_snps(table, weights, VARIANTS, flank=10, chromosomes=CHROMOSOMES)
    assert groups.names == ["a, with a comma", "b", REST]
    # 89 is a bp too far; 201 is in the flank; the end of Gm01 is no flank of Gm02's first gene.
    assert groups.members.toarray().astype(int).tolist() == [
        [0, 0, 1], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0]
    ]  # fmt: skip
    assert counts.set_index("group").T.to_dict("list") == {
        "a, with a comma": [1, 0, 0, 2, 0, 1], "b": [3, 1, 0, 4, 2, 2], REST: [1, 0, 1, 2, 2, 1]
    }  # fmt: skip
    assert np.array_equal(groups.weights, np.eye(3))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_join_is_that_of_a_loop(data):
    lengths = dict(zip(CHROMOSOMES.names, CHROMOSOMES.lengths, strict=True))
    rows = data.draw(st.lists(
        st.tuples(st.sampled_from(CHROMOSOMES.names), st.integers(1, 500), st.integers(0, 80),
                  st.sampled_from("abc")), min_size=1, max_size=12))  # fmt: skip
    regions = pd.DataFrame(rows, columns=["chromosome", "start", "end", "group"])
    regions["end"] = np.minimum(regions.start + regions.end, regions.chromosome.map(lengths))
    sites = data.draw(st.lists(
        st.tuples(st.sampled_from(CHROMOSOMES.names), st.integers(1, 500)),
        min_size=1, max_size=30))  # fmt: skip
    variants = pd.DataFrame(sorted(sites), columns=["chromosome", "position"])
    flank = data.draw(st.integers(0, 30))
    names = regions.group.unique()
    wanted = np.zeros((len(variants), len(names)), bool)
    for row in regions.itertuples():
        for k, site in enumerate(variants.itertuples()):
            near = row.start - flank <= site.position <= row.end + flank
            wanted[k, list(names).index(row.group)] |= near and row.chromosome == site.chromosome
    weights = read_weights(None, names)
    if not wanted.any():
        with pytest.raises(UserError, match="no SNP in any"):
            group_snps(regions, weights, variants, flank=flank, chromosomes=CHROMOSOMES)
        return
    groups, counts = group_snps(regions, weights, variants, flank=flank, chromosomes=CHROMOSOMES)
    assert np.array_equal(groups.named.members.toarray(), wanted[:, wanted.any(0)])
    assert np.array_equal(groups.members.toarray()[:, -1], ~wanted.any(1))
    assert counts.snps.tolist() == [*wanted.sum(0), (~wanted.any(1)).sum()]
    held = [own.tolist() for own in groups.named.snps()]
    assert held == [np.flatnonzero(own).tolist() for own in wanted.T if own.any()]


def test_weights_are_symmetric_and_a_group_goes_with_itself(tmp_path):
    path = tmp_path / "weights.tsv"
    path.write_text("group\tgroup_2\tweight\nb\ta\t0.5\na\ta\t2\na\tb\t0.5\n")
    found = read_weights(path, ["a", "b", "c"])
    assert found.to_numpy().tolist() == [[2, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]
    path.write_text("group\tgroup_2\tweight\nb\ta\t0.5\nc\ta\t1\na\tb\t0.6\n")
    with pytest.raises(UserError, match=r"line 2, column 'weight': found two weights for b and a"):
        read_weights(path, ["a", "b", "c"])


def test_groups_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "regions.tsv"
    path.write_text(TABLE)
    regions, weights = read_hypothesis({"file": path, "weights": None}, CHROMOSOMES)
    groups, _ = group_snps(regions, weights, VARIANTS, flank=0, chromosomes=CHROMOSOMES)
    write_groups(groups, tmp_path / "groups.npz")
    found = read_groups(tmp_path / "groups.npz")
    assert found.names == groups.names and np.array_equal(found.weights, groups.weights)
    assert np.array_equal(found.members.toarray(), groups.members.toarray())
