"""Text files, plain or gzipped, as blocks of whole lines: no line is ever longer than a bound.

A gzip of a megabyte can hold a line of a gigabyte, or a thousand million blank lines; so lines are
measured and counted before they are decoded.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from tastemaker.data.problems import BadData, shown
from tastemaker.data.tables import unreadable

MAX_LINE = 1 << 24
"""Bytes of the longest line that is read: a history of two million items."""
MAX_BLANK = 1 << 21
"""Blank lines that any file may have, twice the rows of a spreadsheet; in a file that has more, one
line in four is to hold something."""
_CHUNK = 1 << 22
"""Bytes read at a time."""
_UNIX, _EMPTY = bytes.maketrans(b"\r", b"\n"), b' \t,;|"'
"""What ends lines, and what fills none."""


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
        BadData: If the file is cut short, a line is longer than `MAX_LINE`, or nearly all are blank
            (`MAX_BLANK`).
    """
    rest: list[bytes] = []
    inside, rows, filled = False, 0, 0
    for chunk in _chunks(path):
        cut = _last_end(chunk, inside, quoted) + 1
        if cut:
            block = b"".join([*rest, chunk[:cut]])
            rows, filled = rows + _ends(block), filled + _filled(block)
            if rows - filled > max(MAX_BLANK, 3 * filled):
                raise _too_blank(path, rows, filled)
            yield block
            rest, inside = [], False
        rest.append(chunk[cut:])
        inside ^= quoted and chunk.count(b'"', cut) % 2 == 1
        if sum(map(len, rest)) > MAX_LINE:
            # Rows of CSV count from below the header.
            raise too_long(path, max(rows + (not quoted), 1), quoted)
    if any(rest):
        yield b"".join(rest)


def line_blocks(path: Path, encoding: str = "utf-8", header: bool = False) -> Iterator[list[str]]:
    r"""Lists of lines without their ends (`\n`, `\r\n` or `\r`); as many as about 4 MB hold.

    Args:
        path: Plain or gzipped text.
        encoding: Of the text.
        header: The first line is no row, for messages.

    Raises:
        BadData: As `byte_blocks`, or if a line is not text in `encoding`.
    """
    first = row = -int(header)
    for block in byte_blocks(path):
        if row == first and block.startswith(codecs.BOM_UTF8) and encoding == "utf-8":
            block = block[len(codecs.BOM_UTF8) :]
        try:
            text = block.decode(encoding)
        except UnicodeDecodeError as error:
            row += block.count(b"\n", 0, error.start) + 1
            start = block.rfind(b"\n", 0, error.start) + 1
            line = block[start : start + 60].split(b"\n")[0]
            what, fix = "the line is not UTF-8 text", "Export it as UTF-8."
            raise unreadable(str(path), what, fix, max(row, 1), shown(line)) from None
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


def _last_end(chunk: bytes, inside: bool, quoted: bool) -> int:
    """Position of the last end of line; -1 without one. Between odd quotes a newline is text."""
    end = chunk.rfind(b"\n")
    if end < 0 or not quoted or (chunk.count(b'"', 0, end) + inside) % 2 == 0:
        return end
    raw = np.frombuffer(chunk, np.uint8)
    odd = np.add.accumulate(raw == ord('"'), dtype=np.uint8) % 2 == 1
    ends = np.flatnonzero((raw == ord("\n")) & (odd == inside))
    return int(ends[-1]) if len(ends) else -1


def _ends(block: bytes) -> int:
    """Ends of lines of every kind."""
    ends = block.count(b"\n")
    return ends + block.count(b"\r") - block.count(b"\r\n") if b"\r" in block else ends


def _filled(block: bytes) -> int:
    """Lines of a block that hold more than blanks, separators and quotes."""
    kept = np.frombuffer(block.translate(_UNIX, _EMPTY), np.uint8)
    ends = kept == ord("\n")
    return int(np.count_nonzero(ends[1:] & ~ends[:-1])) + (len(ends) > 0 and not ends[0])


def _too_blank(path: Path, rows: int, filled: int) -> BadData:
    what = f"{rows - filled:,} of the first {rows:,} lines are blank, so this is no log"
    return unreadable(str(path), what, "Remove the blank lines, or export it again.")
