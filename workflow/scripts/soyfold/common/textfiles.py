"""Users' text files as UTF-8, whatever their compression: told by their bytes, not by their names.

UTF-16 and UTF-32 are known for certain, by their mark or by their zero bytes, and are read. Other
encodings (GBK, Latin-1) can't be told from each other, so that a name would be guessed: these are
refused where the first byte that is no UTF-8 stands in a text that matters.
"""

import codecs
import contextlib
import gzip
import io
import re
import zlib
from pathlib import Path

from soyfold.common.errors import UserError

GZIP = b"\x1f\x8b"
BAD_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)
# What is no text, by bytes and their place: what it is, how to mend it.
_OTHERS = {
    (0, b"PK\x03\x04"): ("a zip archive or a workbook", "unzip it, or save it as text with tabs"),
    (0, b"\xd0\xcf\x11\xe0"): ("an old .xls workbook", "save it as text with tabs"),
    (0, b"BZh"): ("a file compressed with bzip2", "unpack it with bunzip2"),
    (0, b"\xfd7zXZ"): ("a file compressed with xz", "unpack it with unxz"),
    (0, b"\x28\xb5\x2f\xfd"): ("a file compressed with zstd", "unpack it with unzstd"),
    (0, b"7z\xbc\xaf"): ("a 7z archive", "unpack it"),
    (0, b"Rar!"): ("a rar archive", "unpack it"),
    (0, b"BCF\x02"): ("a BCF", "write it as a VCF (bcftools view -Oz)"),
    (257, b"ustar"): ("a tar archive", "unpack it (tar -xf)"),
}
_MARKS = (  # the longer first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIKELY = {"GBK": "gb18030", "Windows-1252": "cp1252"}
_WORD = re.compile(rb"[^\t ,;\"'\r\n]*")


class _Recoded(io.RawIOBase):
    """A stream of another encoding as one of UTF-8; optionally with \\n for each \\r."""

    def __init__(self, stream, encoding, *, returns=False):
        self._stream, self._returns = stream, returns
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._left = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._left:
            data = self._stream.read(1 << 20)
            self._left = self._decoder.decode(data, not data).encode("utf-8", "surrogatepass")
            if self._returns:
                self._left = self._left.replace(b"\r", b"\n")
            if not data:
                break
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)


def _encoding(head):
    """Encoding that a file's first bytes give away; None where they may be UTF-8."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    first = head[: min(len(head), 1024) // 2 * 2]
    even, odd = first[::2].count(0), first[1::2].count(0)
    # A table of text has tabs, digits and Latin letters, each with its zero byte on one side.
    if max(even, odd) <= max(len(first) // 8, 4 * min(even, odd)):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


@contextlib.contextmanager
def open_binary(path):
    """Open a text file to read bytes of UTF-8 without mark, lines ended by \\n or \\r\\n.

    A file that is gzipped, even twice, is unpacked, and text of UTF-16 or UTF-32 is recoded; lines
    that end with \\r alone are ended by \\n.

    Yields
    ------
    BufferedReader

    Raises
    ------
    UserError
        For another compression, an archive or a workbook; text that is damaged UTF-16.
    FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile
        While it is read; each caller knows what the file is to its user.
    """
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(Path(path).open("rb"))
        while (head := stream.peek(1 << 16)).startswith(GZIP):
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=stream, mode="rb"))
            stream = stack.enter_context(io.BufferedReader(unpacked, 1 << 20))
        for (place, first), (found, mend) in _OTHERS.items():
            if head.startswith(first, place):
                raise UserError(found, file=path, allowed="text, gzipped or not", mend=mend)
        encoding = _encoding(head)
        returns = b"\r" in head[:-1] and b"\n" not in head
        if encoding or returns:
            recoded = _Recoded(stream, encoding or "utf-8", returns=returns)
            stream = stack.enter_context(io.BufferedReader(recoded, 1 << 20))
        if stream.peek(3).startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
        try:
            yield stream
        except UnicodeDecodeError as error:
            if encoding is None:
                raise
            raise UserError(
                f"text that is no {error.encoding.upper()} ({error.reason})", file=path,
                allowed="text of UTF-8", mend="save it as UTF-8; it may be cut off",
            ) from None  # fmt: skip


def decode(data, *, file, line):
    """Text of bytes that must be UTF-8.

    Parameters
    ----------
    data : bytes
    file : path-like
    line : int
        For messages.

    Raises
    ------
    UserError
        Naming the first byte that is none, and what the word around it would be elsewhere.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"text that is no UTF-8 (byte {data[error.start]:#04x}{_readings(data, error.start)})",
            file=file, at=f"line {line}", allowed="text of UTF-8",
            mend="save it as UTF-8 (in Excel: CSV UTF-8; else for example"
            " iconv -f GBK -t UTF-8 OLD > NEW, with the encoding under which the word reads right)",
        ) from None  # fmt: skip


def _readings(data, place):
    """The word around a byte as the likely encodings have it."""
    before = re.split(rb"[\t ,;\"'\r\n]", data[:place])[-1]
    word = (before + _WORD.match(data, place)[0])[:40]
    told = []
    for name, encoding in _LIKELY.items():
        with contextlib.suppress(UnicodeDecodeError):
            told.append(f"{word.decode(encoding)!r} as {name}")
    return f"; {', '.join(told)}" if told else ""


def read_lines(stream, *, file):
    """Yield the lines of `open_binary`'s stream as text, with their ends; see `decode`."""
    for number, line in enumerate(stream, start=1):
        yield decode(line, file=file, line=number)
