"""No written cell runs in a spreadsheet, however its formula is hidden."""

import polars as pl
import pytest

from tastemaker.data.spreadsheet import inert

BEFORE = ["", " ", "\n", "\t", "\r", "\u00a0", "\ufeff", "\u200b", "\u2060", "\u3000", " \n\u00a0"]


@pytest.mark.parametrize("sign", list("=+-@＝＋－＠"))
def test_formulas_are_text(sign: str) -> None:
    cells = [f"{before}{sign}1+1" for before in BEFORE]
    assert inert(pl.DataFrame({"x": cells}))["x"].to_list() == [f"'{cell}" for cell in cells]


def test_everything_else_stays() -> None:
    frame = pl.DataFrame({"s": ["a=1", "", None, "7", "é@b"], "n": [-1.5, 2.0, None, 0.0, 1.0]})
    assert inert(frame).equals(frame)
