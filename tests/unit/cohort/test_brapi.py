"""soyfold.cohort.brapi: a server's observations as records of traits."""

import pandas as pd
import pytest
from brapi_server import Brapi, serve

from soyfold.cohort.brapi import COLUMNS, fetch_observations
from soyfold.cohort.phenotypes import read_records
from soyfold.common.errors import UserError


@pytest.fixture(autouse=True)
def _loopback(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetch(brapi, folder, query="/observations?studyDbId=study1"):
    path = folder / "0a.tsv"
    with serve(brapi) as base:
        fetch_observations(base + query, path=path, pauses=(0,))
    return path


def row(path, value, **further):
    """A row of traits.tsv."""
    return {"trait": "oil", "file": path, "format": "brapi", "value_column": value} | further


@pytest.mark.parametrize("wanted", ["Oil", "id_Oil"])
def test_records_of_a_variable_by_name_or_id(wanted, tmp_path):
    brapi = Brapi(most=6)
    path = fetch(brapi, tmp_path)
    records = read_records(row(path, wanted, environment_column="environment", unit="%"))
    own = [o for o in brapi.rows["observations"] if o["observationVariableName"] == "Oil"]
    assert records["value"].tolist() == [float(o["value"]) for o in own]
    assert records["id"].tolist() == [o["germplasmName"].replace(" ", "_") for o in own]
    assert set(records["environment"]) == {"study1 2012 spring", "study1 2013 spring"}
    table = pd.read_csv(path, sep="\t", dtype=str)
    assert tuple(table.columns) == COLUMNS and len(table) == 20
    seasons = read_records(row(path, wanted, fixed="season"))["fixed season"]
    assert set(seasons) == {"2012 spring", "2013 spring"}
    by_id = read_records(row(path, wanted, id_column="germplasmDbId"))
    assert by_id["id"].tolist() == [o["germplasmDbId"] for o in own]


def test_missing_values_and_odd_cells(tmp_path):
    brapi = Brapi(lines=3)
    first, second, third, *_ = brapi.rows["observations"]
    first |= {"value": None, "season": None}
    second |= {"value": 12.5, "season": "2012", "germplasmName": None}
    third |= {"value": "NA", "season": {"seasonDbId": "s1", "year": 1}, "studyDbId": None}
    path = fetch(brapi, tmp_path)
    records = read_records(row(path, "Oil", environment_column="environment"))
    assert records["value"].isna().tolist()[:3] == [True, False, True]
    assert records["id"].tolist()[:3] == ["Line_0", "g1", "Line_2"]
    assert records["environment"].tolist()[:3] == ["study1", "study1 2012", "s1"]


def test_a_variable_that_is_not_there_or_several(tmp_path):
    brapi = Brapi(lines=2)
    path = fetch(brapi, tmp_path)
    with pytest.raises(UserError, match=r"no variable 'Yield'.*Oil \(id_Oil\), Protein \(id_Pro"):
        read_records(row(path, "Yield"))
    for observation in brapi.rows["observations"]:
        observation["observationVariableName"] = "Oil"
    path = fetch(brapi, tmp_path)
    with pytest.raises(UserError, match=r"several variables 'Oil'.*Oil \(id_Oil\), Oil \(id_Pro"):
        read_records(row(path, "Oil"))
    assert len(read_records(row(path, "id_Oil"))) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda a: a["result"]["data"][0].pop("value") and None, "an observation without value"),
        (lambda a: a["result"]["data"][0].update(germplasmName=None, germplasmDbId=None),
         "an observation without germplasmName"),
        (lambda a: a["result"]["data"][0].update(observationDbId="o1_2012_Oil"),
         "observationDbId 'o1_2012_Oil' twice"),
    ],
)  # fmt: skip
def test_wrong_observations_are_refused_in_one_line(wrong, said, tmp_path):
    brapi = Brapi()
    brapi.wrong[("observations", 0)] = wrong
    with pytest.raises(UserError, match=said):
        fetch(brapi, tmp_path)
    assert not list(tmp_path.iterdir())
    brapi.rows["observations"] = []
    with pytest.raises(UserError, match=r"no observation.*see that studyDbId"):
        fetch(brapi, tmp_path)
