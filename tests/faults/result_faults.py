"""Results in the folder that belong to another study, or that a crash left behind."""

import numpy as np
from fault import Fault


def _file(study, name):
    path = study.path(f"results/tiny/{name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def other_matrix(study):
    """The dosage matrix of a study of other lines."""
    np.save(_file(study, "cohort/dosage.npy"), np.zeros((5, 7), dtype=np.int8))


def cut(name):
    """A result that lost its last bytes."""

    def spoil(study):
        path = _file(study, name)
        path.write_bytes(path.read_bytes()[:-20])

    return spoil


def other_chromosomes(study):
    """The sums of contacts of another assembly."""
    _file(study, "contacts/cim_sums.tsv").write_text("chromosome\tchrI\nchrI\t5\n")


def resume_file(content):
    """A network's resume file of another study, or damaged, in the place of its own."""

    def spoil(study):
        study.config["training"] |= {"models": ["mean", "gblup", "cnn"]}
        study.config["training"]["parameters"] = {"cnn": {"epochs": 2, "patience": 2}}
        _file(study, "training/oil/cnn/seed0/resume.ckpt").write_bytes(content)

    return spoil


OF_ANOTHER = b'soyfold resume 1\n{"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "fingerprint": {"trait": "0"}}\n'  # noqa: E501
FIT = "training/oil/cnn/seed0/predictions.tsv"
LOG = "logs/training/oil/cnn/all_seeds.log"


def _resumed(name, content, said):
    return Fault(
        name, "training", "", resume_file(content), (said, "training starts over"), LOG, target=FIT
    )


FAULTS = [
    Fault(
        "results: the dosage matrix of another study",
        "training",
        "fit_direct",
        other_matrix,
        ("a matrix of 5 x 7", "48 samples x 30 variants"),
        target="training/oil/mean/seed0/predictions.tsv",
    ),
    Fault(
        "results: a bed that was cut off",
        "imputation",
        "impute_chromosomes",
        cut("genotypes/filtered.bed"),
        ("filtered.bed", "one is cut off"),
    ),
    Fault(
        "results: sums of contacts of another assembly",
        "cim",
        "normalise_cim",
        other_chromosomes,
        ("chromosomes chrI", "Gm01, Gm02, Gm03"),
        target="contacts/cim.tsv",
    ),
    _resumed("checkpoint of another study", OF_ANOTHER, "it belongs to another fit"),
    _resumed("checkpoint cut short", OF_ANOTHER[:60], "its header is damaged"),
    _resumed("checkpoint: another file", b"PK\x03\x04", "it is no resume file"),
]
