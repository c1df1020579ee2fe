"""Association scans: closed forms, the allele that betas are of, what has no test, planted loci."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.genotypes import bed
from soyfold.interpretation.gwas import compute_components, lambda_gc, scan_trait

LINES, SNPS = 80, 40
CALL = {"threads": 1, "memory_mb": 2000}
CAUSAL = {7: 2.0, 23: -1.5}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Genotypes on two chromosomes whose SNP 3 is constant, SNP 11 half a covariate; a trait."""
    folder = tmp_path_factory.mktemp("gwas")
    random = np.random.default_rng(5)
    dosage = random.integers(0, 3, (LINES, SNPS)).astype(np.int8)
    dosage[:, 3] = 2
    samples = [f"PI {n}_x".replace(" ", "") for n in range(LINES)]
    bim = pd.DataFrame(
        {
            "variant": [f"rs{i}" for i in range(SNPS)],
            "chromosome": np.repeat(["Gm01", "Gm02"], SNPS // 2),
            "position": np.tile(np.arange(1, SNPS // 2 + 1) * 1000, 2),
            # PLINK's own choice, the rarer or the first letter, would turn some of these round.
            "alt": np.where(np.arange(SNPS) % 2, "T", "A"),
            "ref": np.where(np.arange(SNPS) % 2, "A", "T"),
        }
    )
    bed.write_bed(bed.pack(dosage.T), folder / "merged.bed")
    bed.write_bim(bim, folder / "merged.bim")
    bed.write_fam(samples, folder / "merged.fam")
    y = 300 + dosage[:, list(CAUSAL)] @ np.array(list(CAUSAL.values()))
    y = y + 0.8 * random.standard_normal(LINES)
    write_table(pd.DataFrame({"sample": samples, "value": y})[5:], folder / "oil.tsv")
    covariates = random.standard_normal((LINES, 2))
    covariates[:, 1] = dosage[:, 11] + 1e-5 * covariates[:, 1]
    table = pd.DataFrame(covariates, columns=["PC1", "PC2"])
    table.insert(0, "sample", samples)
    write_table(table, folder / "covariates.tsv")
    write_table(table[["sample"]], folder / "none.tsv")
    return folder, dosage[5:], y[5:], covariates[5:]


def scan(study, components="covariates.tsv", **changes):
    folder = study[0]
    files = {"phenotypes": folder / "oil.tsv", "components": folder / components, **changes}
    return scan_trait(folder / "merged.bed", **files, trait="oil", folder=folder, **CALL)


def least_squares(x, y, covariates):
    """beta, se, t, p of x in y = mu + x beta + covariates, by the normal equations."""
    design = np.column_stack([x, np.ones(len(y)), covariates])
    inverse = np.linalg.inv(design.T @ design)
    solved = inverse @ design.T @ y
    freedom = len(y) - design.shape[1]
    error = np.sqrt(((y - design @ solved) ** 2).sum() / freedom * inverse[0, 0])
    t = solved[0] / error
    return solved[0], error, t, 2 * stats.t.sf(abs(t), freedom)


@pytest.mark.parametrize("components", ["covariates.tsv", "none.tsv"])
def test_scan_is_least_squares_on_counts_of_alt(study, components):
    _, dosage, y, covariates = study
    table, summary = scan(study, components)
    known = covariates if components != "none.tsv" else covariates[:, :0]
    assert table["frequency"].to_numpy() == pytest.approx(dosage.mean(0) / 2, rel=1e-4)
    for row in table[table.status == "tested"].itertuples():
        expected = least_squares(dosage[:, row.Index], y, known)
        assert (row.beta, row.se, row.t, row.p) == pytest.approx(expected, rel=2e-4)
        assert row.minus_log10_p == pytest.approx(-np.log10(expected[3]), rel=1e-4)
    assert (table["lines"] == LINES - 5).all()
    collinear = [11] if len(known.T) else []
    assert table.index[table.status == "collinear"].tolist() == collinear
    assert table.index[table.status == "constant"].tolist() == [3]
    assert table.loc[[3, *collinear], "p"].isna().all()
    counted = summary[["variants", "tested", "constant", "collinear", "failed"]].iloc[0].tolist()
    assert counted == [SNPS, SNPS - 1 - len(collinear), 1, len(collinear), 0]


def test_covariates_of_lines_stand_beside_the_components(study, tmp_path):
    folder, dosage, y, covariates = study
    random = np.random.default_rng(2)
    samples = pd.read_csv(folder / "oil.tsv", sep="\t")["sample"]
    table = pd.DataFrame({"sample": samples, "sex": random.choice(["F", "M"], len(samples)),
                          "number(age)": random.normal(30, 4, len(samples))})  # fmt: skip
    values = y + 5.0 * (table["sex"] == "F") + table["number(age)"]
    write_table(table[["sample"]].assign(value=values), tmp_path / "oil.tsv", digits=17)
    # The scan's other lines, without a value, have covariates too, and one level of their own.
    more = pd.DataFrame({"sample": ["PI0_x"], "sex": ["X"], "number(age)": [1e6]})
    write_table(pd.concat([table, more]), tmp_path / "covariates.tsv", digits=17)
    found, summary = scan(
        study, phenotypes=tmp_path / "oil.tsv", covariates=tmp_path / "covariates.tsv"
    )
    known = np.column_stack([covariates, table["sex"] == "F", table["number(age)"]])
    for row in found[found.status == "tested"].itertuples():
        expected = least_squares(dosage[:, row.Index], values.to_numpy(), known)
        assert (row.beta, row.se, row.t, row.p) == pytest.approx(expected, rel=5e-4)
    assert summary.loc[0, ["components", "covariates"]].tolist() == [2, 2]


def test_scan_ranks_the_planted_loci_on_top(study):
    table, summary = scan(study, "none.tsv")
    top = table.sort_values("p").head(2)
    assert set(top.index) == set(CAUSAL)
    assert top.loc[7, "beta"] > 0 > top.loc[23, "beta"]
    assert summary.loc[0, "top_variant"] == "rs7"
    assert summary.loc[0, "significant"] == (table["p"] < 0.05 / (SNPS - 1)).sum() >= 2


def test_units_and_codes_of_the_trait_change_nothing(study, tmp_path):
    """0 and 1 are PLINK's codes of a case-control trait, -9 its missing value."""
    folder, _, y, _ = study
    values = pd.read_csv(folder / "oil.tsv", sep="\t")
    high = (y > np.median(y)).astype(float)
    tables = []
    for low, step in ((0, 1), (1, 1), (-9, 1000)):
        write_table(values.assign(value=low + step * high), tmp_path / "oil.tsv")
        table, _ = scan(study, "none.tsv", phenotypes=tmp_path / "oil.tsv")
        tables.append(table["beta"].to_numpy() / step)
    assert tables[1] == pytest.approx(tables[0], rel=1e-4, nan_ok=True)
    assert tables[2] == pytest.approx(tables[0], rel=1e-4, nan_ok=True)


def test_components_span_those_of_the_relationship(study, tmp_path):
    folder = study[0]
    compute_components(folder / "merged.bed", tmp_path / "pcs.tsv", count=3, **CALL)
    table = pd.read_csv(tmp_path / "pcs.tsv", sep="\t")
    counts = bed.unpack(
        np.asarray(bed.open_bed(folder / "merged.bed", variants=SNPS, samples=LINES)), LINES
    )
    half = counts.mean(1, keepdims=True) / 2
    varying = (half * (1 - half))[:, 0] > 0
    z = ((counts - 2 * half)[varying] / np.sqrt(2 * half * (1 - half))[varying]).T
    leading = np.linalg.eigh(z @ z.T)[1][:, ::-1][:, :3]
    found = table[["PC1", "PC2", "PC3"]].to_numpy()
    assert np.abs((leading * found).sum(0)) == pytest.approx(1, abs=1e-3)
    compute_components(folder / "merged.bed", tmp_path / "none.tsv", count=0, **CALL)
    assert pd.read_csv(tmp_path / "none.tsv", sep="\t").columns.tolist() == ["sample"]


def test_lambda_of_uniform_p_is_one():
    p = (np.arange(10_000) + 0.5) / 10_000
    assert lambda_gc(-np.log10(p)) == pytest.approx(1, abs=0.01)
    odd = p[1:] ** 3
    known = stats.chi2.isf(np.median(odd), 1) / stats.chi2.ppf(0.5, 1)
    assert lambda_gc(-np.log10(odd)) == pytest.approx(known, rel=1e-12)
    chi = 2 * stats.chi2.isf(p, 1)
    assert lambda_gc(-np.log10(stats.chi2.sf(chi, 1))) == pytest.approx(2, abs=0.02)
    assert np.isnan(lambda_gc(np.array([np.nan])))


def test_too_few_lines_are_refused(study, tmp_path):
    values = pd.read_csv(study[0] / "oil.tsv", sep="\t").head(5)
    write_table(values, tmp_path / "oil.tsv")
    with pytest.raises(UserError, match="5 lines with a value of oil for 2 components"):
        scan(study, phenotypes=tmp_path / "oil.tsv")
