"""What is wrong with a table, all of it at once, so that one round of mending is enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import polars as pl

from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.inert import inert

_SHOWN = 80


@dataclass(frozen=True)
class Problem:
    """One kind of fault in one column."""

    file: str
    column: str
    row: int | None
    """First row concerned; row 1 is the first below the header. None: the whole column."""
    value: str
    """The value found there, cut to 80 characters."""
    count: int
    """Rows concerned."""
    what: str
    fix: str

    def __str__(self) -> str:
        """One line: file, column, row, value, cause, fix."""
        rows = f" and {self.count - 1:,} more" if self.count > 1 else ""
        at = "" if self.row is None else f", row {self.row:,}{rows}"
        value = f" (value {self.value})" if self.value else ""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}{column}{at}: {self.what}{value}. {self.fix}"


class BadData(BadInput):
    """A table with problems; `problems` lists every kind found."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        lines = "\n".join(
            f"  {i}. {inert(str(problem))}" for i, problem in enumerate(problems, start=1)
        )
        kinds = counted(len(problems), "problem")
        super().__init__(f"The data has {kinds}:\n{lines}", first.file, "Nothing was read.")
        self.problems = problems

    def __str__(self) -> str:
        """All problems, one a line; where and fix are already in each."""
        return self.what

    @property
    def fields(self) -> dict[str, object]:
        """The base fields plus the problems as objects."""
        return super().fields | {"problems": [asdict(problem) for problem in self.problems]}


def shown(value: object) -> str:
    """A value as it may be shown: quoted, with control characters escaped, cut short.

    The cell of a column of lists is a series: its values are shown, no more of them than fit.
    """
    if isinstance(value, pl.Series):
        text = repr(value.head(_SHOWN).to_list())
        whole = len(text) <= _SHOWN and len(value) <= _SHOWN
        return text if whole else f"{text[:_SHOWN]}… ({counted(len(value), 'value')})"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
