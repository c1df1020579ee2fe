"""textfiles: one text from any encoding that is certain, one line for any that isn't."""

import bz2
import codecs
import gzip
import io
import tarfile
import zipfile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.textfiles import decode, open_binary

HEADER = ["rs#", "alleles", "chrom", "pos", "strand"]
CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=3)
# Encodings whose mark, or zero bytes, leave no doubt; utf-16-le and -be are without a mark.
CERTAIN = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def read(path):
    with open_binary(path) as stream:
        return stream.read().decode()


@given(TABLES, st.sampled_from(CERTAIN), st.integers(0, 2), st.sampled_from(["\n", "\r\n"]))
def test_the_text_is_the_same_whatever_its_encoding(tmp_path_factory, rows, encoding, zipped, end):
    text = "".join("\t".join(row) + end for row in [HEADER, *rows])
    assume(not any(ord(letter) % 256 == 0 for letter in text))  # told apart where they are few
    data = text.encode(encoding)
    for _ in range(zipped):
        data = gzip.compress(data)
    path = tmp_path_factory.mktemp("t") / "x.txt"
    path.write_bytes(data)
    assert read(path) == text


def test_lines_that_end_as_on_old_macs(tmp_path):
    (tmp_path / "x").write_bytes(b"a\tb\r1\t2\r")
    assert read(tmp_path / "x") == "a\tb\n1\t2\n"


def test_zero_bytes_alone_are_no_utf_16(tmp_path):
    (tmp_path / "x").write_bytes(bytes(range(256)) * 40)
    with open_binary(tmp_path / "x") as stream:
        assert stream.read() == bytes(range(256)) * 40


@pytest.mark.parametrize(
    ("encoding", "name", "byte", "told"),
    [
        ("gbk", "鲁豆35", "0xb6", "'鲁豆35' as GBK"),
        ("latin-1", "Größe", "0xf6", "'Größe' as Windows-1252"),
        ("cp1252", "José-2", "0xe9", "'José-2' as Windows-1252"),
    ],
)
def test_other_encodings_are_refused_with_line_byte_and_the_name(encoding, name, byte, told):
    with pytest.raises(UserError) as caught:
        decode(f"PI1\tA, {name}\tB".encode(encoding), file="x.csv", line=7)
    said = str(caught.value)
    assert said.startswith(f"x.csv, line 7: found text that is no UTF-8 (byte {byte}")
    assert told in said and "save it as UTF-8" in said


def test_tables_name_the_line_whatever_reads_them(tmp_path):
    rows = b"".join(b"PI%d\t1\n" % k for k in range(50_000))
    path = tmp_path / "x.tsv"
    path.write_bytes(b"sample\tvalue\n" + rows + "Größe\t2\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"x\.tsv, line 50002: found text that is no UTF-8"):
        read_table(path)
    path.write_bytes(codecs.BOM_UTF16_LE + "sample\tvalue\nGröße\t2\n".encode("utf-16-le"))
    assert read_table(path).values.tolist() == [["Größe", 2]]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"x\.tsv: found text that is no UTF-16"):
        read_table(path)
    path.write_bytes(gzip.compress(rows)[:-9])
    with pytest.raises(UserError, match="a gzip file that is cut off or damaged"):
        read_table(path)


def _tar():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    return data.getvalue()


def _zip():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x", "a")
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (_tar(), "a tar archive; allowed: text, gzipped or not; to mend: unpack it"),
        (_zip(), "a zip archive or a workbook"),
        (bz2.compress(b"a"), "compressed with bzip2"),
        (gzip.compress(b"BCF\x02\x02"), "a BCF.*bcftools view"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, data, found):
    (tmp_path / "x.vcf.gz").write_bytes(data)
    with pytest.raises(UserError, match=found), open_binary(tmp_path / "x.vcf.gz"):
        pass
