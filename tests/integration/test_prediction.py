"""Untested lines through the workflow: from a VCF to predictions with intervals."""

import numpy as np
import pandas as pd
import pytest
from prediction_study import variant_table, write_study, write_vcf
from projects import copy_project

from soyfold.prediction.saved_models import load_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def predicted(root, tmp_path_factory):
    """A study predicted from nothing but its files, and the lines' true values."""
    folder = tmp_path_factory.mktemp("study of mine")
    project = copy_project(root, tmp_path_factory.mktemp("predict") / "soyfold")
    study, vcf, truth = write_study(folder)
    done = project.snakemake("predict", "--configfile", study, "--config", f"new_genotypes={vcf}")
    assert done.returncode == 0, done.stdout[-6000:]
    project.study, project.output, project.truth = study, done.stdout, truth
    project.results = project.folder / "results/tiny"
    return project


def read(project, name, lines="new_lines"):
    return pd.read_csv(project.results / "prediction" / lines / name, sep="\t", dtype={"line": str})


def test_predictions_of_lines_that_no_one_grew(predicted):
    table = read(predicted, "predictions.tsv")
    assert list(dict.fromkeys(table.model)) == ["rr_blup", "gblup_rkhs"]
    assert (table.unit == "cm").all() and not table.in_training.any()
    for _, rows in table.groupby("model"):
        told = rows.set_index("line").prediction[predicted.truth.line]
        assert np.corrcoef(told, predicted.truth.value)[0, 1] > 0.5
        assert (rows.lower < rows.prediction).all() and (rows.prediction < rows.upper).all()
    assert table.ensemble_sd.notna().equals(table.model == "gblup_rkhs")
    assert table.kinship_max.notna().all() and table.nearest_line.notna().all()


def test_what_became_of_the_file_is_counted(predicted):
    count = read(predicted, "alignment.tsv").set_index(["of", "what"])["count"]
    kept = pd.read_csv(predicted.results / "prediction/panel/variants.tsv", sep="\t")
    assert count["model's variants", "used"] == count["model's variants", "all"] == len(kept)
    filled = read(predicted, "filled.tsv")
    assert filled.filled.sum() == count["calls", "missing"] > 0
    assert (filled.method == "beagle").all()
    assert "lines predicted" in predicted.output


def test_figure_and_saved_models_are_there(predicted):
    assert (predicted.results / "prediction/new_lines/figures/height.png").stat().st_size > 10_000
    model = load_model(predicted.results / "prediction/models/height/rr_blup.npz")
    dosage = np.load(predicted.results / "prediction/new_lines/dosage.npy")
    table = read(predicted, "predictions.tsv")
    told = table[table.model == "rr_blup"].prediction
    np.testing.assert_allclose(model.predict(dosage)[0][:, 0], told, rtol=1e-9)


def test_no_job_of_the_study_waits_for_predictions(predicted):
    jobs = predicted.planned("--configfile", predicted.study)
    assert jobs and not any("/final/" in path or "/prediction/" in path for _, path in jobs)


def test_decisions_on_new_lines(predicted, tmp_path):
    """Crosses on a genetic map and lines to phenotype, asked for on the command line."""
    far = variant_table()
    far["cM"] = 1e5 * far.position / 1e6  # so far apart that SNPs segregate freely
    genetic_map = tmp_path / "map.tsv"
    far[["chromosome", "position", "cM"]].to_csv(genetic_map, sep="\t", index=False)
    crosses = f"crosses: {{best: 4, genetic_map: {genetic_map}}}"
    done = predicted.snakemake(
        "select", "crosses", "--configfile", predicted.study, "--config",
        f"new_genotypes={predicted.study.parent / 'new lines.vcf'}", "share=0.2",
        f"selection={{training_set: {{lines: 5}}, {crosses}}}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    folder = predicted.results / "selection/new_lines"
    chosen = pd.read_csv(folder / "training_set.tsv", sep="\t")
    crosses = pd.read_csv(folder / "crosses.tsv", sep="\t")
    assert len(chosen) == 5 and len(crosses) == 4 * 3 / 2
    model = load_model(predicted.results / "prediction/models/height/rr_blup.npz")
    dosage = np.load(predicted.results / "prediction/new_lines/dosage.npy").astype(float)
    rows = dict(zip(read(predicted, "lines.tsv")["sample"], dosage, strict=True))
    effects = (model.predict(np.eye(len(dosage.T)))[0] - model.predict(0 * dosage[:1])[0])[:, 0]
    for cross in crosses.itertuples():
        parents = np.stack([rows[cross.parent_1], rows[cross.parent_2]])
        assert cross.mean_height == pytest.approx(model.predict(parents)[0].mean(), rel=1e-6)
        # Of RILs a free SNP has the variance a^2, a its effect per allele.
        differ = np.diff(parents, axis=0)[0] / 2
        assert cross.sd_height == pytest.approx(np.linalg.norm(differ * effects), rel=0.02)


def test_training_lines_get_their_fitted_values_in_any_guise(predicted):
    """Complete calls of training lines, SNPs shuffled, alleles swapped, other strand and names."""
    cohort = predicted.results / "cohort"
    dosage = np.load(cohort / "dosage.npy")[:12]
    variants = pd.read_csv(cohort / "variants.tsv", sep="\t")
    names = pd.read_csv(cohort / "samples.tsv", sep="\t")["sample"][:12]
    random = np.random.default_rng(5)
    new = variants[["chromosome", "position", "variant", "ref", "alt"]].copy()
    new["chromosome"] = new.chromosome.str.replace("Gm", "Chr")
    swap = random.random(len(new)) < 0.3
    new.loc[swap, ["ref", "alt"]] = new.loc[swap, ["alt", "ref"]].to_numpy()
    flip = random.random(len(new)) < 0.3
    strand = str.maketrans("ACGT", "TGCA")
    for column in ("ref", "alt"):
        new.loc[flip, column] = new.loc[flip, column].str.translate(strand)
    order = random.permutation(len(new))
    counts = np.where(swap, 2 - dosage, dosage)
    path = predicted.study.with_name("again.vcf")
    write_vcf(path, new.iloc[order], counts[:, order], names)
    done = predicted.snakemake(
        "predict", "--configfile", predicted.study, "--config", f"new_genotypes={path}"
    )
    assert done.returncode == 0, done.stdout[-6000:]
    table = read(predicted, "predictions.tsv", lines="again")
    assert table.in_training.all() and (table.call_rate == 1).all()
    fitted = predicted.results / "training/height/rr_blup/final/seed0/predictions.tsv"
    values = pd.read_csv(fitted, sep="\t").set_index("sample").predicted
    told = table[table.model == "rr_blup"].set_index("line").prediction
    np.testing.assert_allclose(told, values[told.index], rtol=1e-9)


def test_little_overlap_is_one_line(predicted):
    path = predicted.study.with_name("few.vcf")
    variants = variant_table().iloc[:10]
    write_vcf(path, variants, np.zeros((3, 10), int), ["a", "b", "c"])
    done = predicted.snakemake(
        "predict", "--configfile", predicted.study, "--config", f"new_genotypes={path}"
    )
    assert done.returncode != 0
    line = next(line for line in done.stdout.splitlines() if "prediction.min_overlap" in line)
    assert str(path) in line and "allowed: at least 50%" in line and "Traceback" not in done.stdout
