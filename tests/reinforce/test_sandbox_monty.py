import builtins
from collections.abc import Iterator

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.sandbox import open_sandbox, run_snippet
from tastemaker.reinforce.sandbox_monty import MontySandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import SandboxLimits
from tests.reinforce.bench import BOXES, GOOD, PICTURE, workbench

pytest.importorskip("pydantic_monty", reason="needs tastemaker[rl]")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[MontySandbox]:
    with MontySandbox() as made:
        yield made


def test_loops_functions_and_sums_run(sandbox: MontySandbox) -> None:
    code = """
def focus(image, names):
    for name in names:
        image = focus_on_columns_with_draw(image, [name], columns_bbox)
    return image
names = [name for name in columns_bbox if columns_bbox[name]['x1'] >= 10 * 2]
print('names', names)
display(focus(image_1, names))
"""
    ran = run_snippet(sandbox, code, workbench())
    wanted = TOOLS["focus_on_columns_with_draw"](PICTURE, ["Team", "Won"], BOXES["columns"])
    assert ran.error == "" and np.array_equal(ran.image, wanted)


def test_a_snippet_leaves_nothing_to_the_next(sandbox: MontySandbox) -> None:
    assert run_snippet(sandbox, f"secret = 7\n{GOOD}", workbench()).image is not None
    assert "secret" in run_snippet(sandbox, "display(secret)", workbench()).error


def test_memory_recursion_and_calls_are_bounded_by_the_sandbox_itself(
    sandbox: MontySandbox,
) -> None:
    assert "Memory" in run_snippet(sandbox, "x = [0] * 10**10", workbench()).error
    assert "Recursion" in run_snippet(sandbox, "def f():\n    f()\nf()", workbench()).error
    quick = workbench(SandboxLimits(seconds=0.2))
    assert "time" in run_snippet(sandbox, "while True:\n    pass", quick).error.lower()
    code = "for _ in range(101):\n    display(image_1)"
    assert "100 calls" in run_snippet(sandbox, code, workbench()).error


def test_a_fault_of_a_tool_can_be_caught_and_mended(sandbox: MontySandbox) -> None:
    code = f"try:\n    display(7)\nexcept ValueError:\n    pass\n{GOOD}"
    assert run_snippet(sandbox, code, workbench()).image is not None


def test_without_the_library_no_weaker_sandbox_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "pydantic_monty":
            raise ImportError("No module named 'pydantic_monty'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match=r"tastemaker\[rl\]"):
        open_sandbox()
