"""Untested lines predicted from a notebook: a saved model and a file of genotypes, no study."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.chromosomes import read_chromosomes
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes
from soyfold.prediction.filling import fill_rows
from soyfold.prediction.new_lines import align_lines

# A study's defaults, beside `match`.
ALIGNMENT = {"min_overlap": 0.5, "ambiguous": "infer", "missing": "impute"}


def predict_file(model, file, *, chromosomes, match="auto", threads=1, memory_mb=2000):
    """Predict the lines of a genotype file by a saved model.

    As `snakemake predict` does it (names, order, REF and ALT, strand), but for the gaps, which are
    filled with the most frequent genotype of the training lines: Beagle's fill needs the study.
    Takes PLINK 1.9.

    Parameters
    ----------
    model : SavedModel
        As `load_model` reads it.
    file : path-like
        VCF, PLINK bed, HapMap or marker table.
    chromosomes : path-like, keyword only
        Chromosome table of the study's assembly.
    match : {'auto', 'position', 'id'}, keyword only
        Whether a SNP is the one at its place or of its id (`matching.match_variants`).
    threads, memory_mb : int, keyword only
        For PLINK.

    Returns
    -------
    DataFrame
        A row a line (index `line`), a column a trait, in its unit.

    Raises
    ------
    UserError
        For what import and alignment refuse: a defect of the file, another assembly, too few of
        the model's variants.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw, aligned = (f"{folder}/{name}" for name in ("raw", "aligned"))
        import_genotypes(
            file,
            settings={"format": "auto", "invariant": True, "match": match},
            chromosomes=read_chromosomes(chromosomes),
            prefix=raw,
            variants=f"{folder}/records.tsv",
            threads=threads,
            memory_mb=memory_mb,
        )
        align_lines(
            raw, f"{folder}/records.tsv", model.variants, [],
            settings=ALIGNMENT | {"match": match}, file=Path(file).name, prefix=aligned,
        )  # fmt: skip
        samples = bed.read_fam(f"{aligned}.fam")
        rows = bed.open_bed(f"{aligned}.bed", variants=len(model.variants), samples=len(samples))
        filled = fill_rows(np.array(rows), len(samples), model.variants["most_frequent"])
    dosage = np.ascontiguousarray(bed.unpack(filled, len(samples)).T)
    values, _ = model.predict(dosage, samples)
    return pd.DataFrame(values, index=pd.Index(samples, name="line"), columns=model.traits)
