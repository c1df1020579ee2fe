"""soyfold.study.fetched: a server's URL in the place of a file."""

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError
from soyfold.study.tables import check_tables

URL = "https://a.b/brapi/v2/allelematrix?variantSetDbId=1"
TRAITS = """\
trait\tfile\tformat\tvalue_column\tenvironment_column\ttoken_env
oil\thttps://a.b/brapi/v2/observations?studyDbId=1\tbrapi\tOil\tenvironment\tTOKEN
protein\thttps://a.b/brapi/v2/observations?studyDbId=1\tbrapi\tProtein\tenvironment\tTOKEN
starch\thttps://a.b/brapi/v2/observations?studyDbId=2\tbrapi\tid9\tNA\tNA
"""


def load(folder, sheet=TRAITS, **genotypes):
    path = folder / "traits.tsv"
    path.write_text(sheet)
    changes = {"cohort": {"traits": str(path)}, "evaluation": {"paper_tables": False}}
    return load_demo(changes | ({"genotypes": genotypes} if genotypes else {}))


def test_urls_become_files_of_the_study(tmp_path, monkeypatch):
    """Without a look at the network, and without the token."""
    monkeypatch.delenv("TOKEN", raising=False)
    study = load(tmp_path, file=URL, format="brapi", token_env="TOKEN")
    assert study.genotype_files == [f"{study.results}/genotypes/brapi.vcf.gz"]
    assert study.genotype_format == study.prediction.format == "vcf"
    assert study.settings["genotypes"]["url"] == URL
    assert study.inputs.reading["format"] == "vcf" and len(study.inputs.imputed) == 20
    oil, protein, starch = study.traits.values()
    assert oil["file"] == protein["file"] != starch["file"]
    assert oil["file"].startswith(f"{study.results}/cohort/brapi/")

    class Wildcards:
        source = starch["file"].rpartition("/")[2].removesuffix(".tsv")

    told = {"url": "https://a.b/brapi/v2/observations?studyDbId=2", "token_env": None}
    assert study.inputs.server(Wildcards) == told
    check_tables(study.settings, study.traits, study.schemes)


@pytest.mark.parametrize(
    ("genotypes", "said"),
    [
        ({"file": URL}, "or a URL with format: brapi"),
        ({"file": [URL, URL], "format": "brapi"}, "found 2 sources; allowed: one URL"),
        ({"file": "snps.vcf", "format": "brapi"}, "begins with http"),
        ({"file": f"{URL}&token=abc", "format": "brapi"}, "a secret in the URL"),
        ({"file": "resources/demo/genotypes.vcf.gz", "token_env": "TOKEN"}, "token_env of files"),
        ({"file": URL, "format": "brapi", "token_env": "a-b c"}, "key genotypes.token_env"),
    ],
)
def test_wrong_urls_are_told_before_the_first_job(genotypes, said, tmp_path):
    with pytest.raises(UserError, match=said):
        load(tmp_path, **genotypes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\tbrapi\tOil", "\tplots\tOil", "trait oil: found.*a URL with the format brapi"),
        (
            "https://a.b/brapi/v2/observations?studyDbId=2\tbrapi\tid9\tNA\tNA",
            "x.csv\tplots\tid9\tNA\tTOKEN",
            "trait starch: found token_env of a file",
        ),
        ("\tid9\tNA\tNA", "\tid9\tNA\t1X", "key token_env"),
        (
            "https://a.b/brapi/v2/observations?studyDbId=2",
            "x.csv",
            "trait starch.*begins with http",
        ),
    ],
)
def test_wrong_urls_of_traits_are_told(old, new, said, tmp_path):
    with pytest.raises(UserError, match=said):
        load(tmp_path, TRAITS.replace(old, new))


def test_columns_of_a_server_are_rows_of_their_own(tmp_path):
    sheet = "trait\tfile\tformat\tvalue_column\tcolumns\nNA\thttps://a.b/v2\tbrapi\tNA\tBLUP_*\n"
    with pytest.raises(UserError, match=r"columns of a server.*a row for each variable"):
        load(tmp_path, sheet)
