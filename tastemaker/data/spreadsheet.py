"""Text that a spreadsheet would run, made inert; every CSV file that is written passes here."""

from __future__ import annotations

import polars as pl

# A formula starts with one of =+-@, also full-width. A spreadsheet looks past what stands unseen
# before it: blanks and line ends of any script, control and zero-width characters, byte order
# marks.
_RUNS = (
    r"^([\s\p{Z}\p{Cc}\p{Cf}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{034F}]*"
    r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{2212}]|[\t\r\n])"
)


def inert(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before texts that a spreadsheet would take for a formula.

    Only text columns change: -1.5 in a column of numbers stays a number.
    """
    return frame.with_columns(pl.col(pl.String).str.replace(_RUNS, "'${1}"))
