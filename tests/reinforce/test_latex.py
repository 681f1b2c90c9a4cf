"""LaTeX as text: one spelling of what has several, lists cut where nothing else is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.reinforce.latex import parts, plain


@pytest.mark.parametrize(
    "text, spelling",
    [
        (r"\left( 3,\, \dfrac{x}{2} \right)", r"(3,\frac{x}{2})"),
        ("$x + 1$", "x+1"),
        ("x^{2} + y_{1}", "x^2+y_1"),
        ("x^{10}", "x^{10}"),
        (r"\text{Evelyn}", "Evelyn"),
        (r"2 \pi r", r"2\pi r"),
        (r"\pi \, r", r"\pi r"),
        ("3 4", "3 4"),
        (r"\left\{ 1, 2 \right\}", r"\{1,2\}"),
        (r"\left. x \right|", r"\left.x\right|"),
        ("x.", "x"),
        (
            r"\begin{pmatrix} 1 & 0 \\ x \, y & -1 \end{pmatrix}",
            r"\begin{pmatrix}1&0\\x y&-1\end{pmatrix}",
        ),
        ("", ""),
    ],
)
def test_spellings(text: str, spelling: str) -> None:
    assert plain(text) == spelling
    assert plain(spelling) == spelling


@pytest.mark.parametrize(
    "text, found",
    [
        ("(1,2)", ("()", ["1", "2"])),
        ("[1,2)", ("[)", ["1", "2"])),
        (r"(3,\frac{x}{2},f(a,b))", ("()", ["3", r"\frac{x}{2}", "f(a,b)"])),
        ("(1,2),(3,4)", None),
        ("(1)", None),
        ("(1,)", None),
        (r"\{1,2\}", None),
        ("(1,2", None),
        ("(1,2))", None),
        ("((1,2)", None),
        ("(x+1)(x,2)", None),
        ("1,2", None),
        ("", None),
        ("(", None),
    ],
)
def test_parts(text: str, found: tuple[str, list[str]] | None) -> None:
    assert parts(text) == found


@given(st.text(alphabet="()[]{},\\$ ^_a1.", max_size=40))
def test_no_text_is_too_strange(text: str) -> None:
    told = parts(plain(text))
    assert told is None or len(told[1]) > 1
