"""Sources that are a BrAPI server's URL: as if the user had given the files that they become."""

from soyfold.common.brapi import FORMAT, digest, split_url
from soyfold.common.errors import UserError


def is_url(text):
    """Whether a path is a URL."""
    return str(text).startswith(("http://", "https://"))


def place_genotypes(genotypes, folder, *, file):
    """Put a VCF in the place of a server's URL, which becomes `url`.

    Parameters
    ----------
    genotypes : dict
        Of the study; changed.
    folder : str
        Results of the study whose genotypes these are.
    file : str
        The study file, for messages.

    Raises
    ------
    UserError
        For a URL without `format: brapi`, several, a wrong one, or `token_env` without a URL.
    """
    where = {"file": file, "at": "key genotypes.file"}
    url, genotypes["url"] = genotypes["file"], None
    if genotypes["format"] == FORMAT:
        if not isinstance(url, str):
            raise UserError(f"{len(url)} sources", allowed="one URL", **where)
        split_url(url, **where)
        vcf = f"{folder}/genotypes/{FORMAT}.vcf.gz"
        genotypes |= {"url": url, "file": vcf, "format": "vcf"}
    elif any(is_url(name) for name in ([url] if isinstance(url, str) else url)):
        raise UserError("a URL", allowed="a file, or a URL with format: brapi", **where)
    elif genotypes["token_env"]:
        raise UserError(
            "token_env of files", file=file, at="key genotypes.token_env",
            allowed="it with format: brapi",
        )  # fmt: skip


def place_phenotypes(traits, folder, *, sheet):
    """Rows of traits whose `file` is a server's URL with the table that it becomes, and `url`.

    Traits of one URL share a table.

    Parameters
    ----------
    traits : dict of str to dict
        Rows of the traits sheet.
    folder : str
        Results of the study.
    sheet : str
        For messages.
    """
    placed = {}
    for trait, row in traits.items():
        where = {"file": sheet, "at": f"trait {trait}"}
        if row["format"] == FORMAT:
            split_url(row["file"], **where)
            table = f"{folder}/cohort/brapi/{digest(row['file'])}.tsv"
            row = {**row, "url": row["file"], "file": table}
        elif is_url(row["file"]):
            raise UserError("a URL", allowed="a file, or a URL with the format brapi", **where)
        elif row["token_env"]:
            raise UserError("token_env of a file", allowed="it with the format brapi", **where)
        placed[trait] = row
    return placed
