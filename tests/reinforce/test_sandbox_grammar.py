import numpy as np
import pytest

from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import SnippetFault
from tests.reinforce.bench import BOXES, GOOD, PICTURE, workbench


def shown(code: str) -> np.ndarray:
    bench = workbench()
    GrammarSandbox().run(code, bench)
    return np.array(bench.shown)


@pytest.mark.parametrize(
    "code",
    [
        GOOD,
        "display(focus_on_columns_with_mask(image_1, ['Team'], columns_bbox))",
        "display(image=focus_on_columns_with_mask(image_1, names=('Team',)))",
        "# a comment\n'a text'\nnames = ['Team']\nb = columns_bbox\n"
        "x = focus_on_columns_with_mask(image_1, names, b)\ndisplay(x)\n",
        "b = {'Team': {'x1': 20, 'y1': -0.0, 'x2': 40, 'y2': 30}, 'Year': {'x1': -0, 'y1': 0, "
        "'x2': 20, 'y2': 30}, 'Won': {'x1': 40, 'y1': 0, 'x2': 60, 'y2': 30}}\n"
        "display(focus_on_columns_with_mask(image_1, ['Team'], b))",
    ],
)
def test_names_literals_and_calls_are_followed(code: str) -> None:
    wanted = TOOLS["focus_on_columns_with_mask"](PICTURE, ["Team"], BOXES["columns"])
    assert np.array_equal(shown(code), wanted)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "x = 1 + 1",
        "x = not 1",
        "x = -'a'",
        "x = b'bytes'",
        "x = ...",
        "x = 1j",
        "x = f'{image_1}'",
        "x = columns_bbox['Year']",
        "x = image_1.size",
        "x, y = 1, 2",
        "x = y = 1",
        "x += 1",
        "del image_1",
        "x = [n for n in ['a']]",
        "x = {'a', 'b'}",
        "x = {**columns_bbox}",
        "x = {1 + 1: 2}",
        "x = [*columns_bbox]",
        "x = 1 if 1 else 2",
        "x = lambda: 1",
        "image_1",
        "undefined",
        "x = undefined",
        "display = 1",
        "focus_on_columns_with_mask = display",
        "display(*[image_1])",
        "display(**{'image': image_1})",
        "display()()",
        "print(1)",
        "if 1:\n    display(image_1)",
        "while 1: pass",
        "def f(): pass",
        "x: int = 1",
        "display(image_1",
        "x = " + "[" * 90 + "]" * 90,
        "x = [" + "columns_bbox, " * 20_001 + "]",
    ],
)
def test_all_else_is_refused(code: str) -> None:
    with pytest.raises(SnippetFault):
        shown(code)


@pytest.mark.parametrize(
    "opening", ["(", "[", "{", "-", "not ", "lambda: ", "f(", "a[", "1+", "a."]
)
def test_no_nesting_ends_the_reader(opening: str) -> None:
    with pytest.raises(SnippetFault):
        shown(opening * (8_000 // len(opening)))
    with pytest.raises(SnippetFault):
        shown(f"x = {opening * (7_000 // len(opening))}1")


def test_what_was_displayed_before_a_fault_stays_and_the_line_is_named() -> None:
    bench = workbench()
    with pytest.raises(SnippetFault, match="Line 3"):
        GrammarSandbox().run(f"{GOOD}\ndisplay(7)", bench)
    assert bench.shown is not None
