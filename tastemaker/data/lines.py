"""Text files, plain or gzipped, as blocks of whole lines: no line is ever longer than a bound.

A gzip of a megabyte can hold a line of a gigabyte; so a line is measured before it is decoded.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from tastemaker.data.problems import BadData, shown
from tastemaker.data.tables import unreadable

MAX_LINE = 1 << 24
"""Bytes of the longest line that is read: a history of two million items."""
_CHUNK = 1 << 22
"""Bytes read at a time."""


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unzipped where the name ends in `.gz`."""
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def byte_blocks(path: Path, quoted: bool = False) -> Iterator[bytes]:
    """Blocks of whole lines, about 4 MB each; the last line may lack its end.

    Args:
        path: Plain or gzipped text.
        quoted: Newlines between double quotes are no ends of lines (CSV).

    Raises:
        BadData: If the file is cut short, or a line is longer than `MAX_LINE`.
    """
    rest, row = b"", 0
    for chunk in _chunks(path):
        block = rest + chunk
        cut = _last_end(block, quoted) + 1
        if cut:
            yield block[:cut]
            row += block.count(b"\n", 0, cut)
        rest = block[cut:]
        if len(rest) > MAX_LINE:
            # Rows of CSV count from below the header.
            raise too_long(path, max(row + (not quoted), 1), quoted)
    if rest:
        yield rest


def line_blocks(path: Path, encoding: str = "utf-8") -> Iterator[list[str]]:
    r"""Lists of lines without their ends (`\n`, `\r\n` or `\r`); as many as about 4 MB hold.

    Raises:
        BadData: If a line is too long or is not text in `encoding`.
    """
    row = 0
    for block in byte_blocks(path):
        if not row and block.startswith(codecs.BOM_UTF8) and encoding == "utf-8":
            block = block[len(codecs.BOM_UTF8) :]
        try:
            text = block.decode(encoding)
        except UnicodeDecodeError as error:
            row += block.count(b"\n", 0, error.start) + 1
            start = block.rfind(b"\n", 0, error.start) + 1
            line = block[start : start + 60].split(b"\n")[0]
            what, fix = "the line is not UTF-8 text", "Export it as UTF-8."
            raise unreadable(str(path), what, fix, row, shown(line)) from None
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if lines[-1] == "":
            lines.pop()
        row += len(lines)
        yield lines


def first_line(path: Path) -> str:
    """The first line that is not blank; empty where there is none."""
    lines = (line for block in line_blocks(path) for line in block)
    return next((line for line in lines if line.strip()), "")


def encoding_of(path: Path) -> str:
    """`utf-8` where the whole file is that, strictly; else `latin-1`, which every byte is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def refuse_long_lines(path: Path) -> None:
    """Refuse a plain file with a line of twice `MAX_LINE`, touching little of the file.

    Each stretch of `MAX_LINE` bytes must hold an end of line, mostly found at its beginning.

    Raises:
        BadData: If one holds none.
    """
    size = path.stat().st_size
    with path.open("rb") as source:
        for start in range(0, size - MAX_LINE + 1, MAX_LINE):
            for at in range(start, start + MAX_LINE, 1 << 16):
                source.seek(at)
                piece = source.read(min(1 << 16, start + MAX_LINE - at))
                if b"\n" in piece or b"\r" in piece:
                    break
            else:
                raise too_long(path, None)


def too_long(path: Path, row: int | None, quoted: bool = False) -> BadData:
    """The error for a line beyond the bound."""
    what = f"a line is longer than {MAX_LINE / 2**20:,.0f} MB, so this is no table of rows"
    quote = " Close every quote." if quoted else ""
    return unreadable(str(path), what, f"Write one event or one user a line.{quote}", row)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with open_bytes(path) as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        what = f"the file is cut short or is no gzip: {error}"
        raise unreadable(str(path), what, "Export it again.") from None
    except OSError as error:
        what = f"the file cannot be opened: {error.strerror or error}"
        raise unreadable(str(path), what, "Check the path and who may read it.") from None


def _last_end(block: bytes, quoted: bool) -> int:
    """Position of the last end of line; -1 without one. Between odd quotes a newline is text."""
    end = block.rfind(b"\n")
    if not quoted or end < 0:
        return end
    quotes = block.count(b'"', 0, end)
    while end >= 0 and quotes % 2:
        before = block.rfind(b"\n", 0, end)
        quotes -= block.count(b'"', max(before, 0), end)
        end = before
    return end
