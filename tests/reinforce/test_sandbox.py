"""Every sandbox is tried by the same snippets: good ones, escapes, endless and random ones."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.reinforce.sandbox import Ran, Sandbox, open_sandbox, run_snippet
from tastemaker.reinforce.sandbox_bubblewrap import BubblewrapSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import SandboxLimits
from tests.reinforce.bench import BOXES, GOOD, PICTURE, workbench
from tests.reinforce.escapes import ENDLESS, ODD, READING
from tests.reinforce.test_sandbox_bubblewrap import stand_in

SECRET = "x9canary9x"
QUICK = SandboxLimits(seconds=0.15)


@pytest.fixture(scope="module", params=["monty", "grammar", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if request.param == "monty":
        pytest.importorskip("pydantic_monty", reason="needs tastemaker[rl]")
    try:
        made = open_sandbox(request.param)
    except BadInput as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.fixture(scope="module")
def monty() -> Iterator[Sandbox]:
    pytest.importorskip("pydantic_monty", reason="needs tastemaker[rl]")
    with open_sandbox("monty") as made:
        yield made


def test_a_good_snippet_shows_its_picture(sandbox: Sandbox) -> None:
    ran = run_snippet(sandbox, GOOD, workbench())
    wanted = TOOLS["focus_on_columns_with_mask"](PICTURE, ["Team"], BOXES["columns"])
    assert np.array_equal(ran.image, wanted) and ran.error == ""


def test_a_snippet_that_displays_nothing_has_failed(sandbox: Sandbox) -> None:
    assert "display" in run_snippet(sandbox, GOOD.splitlines()[0], workbench()).error
    assert run_snippet(sandbox, "", workbench()).image is None


def test_what_was_displayed_before_an_error_counts(sandbox: Sandbox) -> None:
    ran = run_snippet(sandbox, f"{GOOD}\ndisplay(7)", workbench())
    assert ran.image is not None and ran.error


def test_an_unknown_name_comes_back_with_what_it_may_have_meant(sandbox: Sandbox) -> None:
    ran = run_snippet(sandbox, GOOD.replace("Team", "Taem"), workbench())
    assert ran.image is not None and "'Team'" in ran.notes[0]


def noticed(sandbox: Sandbox, code: str, folder: Path) -> tuple[Ran, list[str]]:
    """What became of a snippet, and what of it got out."""
    canary, escaped = folder / "canary", folder / "escaped"
    canary.write_text(SECRET)
    out = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = code.replace("{canary}", str(canary)).replace("{escaped}", str(escaped))
        ran = run_snippet(
            sandbox, code.replace("{port}", str(server.getsockname()[1])), workbench()
        )
        server.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            server.accept()[0].close()
            out.append("a connection")
    if SECRET in repr((ran.error, ran.notes)):
        out.append("the canary")
    return ran, out + sorted({*os.listdir(folder)} - {"canary"})


@pytest.mark.parametrize("name", [*READING, *ODD])
def test_nothing_gets_out(
    sandbox: Sandbox, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", SECRET)
    ran, out = noticed(sandbox, (READING | ODD)[name], tmp_path)
    assert not out
    assert ran.image is None and len(ran.error) <= 200
    assert str(tmp_path) not in ran.error
    assert run_snippet(sandbox, GOOD, workbench()).image is not None


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize("name", READING)
def test_without_walls_each_of_them_is_noticed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above could not fail."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    program = stand_in(tmp_path, f'exec env CANARY={SECRET} "$@"')
    (tmp_path / "held").mkdir()
    _, out = noticed(BubblewrapSandbox(program, proved=True), READING[name], tmp_path / "held")
    assert out


@pytest.mark.parametrize("name", ENDLESS)
def test_nothing_goes_on_for_ever(sandbox: Sandbox, name: str) -> None:
    started = time.perf_counter()
    ran = run_snippet(sandbox, ENDLESS[name], workbench(QUICK))
    assert time.perf_counter() - started < 20, "a bound that a busy machine keeps"
    assert ran.image is None and ran.error
    assert run_snippet(sandbox, GOOD, workbench()).image is not None


@pytest.mark.parametrize(
    "code", ["x" * 8_001, "display(image_1)\0", "display(image_1)  # \ud800", "\ufeff", "\r", "\\"]
)
def test_a_code_that_is_no_text_or_too_long_fails(sandbox: Sandbox, code: str) -> None:
    ran = run_snippet(sandbox, code, workbench(QUICK))
    assert ran.image is None and 0 < len(ran.error) <= 200


WORDS = st.sampled_from(
    [
        *TOOLS, "display", "image_1", "columns_bbox", "image_2", "open", "__class__", "import os",
        "os", "while True:", "\n", "\n    ", "=", "(", ")", "[", "]", "'Team'", ",", ".", "*", "**",
        "lambda x:", "10**9", "for x in", "range(9)", "try:", "except:", "raise", "def f():", "f",
        "yield", "class A:", "@", "{", "}", ":", "f'{", "}'", "__import__", "\\", '"""', "#",
        "async ", "await ", "del ", "global ", "-", "~", "1e999", "b'\\xff'", "é", "\u202e",
    ]
)  # fmt: skip
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map(" ".join)))
@FUZZ
def test_whatever_is_written_there_is_an_outcome(sandbox: Sandbox, code: str) -> None:
    bench = workbench(QUICK)
    ran = run_snippet(sandbox, code, bench)
    assert isinstance(ran, Ran) and len(ran.error) <= 200
    assert (ran.image is None) <= bool(ran.error)
    assert ran.image is None or ran.image.size == PICTURE.size


TEXTS = st.sampled_from(["Year", "Team", "Won", "1990", "1991", "Taem", ""])
TOOL = st.sampled_from([name for name in TOOLS if "values" not in name])


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Snippets that the grammar knows; some of them name an image that is not there."""
    lines, images = [], ["image_1"]
    for number in range(2, 2 + draw(st.integers(1, 4))):
        tool, image = draw(TOOL), draw(st.sampled_from([*images, "image_1"]))
        names = draw(
            st.one_of(TEXTS, st.lists(TEXTS, max_size=4), st.lists(st.integers(1990, 1992)))
        )
        boxes = "" if draw(st.booleans()) else f", {tool.split('_')[2]}_bbox"
        lines.append(f"image_{number} = {tool}({image}, {names!r}{boxes})")
        images.append(f"image_{number}")
    lines.append(f"display({draw(st.sampled_from([*images, 'image_9', '7']))})")
    return "\n".join(lines)


@given(programs())
@FUZZ
def test_the_interpreter_and_the_grammar_show_the_same(monty: Sandbox, code: str) -> None:
    one = run_snippet(monty, code, workbench())
    with open_sandbox("grammar") as grammar:
        other = run_snippet(grammar, code, workbench())
    assert (one.image is None) == (other.image is None)
    assert one.notes == other.notes
    if one.image is not None:
        assert np.array_equal(one.image, other.image)


def test_there_are_three_kinds() -> None:
    with pytest.raises(BadInput, match="no sandbox 'exec'"):
        open_sandbox("exec")  # type: ignore[arg-type]
