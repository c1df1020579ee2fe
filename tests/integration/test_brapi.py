"""A study whose genotypes and phenotypes are a BrAPI server's, from URLs to its cohort."""

import numpy as np
import pandas as pd
import pytest
import yaml
from brapi_server import Brapi, serve
from prediction_study import CHROMOSOMES, draw_lines, variant_table, write_study
from projects import copy_project

pytestmark = pytest.mark.slow
KNOWN = 60


@pytest.fixture
def brapi():
    """A server of 60 lines, plots of two years."""
    dosage, value = draw_lines(KNOWN)
    server = Brapi(most=25)
    server.counts = dosage.T.astype(int)
    server.rows["variants"] = [
        {
            "variantDbId": str(k), "variantNames": [row.variant], "referenceName": row.chromosome,
            "start": row.position - 1, "referenceBases": row.ref, "alternateBases": [row.alt],
        }
        for k, row in enumerate(variant_table().itertuples())
    ]  # fmt: skip
    server.rows["callsets"] = [
        {"callSetDbId": f"c{k}", "callSetName": f"Line {k}"} for k in range(KNOWN)
    ]
    server.rows["observations"] = [
        {
            "observationDbId": f"{year}.{k}", "germplasmName": f"Line {k}",
            "observationVariableName": "Height", "observationVariableDbId": "v1",
            "studyDbId": "s1", "season": {"year": year}, "value": f"{value[k] + year - 2012:.6f}",
        }
        for year in (2012, 2013)
        for k in range(KNOWN)
    ]  # fmt: skip
    server.values = value
    return server


def test_a_study_of_urls_runs_to_its_cohort(root, tmp_path, brapi, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    study, _, _ = write_study(tmp_path)
    project = copy_project(root, tmp_path / "soyfold")
    ends = [f"results/tiny/cohort/{name}" for name in ("dosage.npy", "join_report.tsv")]
    with serve(brapi) as base:
        config = yaml.safe_load(study.read_text())
        url = f"{base}/allelematrix?variantSetDbId=1"
        config["genotypes"] = {"file": url, "format": "brapi", "token_env": "A_TOKEN"}
        study.write_text(yaml.safe_dump(config))
        row = {
            "trait": "height", "file": f"{base}/observations?studyDbId=s1", "format": "brapi",
            "value_column": "Height", "environment_column": "environment", "unit": "cm",
        }  # fmt: skip
        pd.DataFrame([row]).to_csv(tmp_path / "traits.tsv", sep="\t", index=False)
        brapi.wrong[("allelematrix", 5)] = (404, "text/html", b"")
        first = project.snakemake(*ends, "--configfile", study, A_TOKEN="much-secret")
        assert first.returncode != 0 and "found status 404" in first.stdout
        assert "Traceback" not in first.stdout and "much-secret" not in first.stdout
        asked = len(brapi.asked)
        done = project.snakemake(*ends, "--configfile", study, A_TOKEN="much-secret")
        assert done.returncode == 0, done.stdout[-4000:]
        # 80 variants and 60 lines are 4 x 3 pages of 25, five of which were there.
        again = [call for call, _ in brapi.asked[asked:]]
        assert again.count("allelematrix") == 7 and "variants" not in again
        token = {headers.get("Authorization") for headers in brapi.headers}
        assert token == {"Bearer much-secret", None}  # the traits have no token
        asked = len(brapi.asked)
        assert project.planned(*ends, "--configfile", study) == []
        assert len(brapi.asked) == asked
    values = pd.read_csv(project.folder / "results/tiny/cohort/phenotypes/height.tsv", sep="\t")
    assert values["sample"].tolist() == [f"Line_{k}" for k in range(KNOWN)]
    told = values["value"] - values["value"].mean()
    np.testing.assert_allclose(told, brapi.values - brapi.values.mean(), atol=1e-5)
    assert (values["environments"] == 2).all()
    samples = pd.read_csv(project.folder / "results/tiny/cohort/samples.tsv", sep="\t")
    dosage = np.load(project.folder / ends[0])
    variants = pd.read_csv(project.folder / "results/tiny/cohort/variants.tsv", sep="\t")
    own = {row["variantNames"][0]: k for k, row in enumerate(brapi.rows["variants"])}
    rows = [int(name.split("_")[1]) for name in samples["sample"]]
    expected = brapi.counts[[own[name] for name in variants["variant"]]][:, rows].T
    np.testing.assert_array_equal(dosage, expected)
    assert set(variants["chromosome"]) == set(CHROMOSOMES)
    assert not list((project.folder / "results").rglob("*.pages"))
