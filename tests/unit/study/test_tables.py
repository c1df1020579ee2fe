"""Users' tables before the first job: every fault at once, each in its line, none of good ones."""

import pytest
from cohort_files import trait_row, write_text

from soyfold.cohort.phenotypes import read_records
from soyfold.common.errors import UserError
from soyfold.study import tables
from soyfold.study.tables import check_tables

GOOD = "id,protein\n" + "".join(f"L{k},{40 + k / 10}\n" for k in range(20))


@pytest.fixture
def study(tmp_path):
    """Writes files; returns what `check_tables` takes."""

    def write(protein=GOOD, oil=GOOD, id_map="id\tsample\nL1\tS1\n", splits=None, families=None):
        files = {"protein.csv": protein, "oil.csv": oil, "map.tsv": id_map}
        files |= {"splits.tsv": splits, "families.tsv": families}
        paths = {name: write_text(tmp_path / name, text) for name, text in files.items() if text}
        traits = {
            name: {**trait_row(paths[f"{name}.csv"]), "trait": name} for name in ("protein", "oil")
        }
        cohort = {"id_map": paths["map.tsv"], "accession_prefixes": ["PI"]}
        cohort["environment_covariates"] = None
        cohort["families"] = {"file": paths["families.tsv"]} if families else {}
        # With a column that isn't there where anything is wrong.
        columns = ["value" if families else "sample"]
        cohort["covariates"] = {"file": paths["map.tsv"], "columns": columns}
        given = {"settings": {"scheme": "given", "file": paths.get("splits.tsv")}, "seeds": [0, 1]}
        return {"cohort": cohort}, traits, {"given": given}

    return write


def test_good_tables_say_nothing(study, caplog):
    check_tables(*study(oil=GOOD + "L20,900\n"))
    assert not caplog.messages  # the join warns of the value that stands apart


def test_all_faults_are_told_at_once_each_in_a_line(study):
    faulty = study(
        protein=GOOD.replace("protein", "protien"),
        oil=GOOD + "L21,-9\n",
        id_map="id\tsample\nL1\tS1\nL1\tS2\n",
        splits="sample\tseed0\nS1\ttrain\n",
        families="sample\tfamily\nS1\tA\nS1\tB\n",
    )
    with pytest.raises(UserError) as told:
        check_tables(*faulty)
    lines = str(told.value).splitlines()
    said = ["no column 'protein'", "-9 in 1 cells", "'S1' and for 'S2'", "'S1' twice",
            "no column 'value'", "no column seed1"]  # fmt: skip
    assert len(lines) == len(said)
    assert all(words in line for words, line in zip(said, lines, strict=True))


def test_tables_that_other_storeys_know_are_read_with_them(study):
    def read(path):
        raise UserError("no rows", file=path)

    with pytest.raises(UserError) as told:
        check_tables(*study(oil=GOOD + "L21,-9\n"), further=[(read, ("qtl.csv",))])
    assert [line.split(":")[0] for line in str(told.value).splitlines()][-1] == "qtl.csv"
    assert "-9 in 1 cells" in str(told.value)


def test_a_long_table_is_read_in_part_and_codes_are_judged_with_all_values(study, monkeypatch):
    """Of the first rows alone 99 would stand apart; what follows shows that it doesn't."""
    head = "".join(f"L{k},{20 + k % 9}\n" for k in range(30))
    oil = f"id,protein\n{head}C,99\nD,99\n" + "".join(f"M{k},{30 + k}\n" for k in range(70))
    monkeypatch.setattr(tables, "MOST_ROWS", 32)
    check_tables(*study(oil=oil))
    _, traits, _ = study(oil=oil)
    assert len(read_records(traits["oil"], most=32)) == 32
    assert read_records(traits["oil"])["value"].max() == 99
    monkeypatch.setattr(tables, "MOST_ROWS", 33)
    with pytest.raises(UserError, match="99 in 2 cells"):
        check_tables(*study(oil=f"id,protein\n{head}C,99\nD,99\n"))
