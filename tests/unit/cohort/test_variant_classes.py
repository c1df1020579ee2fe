"""Classes of variants, against plain loops over text; references of every kind, and wrong ones."""

import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.reference import OTHER, read_sequences
from soyfold.cohort.variant_classes import (
    IUPAC,
    classify_by_substitution,
    classify_variants,
    find_motifs,
)
from soyfold.common.chromosomes import Chromosomes, read_chromosomes
from soyfold.common.errors import UserError

CHROMOSOMES = Chromosomes(
    ["Gm01", "Gm02"], np.array([1000, 500]),
    {"Gm01": "Gm01", "1": "Gm01", "NC_1.1": "Gm01", "Gm02": "Gm02", "Chr02": "Gm02"}, "table.tsv",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {"flank": 6, "at_rich": 0.75, "kmers": ["CACGTG", "GRY"]}


def variants_on(sequence, positions, alts, refs=None, chromosome="Gm01"):
    refs = refs or [sequence[position - 1].upper() for position in positions]
    table = pd.DataFrame({"position": positions, "ref": refs, "alt": alts})
    names = [f"v{number}" for number in range(len(table))]
    return table.assign(variant=names, chromosome=chromosome)


def literally(sequence, position, ref, alt, *, flank, at_rich, kmers):
    """Classes that a SNP fits, from text and regular expressions."""
    at = position - 1
    before = sequence[max(0, at - flank) : at].upper()
    after = sequence[at + 1 : at + 1 + flank].upper()
    windows = [before + allele + after for allele in (ref, alt)]

    def held(motif):
        sets = {code: "".join(b for b in "ACGT" if IUPAC[b] & bits) for code, bits in IUPAC.items()}
        pattern = re.compile("".join(f"[{sets[code]}]" for code in motif))
        flipped = [w[::-1].translate(str.maketrans("ACGT", "TGCA")) for w in windows]
        return any(pattern.search(window) for window in windows + flipped)

    def cgs(window):
        middle = len(before)
        return "CG" in (window[middle : middle + 2], window[max(0, middle - 1) : middle + 1])

    of_ref, of_alt = map(cgs, windows)
    around = [base for base in before + after if base in "ACGT"]
    rich = len(around) >= flank and sum(b in "AT" for b in around) >= at_rich * len(around)
    fits = {motif: held(motif) for motif in kmers}
    fits |= {"cpg_made": of_alt and not of_ref, "cpg_destroyed": of_ref and not of_alt}
    return fits | {"tata_box": held("TATAWAW"), "at_rich": rich}


@settings(max_examples=25, deadline=None)
@given(
    sequence=st.text("ACGTacgtNAATT", min_size=1, max_size=60).map(lambda s: s.replace("n", "N")),
    data=st.data(),
)
def test_motifs_are_those_of_a_plain_search_at_the_ends_of_contigs_too(sequence, data):
    bases = [place for place, base in enumerate(sequence, 1) if base != "N"]
    if not bases:
        return
    positions = data.draw(st.lists(st.sampled_from(bases), min_size=1, max_size=8))
    alts = [data.draw(st.sampled_from("ACGT")) for _ in positions]
    table = variants_on(sequence, positions, alts)
    found = find_motifs(table, np.frombuffer(sequence.encode(), np.uint8), **SETTINGS)
    for row, variant in enumerate(table.itertuples()):
        wanted = literally(sequence, variant.position, variant.ref, variant.alt, **SETTINGS)
        assert {name: bool(fit[row]) for name, fit in found.items()} == wanted


def test_what_is_no_snp_has_no_motif():
    sequence = "TATAAAACGTATAAAA"
    table = variants_on(sequence, [7, 8, 8, 8], ["TA", "CA", ".", "*"], ["A", "C", "C", "C"])
    found = find_motifs(table, np.frombuffer(sequence.encode(), np.uint8), **SETTINGS)
    assert not np.any(list(found.values()))


def test_every_substitution_has_its_class_and_strands_do_not_matter():
    pairs = [(ref, alt) for ref in "ACGT" for alt in "ACGT" if ref != alt]
    table = pd.DataFrame(pairs, columns=["ref", "alt"])
    found = classify_by_substitution(table)
    flip = str.maketrans("ACGT", "TGCA")
    flipped = table.apply(lambda column: column.str.translate(flip).str.lower())
    assert np.array_equal(found, classify_by_substitution(flipped))
    kinds = {"A": "purine", "G": "purine", "C": "pyrimidine", "T": "pyrimidine"}
    for (ref, alt), kind in zip(pairs, found, strict=True):
        if kinds[ref] == kinds[alt]:
            assert kind == "transition"
        else:
            assert kind == ("strandless" if ref.translate(flip) == alt else "transversion")
    odd = pd.DataFrame({"ref": ["A", "AC", "A", "0"], "alt": ["AT", "A", "N", "G"]})
    assert set(classify_by_substitution(odd)) == {OTHER}


SEQUENCES = {"NC_1.1 first": "ACGTTATAAAATTTTTAACG" * 5, "scaffold_9": "ACGT", "Chr02": "CG" * 40}


@pytest.fixture
def reference(tmp_path):
    """Writes a FASTA of lines of 30: plain, gzip or bgzip by its name."""

    def write(name="genome.fa", sequences=SEQUENCES):
        text = "".join(
            f">{head}\n" + "".join(f"{s[i : i + 30]}\n" for i in range(0, len(s), 30))
            for head, s in sequences.items()
        ).encode()
        path = tmp_path / name
        if name.endswith(".bgz"):
            with pysam.BGZFile(str(path), "w") as stream:
                stream.write(text)
        else:
            path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write


def two_chromosomes(count=60):
    """SNPs of both chromosomes, REF as the reference has it, in turns."""
    random = np.random.default_rng(1)
    tables = []
    for chromosome, sequence in (("Gm01", "NC_1.1 first"), ("Gm02", "Chr02")):
        sequence = SEQUENCES[sequence]
        positions = np.sort(random.choice(len(sequence), count, replace=False) + 1)
        alts = [random.choice([b for b in "ACGT" if b != sequence[p - 1]]) for p in positions]
        tables.append(variants_on(sequence, positions, alts, chromosome=chromosome))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz", "genome.fa.bgz"])
def test_classes_are_the_first_that_fit_from_any_kind_of_file(reference, name):
    table, file = two_chromosomes(), reference(name)
    classes, counts = classify_variants(table, CHROMOSOMES, reference={"file": file, **SETTINGS})
    sequences = {"Gm01": SEQUENCES["NC_1.1 first"], "Gm02": SEQUENCES["Chr02"]}
    fits = [
        literally(sequences[v.chromosome], v.position, v.ref, v.alt, **SETTINGS)
        for v in table.itertuples()
    ]
    wanted = [next((name for name, fit in each.items() if fit), OTHER) for each in fits]
    assert classes["class"].tolist() == wanted
    assert classes["in_reference"].tolist() == table["ref"].tolist()
    assert counts["class"].tolist() == [*fits[0], OTHER]
    by_class = counts.set_index("class")
    for each in fits[0]:
        assert by_class.fitting[each] == sum(fit[each] for fit in fits)
        assert by_class.variants[each] == wanted.count(each)
    assert by_class.variants.sum() == len(table) and by_class.ref_differs.sum() == 0
    assert by_class.share.sum() == pytest.approx(1)
    assert file.parent.joinpath(name + ".fai").exists() is False  # nothing beside a user's file


def test_ref_that_differs_is_counted_and_of_no_class(reference, caplog):
    table = two_chromosomes()
    table.loc[[3, 70], "ref"] = [{"A": "C"}.get(ref, "A") for ref in table.ref[[3, 70]]]
    table.loc[3, "ref"] += "N"
    classes, counts = classify_variants(
        table, CHROMOSOMES, reference={"file": reference(), **SETTINGS}
    )
    assert counts.set_index("class").ref_differs.to_dict()[OTHER] == 2 == counts.ref_differs.sum()
    assert set(classes["class"][[3, 70]]) == {OTHER}
    assert "REF differs from the reference at 2 of 120 variants" in caplog.text


def test_without_a_reference_classes_are_the_substitutions():
    table = two_chromosomes()
    classes, counts = classify_variants(table, CHROMOSOMES)
    assert np.array_equal(classes["class"], classify_by_substitution(table))
    assert counts["class"].tolist() == ["transition", "transversion", "strandless", OTHER]
    assert counts.variants.sum() == len(table) and counts.ref_differs.isna().all()


def refused(table, file):
    with pytest.raises(UserError) as caught:
        classify_variants(table, CHROMOSOMES, reference={"file": file, **SETTINGS})
    said = str(caught.value)
    assert "\n" not in said and str(file) in said
    return said


def test_another_assembly_is_named_as_the_likely_cause(reference):
    table = two_chromosomes()
    shifted = table.assign(position=table.position - (table.position > 1))
    said = refused(shifted, reference())
    assert "REF differs from the reference at" in said and "allowed: at most 5%" in said
    assert "assembly" in said
    table.loc[:6, "ref"] = "N"  # 7 of 120 are more than 5 %
    assert "at 7 of 120 variants (5.8%" in refused(table, reference())


def test_a_reference_that_ends_too_early_is_refused(reference):
    table = two_chromosomes()
    table.loc[5, "position"] = 101
    assert "100 bases of Gm01, and variant v5 at 101 (such variants: 1)" in refused(
        table, reference()
    )


def test_names_that_do_not_match_are_told_once(reference):
    table = two_chromosomes()
    other = {name.replace("Chr02", "chromosome_2"): text for name, text in SEQUENCES.items()}
    said = refused(table, reference(sequences=other))
    assert "no sequence of Gm02; found NC_1.1, scaffold_9, chromosome_2" in said
    assert "aliases in table.tsv" in said
    twice = {**SEQUENCES, "1": "ACGT" * 25}
    assert "Gm01 twice, the second time as '1'" in refused(table, reference(sequences=twice))


CONTENTS = {
    "empty": b"", "text": b"a table\nof words\n", "binary": b">Gm01\nAC\xff\n",
    "cut": gzip.compress(b">Gm01\n" + b"ACGT" * 99)[:-9],
}  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_what_is_no_fasta_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(content)
    refused(two_chromosomes(), path)


def test_sequences_that_nobody_wants_are_passed_by(reference):
    found = dict(read_sequences(reference(), CHROMOSOMES, ["Gm02"]))
    assert {name: bases.tobytes().decode() for name, bases in found.items()} == {"Gm02": "CG" * 40}


@pytest.mark.real_data
def test_yeast_markers_are_of_another_assembly_than_r64_and_their_lifted_places_of_it(real_data):
    folder = real_data / "yeast"
    names = pd.read_csv(folder / "genotypes.txt.gz", sep="\t", usecols=[0]).iloc[:, 0]
    pattern = r"\d+_(?P<chromosome>chr\d+)_(?P<position>\d+)_(?P<ref>[ACGT]+)_(?P<alt>[ACGT]+)"
    chromosomes = read_chromosomes(ROOT / "resources/chromosomes/yeast_saccer3.tsv")
    table = names.str.extract(pattern).assign(variant=names)
    table = table.astype({"position": int}).replace({"chromosome": chromosomes.aliases})
    reference = {"file": folder / "genome_r64.fa.gz", "flank": 10, "at_rich": 0.8, "kmers": []}
    lengths = dict(zip(chromosomes.names, chromosomes.lengths, strict=True))
    within = table[table.position <= table.chromosome.map(lengths)]
    with pytest.raises(UserError, match=r"at 7408 of 11623 variants \(63.7%.*assembly"):
        classify_variants(within, chromosomes, reference=reference)
    lifted = pd.read_csv(folder / "markers_r64.tsv.gz", sep="\t")
    lifted = lifted.rename(columns={"marker": "variant"})
    _, counts = classify_variants(lifted, chromosomes, reference=reference)
    assert counts.ref_differs.sum() == 0 and counts.variants.sum() == 11380
    assert (counts.set_index("class").variants > 50).all()
