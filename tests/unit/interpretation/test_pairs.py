"""The table of pairs of chromosomes: means over splits of what each fit learned."""

import numpy as np
import pandas as pd
import pytest

from soyfold.interpretation.pairs import COLUMNS, pairs_table
from soyfold.models import learned_contact_kernel
from soyfold.training.checkpoints import save_checkpoint

NAMES = ["chr2", "chr10", "chr1", "chrX"]  # genome order is no alphabet's; no SNP is on the last
CODES = np.repeat([0, 1, 2], 8)


def write_fit(path, seed):
    """A fit on lines of its own; its pairs and its summary."""
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, 0.4, (50, len(CODES))).astype(np.int8)
    y = dosage @ rng.normal(size=len(CODES)) + 3 * (dosage[:, 1] - 1) * (dosage[:, 20] - 1)
    model = learned_contact_kernel.fit(
        dosage, y, parameters={"iterations": 8}, seed=0, cim=1 + np.eye(4), snp_chromosome=CODES
    )
    save_checkpoint(path, model.state(), module="learned_contact_kernel", kind="direct")
    return model.pair_weights(), model.summary()


def test_it_has_the_mean_and_sd_over_splits_in_genome_order(tmp_path):
    told, fits = [], []
    for seed in (0, 1):
        told.append(write_fit(tmp_path / f"{seed}.npz", seed))
        fits.append({"trait": "oil", "model": "learned", "checkpoint": tmp_path / f"{seed}.npz"})
    fits.append({"trait": "yield", "model": "learned", "checkpoint": tmp_path / "0.npz"})
    found = pairs_table(fits, NAMES)
    assert list(found) == COLUMNS
    pairs = [("chr2", "chr10"), ("chr2", "chr1"), ("chr10", "chr1")]
    assert list(zip(found["chromosome"], found["chromosome_2"], strict=True)) == 2 * pairs
    oil, alone = found[found["trait"] == "oil"], found[found["trait"] == "yield"]
    for name in ("weight", "share"):
        both = np.stack([table[name] for table, _ in told])
        np.testing.assert_allclose(oil[name], both.mean(0))
        np.testing.assert_allclose(oil[f"{name}_sd"], np.ptp(both, axis=0) / np.sqrt(2))
        np.testing.assert_allclose(alone[name], both[0])
    assert (oil["splits"] == 2).all() and alone["weight_sd"].isna().all()
    assert oil["share"].sum() == pytest.approx(np.mean([s["share"] for _, s in told]))


def test_splits_that_rank_pairs_alike_agree_and_p_stands_beside_its_pair(tmp_path):
    fits = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.npz"
        table, _ = write_fit(path, seed)
        fits.append({"trait": "oil", "model": "learned", "checkpoint": path, "shares": table.share})
    null = pd.DataFrame(
        [("oil", "learned", "chr2", "chr1", 0.02, 0.05), ("oil", "other", "chr2", "chr10", 0, 1)],
        columns=["trait", "model", "chromosome", "chromosome_2", "share_null", "p"],
    )
    alike = pairs_table(fits[:2], NAMES, [null])
    assert (alike["agreement"] == 1).all()
    assert alike["p"].tolist() == pytest.approx([np.nan, 0.05, np.nan], nan_ok=True)
    assert alike["share_null"].tolist() == pytest.approx([np.nan, 0.02, np.nan], nan_ok=True)
    ranks = [fit["shares"].rank() for fit in fits]
    expected = np.mean([np.corrcoef(ranks[i], ranks[j])[0, 1] for i, j in [(0, 1), (0, 2), (1, 2)]])
    assert pairs_table(fits, NAMES)["agreement"].tolist() == pytest.approx([expected] * 3)
    assert pairs_table(fits[:1], NAMES)["agreement"].isna().all()


def test_a_study_without_such_fits_has_no_rows():
    assert pairs_table([], NAMES).equals(pd.DataFrame(columns=COLUMNS))
