"""Further schemes in the demo: what they rerun, and a run of all of them from files to table."""

import re
import shutil

import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

KFOLD = {"scheme": "kfold", "seeds": 4, "folds": 2}
OTHERS = [
    {"scheme": "cluster", "identity": 0.8, "seeds": 1},
    {"scheme": "leave_family_out", "minimum": 30, "seeds": 2, "traits": ["oil"]},
    {"scheme": "cv1", "seeds": 2},
    {"scheme": "cv2", "seeds": 1},
    {"scheme": "leave_environment_out", "seeds": 1},
]
TARGETS = [
    f"results/demo/{name}"
    for name in (
        "evaluation/tables/schemes.tsv", "evaluation/tables/table2_protein.tsv",
        "report/figures/comparisons_kfold_PCC.png", "report/figures/comparisons_cv2_R2.png",
    )
]  # fmt: skip


def change_config(project, change):
    path = project.folder / "config/config.yaml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def test_a_further_scheme_reruns_no_fit_of_another(demo):
    change_config(demo, lambda config: config["splits"].update(further=[KFOLD]))
    jobs = demo.planned()
    fits = [output for rule, output in jobs if rule.startswith("fit_")]
    assert fits and all(re.search(r"/(mean|gblup)/kfold/seed[0-3]/", output) for output in fits)
    for rule, output in jobs:
        assert "/kfold/" in output or rule in {
            "collect_scores", "tabulate_trait", "tabulate_variants", "tabulate_schemes",
            "compare_controls", "compare_models", "measure_trait", "plot_controls",
            "plot_comparisons",
        } or rule.startswith("report_"), (rule, output)  # fmt: skip


def families(samples):
    """Three families by the order of the names, and two samples in none."""
    table = pd.DataFrame({"sample": sorted(samples)})
    table["family"] = ["f" + str(place % 3) for place in range(len(table))]
    return table.iloc[2:]


@pytest.fixture(scope="module")
def schemes(finished_demo, tmp_path_factory):
    """The demo with every scheme, mean and GBLUP alone."""
    project = type(finished_demo)(tmp_path_factory.mktemp("schemes") / "soyfold")
    shutil.copytree(finished_demo.folder, project.folder)
    samples = pd.read_csv(project.folder / "results/demo/cohort/samples.tsv", sep="\t")["sample"]
    families(samples).to_csv(project.folder / "config/families.tsv", sep="\t", index=False)

    def change(config):
        config["cohort"]["families"] = {"file": "config/families.tsv"}
        config["splits"]["further"] = [KFOLD, *OTHERS]
        config["training"]["models"] = ["mean", "gblup"]
        config["evaluation"] = {"paper_tables": False, "controls": False}

    change_config(project, change)
    project.share_seeds("gblup")
    done = project.snakemake(*TARGETS)
    assert done.returncode == 0, done.stdout[-6000:]
    return project


def read(project, path):
    return pd.read_csv(project.folder / "results/demo" / path, sep="\t")


def test_every_scheme_is_in_scores_and_in_the_table(schemes):
    names = ["random", "kfold", *(scheme["scheme"] for scheme in OTHERS)]
    scores = read(schemes, "evaluation/scores.tsv")
    assert list(dict.fromkeys(scores.scheme)) == names
    table = read(schemes, "evaluation/tables/schemes.tsv")
    pcc = table[(table.metric == "PCC") & (table.model == "GBLUP")].set_index(["trait", "scheme"])
    assert [name for trait, name in pcc.index if trait == "protein"] == [
        name for name in names if name != "leave_family_out"
    ]
    assert [name for trait, name in pcc.index if trait == "oil"] == names[:4]
    assert pcc.splits["protein", "kfold"] == 4 and pcc.splits["protein", "cv1"] == 2
    assert (pcc["mean"] > 0).all()
    within = set(table.loc[table.metric == "PCC_within_environment", "scheme"])
    assert within == {"cv1", "cv2", "leave_environment_out"}


def test_tables_of_the_main_scheme_hold_no_other(schemes):
    table = read(schemes, "evaluation/tables/table2_protein.tsv")
    assert set(table.seeds) == {3}


def test_each_line_is_tested_once_a_repeat(schemes):
    folds = [read(schemes, f"cohort/splits/kfold/seed{k}.tsv") for k in range(4)]
    for repeat in (folds[:2], folds[2:]):
        tested = pd.concat([fold["sample"][fold.part == "test"] for fold in repeat])
        assert sorted(tested) == sorted(folds[0]["sample"])


def test_families_and_clusters_stand_on_one_side(schemes):
    samples = read(schemes, "cohort/families.tsv")
    assert samples.family.isna().sum() == 2 and samples.family.nunique() == 3
    parts = read(schemes, "cohort/splits/leave_family_out/seed1.tsv").merge(samples)
    assert (parts.groupby("family").part.nunique() == 1).all()
    assert set(parts.family[parts.part == "test"]) == {"f1"}
    clusters = read(schemes, "cohort/clusters.tsv")
    parts = read(schemes, "cohort/splits/cluster/seed0.tsv").merge(clusters)
    assert parts.cluster.nunique() < len(parts)
    assert (parts.groupby("cluster").part.nunique() == 1).all()


def test_predictions_by_environment(schemes):
    table = read(schemes, "training/protein/gblup/cv2/seed0/predictions.tsv")
    assert table.environment.notna().equals(table.part == "test")
    cells = read(schemes, "cohort/environments/protein.tsv")
    tested = table[table.part == "test"].merge(cells, on=["sample", "environment"])
    assert len(tested) == (table.part == "test").sum()


def test_values_are_counted_with_values(schemes):
    scores = read(schemes, "evaluation/scores.tsv").query("trait == 'protein' and model == 'gblup'")
    shares = scores[scores.metric == "test_share"].set_index(["scheme", "seed"]).value
    for scheme in ("cv1", "cv2", "leave_environment_out"):
        cells = read(schemes, f"cohort/splits/{scheme}/cells/seed0/protein.tsv")
        count = cells.part.value_counts()
        assert shares[scheme, 0] == pytest.approx(count["test"] / count["train"])
        assert not set(cells["sample"][cells.part == "val"]) & set(
            cells["sample"][cells.part == "test"]
        )
    assert scores.set_index(["metric", "scheme"]).loc["coverage90"].value["cv1"].notna().all()


def test_a_second_run_finds_nothing_to_do(schemes):
    assert "Nothing to be done" in schemes.snakemake(*TARGETS).stdout
