"""Single-SNP association: a linear regression for each SNP, with principal components, by PLINK 2.

y = mu + x_j beta_j + C gamma + e for each SNP j alone, x_j its count of ALT, C the leading
principal components of the lines' relationship, which take up population structure (Price et al.
2006, doi:10.1038/ng1847), and what the study knows of lines beside their SNPs. PLINK sees the trait
as z-scores, so that no unit looks like its codes of cases, controls and missing values; betas and
standard errors come back in trait units.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import chdtri

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, scratch, write_table
from soyfold.common.logs import log
from soyfold.genotypes.bed import read_bim, read_fam
from soyfold.genotypes.plink import chromosome_codes, write_numbered
from soyfold.genotypes.plink2 import run_plink2
from soyfold.training.covariates import base_of, read_covariates

EXACT_LINES = 1000  # whose decomposition takes seconds; beyond, the randomised algorithm
ALPHA = 0.05  # of the genome-wide threshold, divided by the SNPs tested
TESTED = "tested"
# PLINK's reasons for no result.
STATUS = {
    ".": TESTED,
    "CONST_ALLELE": "constant",
    "CONST_OMITTED_ALLELE": "constant",
    "VIF_INFINITE": "collinear",
    "VIF_TOO_HIGH": "collinear",
    "CORR_TOO_HIGH": "collinear",
    "RANK_DEFICIENT": "collinear",
}
COUNTED = ("constant", "collinear", "failed")
FIGURES = {"BETA": "beta", "SE": "se", "T_STAT": "t", "LOG10_P": "minus_log10_p"}


def _bed_arguments(bed, folder):
    """Arguments that hand a study's bed to PLINK with numbers for names; its bim and samples."""
    bed = Path(bed)
    bim, fam = read_bim(bed.with_suffix(".bim")), read_fam(bed.with_suffix(".fam"))
    code = chromosome_codes(list(dict.fromkeys(bim["chromosome"])))
    return ["--bed", bed, *write_numbered(bim, len(fam), folder, code=code)], bim, fam


def _numbered(fam, table):
    """A table by sample as PLINK reads it, by #FID and IID; samples of the fam alone."""
    number = pd.Series([f"s{i}" for i in range(len(fam))], index=fam)
    ids = table["sample"].map(number)
    known = table.assign(**{"#FID": ids, "IID": ids})[ids.notna()]
    return known[["#FID", "IID", *table.columns.drop("sample")]]


def compute_components(bed, path, *, count, threads, memory_mb):
    """Leading principal components of all lines, by PLINK 2 --pca.

    Parameters
    ----------
    bed : path-like
        Imputed genotypes, with .bim and .fam beside it.
    path : path-like
        Table to write: sample, PC1, PC2, ...; unit length each. None for a count of 0.
    count : int, keyword only
        Fewer where there are not as many lines and SNPs.
    threads, memory_mb : int, keyword only

    Raises
    ------
    UserError
        If PLINK fails.
    """
    path = Path(path)
    with scratch(path.with_suffix(".pca")) as folder:
        arguments, bim, fam = _bed_arguments(bed, folder)
        count = min(count, len(fam) - 1, len(bim))
        table = pd.DataFrame({"sample": fam})
        if count:
            # The randomised algorithm wants so many SNPs at least.
            enough = len(bim) >= count * (2 * count + 2)
            mode = ["approx"] if len(fam) > EXACT_LINES and enough else []
            run_plink2(
                *arguments, "--pca", count, *mode, "--bad-freqs", "--seed", 1,
                "--out", folder / "out", threads=threads, memory_mb=memory_mb, file=bed,
            )  # fmt: skip
            found = read_table(folder / "out.eigenvec", dtype={"IID": str})
            rows = found["IID"].str[1:].astype(int).to_numpy()
            names = [f"PC{number + 1}" for number in range(count)]
            table = table.iloc[rows].reset_index(drop=True).join(found[names])
    write_table(table, path)


def lambda_gc(minus_log10_p):
    """Genomic inflation: the median chi-square of the tests over the median of chi-square(1).

    Parameters
    ----------
    minus_log10_p : ndarray
        NaN where there was no test.

    Returns
    -------
    float
        1 where tests are calibrated; NaN without tests. (Devlin and Roeder 1999.)
    """
    known = minus_log10_p[~np.isnan(minus_log10_p)]
    if not len(known):
        return float("nan")
    return float(chdtri(1, 10.0 ** -np.median(known)) / chdtri(1, 0.5))


def _read_scan(path, bim, scale):
    """PLINK's report as a table in the order of the bim, betas in trait units."""
    table = read_table(path, required=("ID", "A1", "A1_FREQ", "OBS_CT", "ERRCODE"))
    table = table.rename(columns={"NEG_LOG10_P": "LOG10_P"})  # its name in later versions
    rows = table["ID"].str[1:].astype(int).to_numpy()
    if not (table["A1"] == "C").all() or not np.array_equal(rows, np.arange(len(bim))):
        raise RuntimeError("PLINK 2 has reported another allele than ALT, or not every variant")
    scan = bim[["variant", "chromosome", "position", "ref", "alt"]].assign(
        frequency=table["A1_FREQ"], lines=table["OBS_CT"]
    )
    for name, column in FIGURES.items():
        scan[column] = table[name].astype(np.float64)
    scan[["beta", "se"]] *= scale
    scan.insert(scan.columns.get_loc("minus_log10_p"), "p", 10.0 ** -scan["minus_log10_p"])
    return scan.assign(status=table["ERRCODE"].map(STATUS).fillna("failed"))


def _with_covariates(components, covariates, values):
    """Components beside what covariates tell of the lines with a value: tables by sample."""
    # PLINK standardises over all lines, those without a value too.
    components = components[components["sample"].isin(values["sample"])]
    told = read_covariates(covariates, components["sample"])
    base = base_of(told, np.ones(len(told), dtype=bool))
    log.info("%d directions of %d covariates, beside the components", base.shape[1], told.shape[1])
    names = [f"X{number + 1}" for number in range(base.shape[1])]
    return components.join(pd.DataFrame(base, columns=names, index=components.index))


def scan_trait(bed, phenotypes, components, *, trait, folder, threads, memory_mb, covariates=None):
    """Test each SNP for association with a trait, by PLINK 2 --glm.

    Parameters
    ----------
    bed : path-like
        Imputed genotypes, with .bim and .fam beside it.
    phenotypes : path-like
        Table: sample, value.
    components : path-like
        Table: sample, PC1, ...: as `compute_components` writes it. Maybe without components.
    trait : str, keyword only
    folder : path-like, keyword only
        Where PLINK works.
    threads, memory_mb : int, keyword only
    covariates : path-like, keyword only, optional
        Of the lines (`join_covariates`): fixed effects beside the components.

    Returns
    -------
    scan : DataFrame
        variant, chromosome, position (bp), ref, alt, frequency (of ALT among the lines), lines,
        beta and se (trait units per copy of ALT), t, p, minus_log10_p, status: `tested`, or why
        there is no test: `constant`, `collinear` with components and covariates, `failed`. p is 0
        where it is below what a double holds; minus_log10_p isn't.
    summary : DataFrame
        One row: `summarise_scan`.

    Raises
    ------
    UserError
        For fewer lines with a value than components, covariates and 3, or if PLINK fails.
    """
    values = read_table(phenotypes, required=("sample", "value"), dtype={"sample": str})
    beside = read_table(components, required=("sample",), dtype={"sample": str})
    count = len(beside.columns) - 1
    if covariates:
        beside = _with_covariates(beside, covariates, values)
    more = len(beside.columns) - 1 - count
    if len(values) < count + more + 4:
        told = f" and {more} directions of covariates" if more else ""
        raise UserError(
            f"{len(values)} lines with a value of {trait} for {count} components{told}",
            at="key interpretation.principal_components",
            allowed="at least 4 more lines than components",
            mend="fewer components, or interpretation.gwas: false",
        )
    mean, sd = values["value"].mean(), values["value"].std()
    values = values[["sample"]].assign(z=(values["value"] - mean) / sd)
    with scratch(Path(folder) / f"{trait}.glm") as work:
        arguments, bim, fam = _bed_arguments(bed, work)
        write_table(_numbered(fam, values), work / "pheno.tsv")
        arguments += ["--pheno", work / "pheno.tsv", "--pheno-name", "z"]
        arguments += ["--no-input-missing-phenotype"]
        if count + more:
            write_table(_numbered(fam, beside), work / "covar.tsv")
            arguments += ["--covar", work / "covar.tsv", "--covar-variance-standardize"]
        run_plink2(
            *arguments, "--glm", "omit-ref", "hide-covar", "allow-no-covars", "log10",
            "cols=chrom,pos,a1freq,nobs,beta,se,tz,p,err", "--out", work / "out",
            threads=threads, memory_mb=memory_mb, file=phenotypes,
        )  # fmt: skip
        scan = _read_scan(work / "out.z.glm.linear", bim, sd)
    summary = summarise_scan(scan, trait=trait, components=count, covariates=more)
    log.info("%s", summary.to_dict("records")[0])
    return scan, summary


def summarise_scan(scan, *, trait, components, covariates=0):
    """What a scan found, in one row.

    Returns
    -------
    DataFrame
        trait, lines, components, covariates (their directions), variants, tested, constant,
        collinear, failed, lambda_gc, threshold (Bonferroni: 0.05 over the SNPs tested), significant
        (SNPs below it), top_variant, top_minus_log10_p.
    """
    found, counts = scan["minus_log10_p"], scan["status"].value_counts()
    tested = int(counts.get(TESTED, 0))
    top = found.idxmax() if tested else None
    threshold = ALPHA / max(tested, 1)
    return pd.DataFrame(
        [
            {
                "trait": trait,
                "lines": int(scan["lines"].max()),
                "components": components,
                "covariates": covariates,
                "variants": len(scan),
                TESTED: tested,
                **{reason: int(counts.get(reason, 0)) for reason in COUNTED},
                "lambda_gc": lambda_gc(found.to_numpy()),
                "threshold": threshold,
                "significant": int((found > -np.log10(threshold)).sum()),
                "top_variant": scan.loc[top, "variant"] if tested else None,
                "top_minus_log10_p": found.max(),
            }
        ]
    )


def read_scan(path):
    """Read a scan as `scan_trait` gives it."""
    text = dict.fromkeys(("variant", "chromosome", "ref", "alt", "status"), str)
    wanted = ("variant", "chromosome", "position", "minus_log10_p", "status")
    return read_table(path, required=wanted, dtype=text)
