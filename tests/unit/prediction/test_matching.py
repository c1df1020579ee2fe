"""soyfold.prediction.matching: variants of new lines by place, or by id where places are others."""

import numpy as np
import pandas as pd
import pytest
from genotype_files import CHROMOSOMES, PLINK, random_counts, write_vcf
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes
from soyfold.prediction.matching import find_ids
from soyfold.prediction.new_lines import align_lines

SNPS, LINES = 60, 4
ALLELES = [("A", "G"), ("C", "T"), ("G", "T"), ("A", "C")]
FLIP = str.maketrans("ACGT", "TGCA")
RANDOM = np.random.default_rng(3)
PAIRS = [ALLELES[i] for i in RANDOM.integers(0, 4, SNPS)]
PANEL = pd.DataFrame(
    {
        "variant": [f"ss7155{i:03d}" for i in range(SNPS)],
        "chromosome": np.repeat(["chrI", "chrII"], SNPS // 2),
        "position": 1000 + 500 * np.arange(SNPS),
        "ref": [pair[0] for pair in PAIRS],
        "alt": [pair[1] for pair in PAIRS],
        "frequency": 0.3,
        "most_frequent": 0,
    }
)
COUNTS = random_counts(SNPS, LINES, missing=0.1)
OTHER_LENGTHS = [f"##contig=<ID={name},length=123456>" for name in ("chr01", "chr02", "chr10")]


def records(*, shift=0, contig=None, names=None, flip=(), keep=range(SNPS), position=None):
    """The panel's lines as another file writes them."""
    rows = []
    for i in keep:
        row = PANEL.iloc[i]
        ref, alt = (a.translate(FLIP) if i in flip else a for a in (row.ref, row.alt))
        place = (contig or row.chromosome, row.position + shift if position is None else position)
        rows.append((*place, row.variant if names is None else names[i], ref, alt, COUNTS[i]))
    return rows


def align(folder, rows, *, match="auto", header=(), min_overlap=0.5):
    """Counts of the panel's ALT; the table of variants; alignment.tsv."""
    path = write_vcf(folder / "new.vcf", rows, [f"n{i}" for i in range(LINES)], header=header)
    import_genotypes(
        path, settings={"format": "auto", "invariant": True, "match": match},
        chromosomes=CHROMOSOMES, prefix=folder / "raw", variants=folder / "records.tsv", **PLINK,
    )  # fmt: skip
    variants, counts, _ = align_lines(
        folder / "raw", folder / "records.tsv", PANEL, [], file=path, prefix=folder / "aligned",
        settings={"match": match, "min_overlap": min_overlap, "ambiguous": "infer",
                  "missing": "impute"},
    )  # fmt: skip
    packed = bed.open_bed(folder / "aligned.bed", variants=SNPS, samples=LINES)
    return bed.unpack(packed, LINES), variants, counts.set_index(["of", "what"])["count"]


@pytest.mark.parametrize("match", ["auto", "id"])
def test_ids_tell_what_positions_of_another_assembly_do_not(match, tmp_path, caplog):
    """Also of SNPs on the other strand there, beyond the chromosome's end, or on a scaffold."""
    rows = records(shift=77, flip=range(0, SNPS, 7), keep=range(2, SNPS))
    rows[0] = ("chrI", 2_000_000, *rows[0][2:])  # 1 Mb in the study's assembly
    rows[1] = ("scaffold_7", 12, *rows[1][2:])
    rows[2] = ("0", 0, *rows[2][2:])
    rows[3] = ("0", 0, *rows[3][2:])
    aligned, variants, told = align(tmp_path, rows, match=match)
    np.testing.assert_array_equal(aligned[2:], COUNTS[2:])
    assert (aligned[:2] == bed.MISSING).all()
    assert told["matched by", "id"] == told["found by id", "alleles fit"] == SNPS - 2
    assert told["found by position", "all"] == 0
    # Two of no place are at no other place.
    assert told["found by id", "at another place"] == SNPS - 4
    assert variants["id_elsewhere"].notna().sum() == SNPS - 4
    assert variants["id_elsewhere"][10] == f"chrI:{PANEL.position[10] + 77}"
    assert "56 of 58 SNPs with an id of the model lie elsewhere (first ss7155002: chrI:2000 in" in (
        caplog.text
    )
    assert "positions are another assembly's (1 with beyond the chromosome's end)" in caplog.text


def test_the_headers_lengths_tell_another_assembly(tmp_path, caplog):
    aligned, _, told = align(tmp_path, records(shift=5), header=OTHER_LENGTHS)
    np.testing.assert_array_equal(aligned, COUNTS)
    assert told["matched by", "id"] == SNPS
    assert f"another assembly's ({SNPS} with header of another assembly)" in caplog.text
    # By position, or without ids, there is nothing to go by.
    with pytest.raises(UserError, match=r"lengths of another assembly for 3 of 3"):
        align(tmp_path, records(shift=5), header=OTHER_LENGTHS, match="position")
    rows = records(shift=5, names=["."] * SNPS)
    with pytest.raises(UserError, match=r"lengths of another assembly for 3 of 3"):
        align(tmp_path, rows, header=OTHER_LENGTHS)
    rows = records(shift=5, names=[f"other{i}" for i in range(SNPS)])
    with pytest.raises(
        UserError, match=rf"places of another assembly: {SNPS} with.*0 of the model"
    ):
        align(tmp_path, rows, header=OTHER_LENGTHS)


def test_chromosome_names_of_another_assembly_do_no_harm(tmp_path):
    rows = records(contig="glyma.Wm82.gnm4.Gm01")
    aligned, _, told = align(tmp_path, rows)
    np.testing.assert_array_equal(aligned, COUNTS)
    assert told["matched by", "id"] == SNPS and told["file's records", "all"] == SNPS


def test_positions_that_agree_go_first(tmp_path, caplog):
    """Ids that number a file's rows name other SNPs; a few SNPs are mapped anew."""
    caplog.set_level("INFO", logger="soyfold")
    aligned, _, told = align(tmp_path, records())
    np.testing.assert_array_equal(aligned, COUNTS)
    assert told["matched by", "position"] == told["found by id", "all"] == SNPS
    assert "SNPs matched by position (positions agree): of the model's 60, 60 are" in caplog.text
    assert "WARNING" not in caplog.text
    turned = [PANEL.variant[(i + 1) % SNPS] for i in range(SNPS)]
    aligned, _, told = align(tmp_path, records(names=turned))
    np.testing.assert_array_equal(aligned, COUNTS)
    assert told["found by id", "at another place"] == SNPS
    assert told["found by id", "alleles fit"] < 0.9 * SNPS
    assert "that they may name other SNPs" in caplog.text and "matched by position" in caplog.text
    caplog.clear()
    moved = [*records(keep=range(2, SNPS)), *records(keep=range(2), contig="chrX")]
    aligned, variants, told = align(tmp_path, moved)
    np.testing.assert_array_equal(aligned[2:], COUNTS[2:])
    assert variants["id_elsewhere"][:2].tolist() == ["chrX:1000", "chrX:1500"]
    assert "2 of 60 SNPs with an id of the model lie elsewhere" in caplog.text
    assert "mapped anew" in caplog.text


def test_scaffolds_are_counted_as_ever_where_positions_tell(tmp_path):
    further = [("scaffold_1", 9, "ss1", "A", "G", COUNTS[0])]
    *_, told = align(tmp_path, records() + further)
    assert told["file's records", "other contigs"] == 1
    assert told["file's records", "unknown to the model"] == 0
    with pytest.raises(UserError, match="chromosome 'chr21', which no alias knows"):
        align(tmp_path, records(contig="chr21"), match="position")


def test_neither_way_is_refused_with_both_counts(tmp_path, caplog):
    caplog.set_level("INFO", logger="soyfold")
    names = [f"x{i}" for i in range(SNPS)]
    with pytest.raises(UserError, match=r"0 of the model's 60 .*or that ids are the study's"):
        align(tmp_path, records(shift=5, names=names))
    with pytest.raises(UserError, match=r"20 of the model's 60 .*check that ids are those"):
        align(tmp_path, records(shift=5, keep=range(20)))
    assert "0 are at the file's positions" in caplog.text and "20 are in the file by id" in (
        caplog.text
    )


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["a", "B", "c", "D;e", "f;a", ".", "", None]), max_size=9))
def test_an_id_tells_where_it_is_one_of_one(new):
    """Against each pair looked at by itself."""
    own = ["A", "b", "c;x", "d", "E", None]

    def parts(name):
        return {p for p in (name or "").lower().split(";") if p not in ("", ".")}

    pairs = [(i, k) for i, a in enumerate(own) for k, b in enumerate(new) if parts(a) & parts(b)]
    clear = {
        i: k
        for i, k in pairs
        if sum(i == p[0] for p in pairs) == sum(k == p[1] for p in pairs) == 1
    }
    rows, several = find_ids(pd.Series(own, dtype=object), pd.Series(new, dtype=object))
    assert rows.tolist() == [clear.get(i, -1) for i in range(len(own))]
    assert several == len({i for i, _ in pairs}) - len(clear)
