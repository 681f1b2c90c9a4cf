import numpy as np
import pytest

from tastemaker.data.boxes import Box
from tastemaker.errors import BadInput
from tastemaker.reinforce.tools import TOOLS, ToolFault
from tastemaker.reinforce.workbench import (
    MOST_BOXES,
    SandboxLimits,
    TooMuch,
    as_tables,
    error_line,
)
from tests.reinforce.bench import BOXES, PICTURE, workbench

MASK = "focus_on_columns_with_mask"


def test_a_snippet_sees_handles_and_plain_values_alone() -> None:
    bench = workbench()
    assert bench.values["image_1"] == "<image 1>"
    assert bench.values["columns_bbox"]["Team"] == {"x1": 20, "y1": 0, "x2": 40, "y2": 30}
    assert set(bench.functions) == {
        name for name in TOOLS if "_columns_" in name or "_rows_" in name
    } | {"display"}


def test_an_edit_is_a_new_picture_and_what_is_displayed_last_is_shown() -> None:
    bench = workbench()
    two = bench.call(MASK, ["<image 1>", ["Team"], bench.values["columns_bbox"]], {})
    three = bench.call("focus_on_rows_with_draw", [two, ["1991"]], {})
    assert (two, three) == ("<image 2>", "<image 3>")
    assert bench.call("display", [two], {}) is None
    wanted = TOOLS[MASK](PICTURE, ["Team"], BOXES["columns"])
    assert bench.shown is not None and np.array_equal(bench.shown, wanted)
    bench.call("display", [], {"image": "<image 1>"})
    assert bench.shown is PICTURE


def test_arguments_go_by_name_too_also_by_those_of_the_original_tools() -> None:
    bench = workbench()
    bench.call(MASK, ["<image 1>"], {"names": ["Team"], "boxes": bench.values["columns_bbox"]})
    others = {"columns_to_focus_on": ["Team"], "all_columns_bounding_boxes": {}}
    bench.call(MASK, ["<image 1>"], others)


def test_numbers_and_a_single_name_are_names() -> None:
    bench = workbench()
    for names in ([1991], "1991", 1991):
        handle = bench.call("focus_on_rows_with_mask", ["<image 1>", names], {})
        bench.call("display", [handle], {})
        assert np.array_equal(
            bench.shown, TOOLS["focus_on_rows_with_mask"](PICTURE, ["1991"], BOXES["rows"])
        )


CORNERS = {"x1": 0, "y1": 0, "x2": 9, "y2": 9}


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("display", [], {}),
        ("display", ["<image 2>"], {}),
        ("display", [None], {}),
        ("display", ["<image 1>", 2], {}),
        ("display", ["<image 1>"], {"image": "<image 1>"}),
        ("open", ["<image 1>"], {}),
        ("focus_on_x_values_with_mask", ["<image 1>", ["a"]], {}),
        (MASK, ["<image 1>"], {}),
        (MASK, ["<image 1>", None], {}),
        (MASK, ["<image 1>", {"Team": 1}], {}),
        (MASK, ["<image 1>", [["Team"]]], {}),
        (MASK, ["<image 1>", [10**6000]], {}),
        (MASK, ["<image 1>", ["a"] * 65], {}),
        (MASK, ["<image 1>", ["a"]], {"colour": 1}),
        (MASK, ["<image 1>", ["a"], {}, 4], {}),
        (MASK, ["<image 1>", ["a"], ["a"]], {}),
        (MASK, ["<image 1>", ["a"], {"a": [0, 0, 9, 9]}], {}),
        (MASK, ["<image 1>", ["a"], {"a": CORNERS | {"x2": "9"}}], {}),
        (MASK, ["<image 1>", ["a"], {"a": CORNERS | {"x2": float("nan")}}], {}),
        (MASK, ["<image 1>", ["a"], {"a": CORNERS | {"x2": float("inf")}}], {}),
        (MASK, ["<image 1>", ["a"], {"a": CORNERS | {"x2": 10**400}}], {}),
        (MASK, ["<image 1>", ["a"], {10**6000: CORNERS}], {}),
        (MASK, ["<image 1>", ["a"], dict.fromkeys(range(MOST_BOXES + 1), CORNERS)], {}),
    ],
)
def test_whatever_else_is_handed_over_is_a_fault_of_the_tool(name, given, named) -> None:
    bench = workbench()
    with pytest.raises(ToolFault):
        bench.call(name, given, named)
    assert bench.shown is None


def test_calls_pixels_and_seconds_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = workbench(SandboxLimits(calls=2))
    for _ in range(2):
        bench.call("display", ["<image 1>"], {})
    with pytest.raises(TooMuch, match="2 calls"):
        bench.call("display", ["<image 1>"], {})
    bench = workbench(SandboxLimits(pixels=2 * 60 * 30))
    for _ in range(2):
        bench.call(MASK, ["<image 1>", ["Team"]], {})
    with pytest.raises(TooMuch, match="pixels"):
        bench.call(MASK, ["<image 1>", ["Team"]], {})
    bench = workbench()
    monkeypatch.setattr("time.thread_time", lambda: float("inf"))
    with pytest.raises(TooMuch, match="20 s"):
        bench.call("display", ["<image 1>"], {})


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": 99}, {"calls": 0}, {"memory": -1}])
def test_limits_bound_and_let_something_run(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="no snippet runs"):
        SandboxLimits(**wrong)


def test_unknown_names_are_noted_or_found() -> None:
    bench = workbench()
    bench.call(MASK, ["<image 1>", ["Taem"]], {})
    assert "did you mean 'Team'" in bench.notes[0]
    near = workbench(fuzzy=True)
    near.call(MASK, ["<image 1>", ["Taem"]], {})
    assert near.notes == ["'Taem' was taken for 'Team'."]
    exact = workbench(fuzzy=True)
    exact.call(MASK, ["<image 1>", ["Team"]], {})
    assert exact.notes == []


def test_tools_of_tables_work_on_charts_for_original_checkpoints() -> None:
    boxes = {"x_values": {"a": Box(0, 0, 9, 9)}}
    assert set(as_tables(boxes)) == {"x_values", "columns"}
    assert as_tables(BOXES) == BOXES


def test_an_error_is_one_short_line_without_paths() -> None:
    told = "Traceback\n  File '/opt/code/x.py', line 3\nOSError: no '/etc/passwd' in C:\\x\\y\n"
    assert error_line(told) == "OSError: no '…' in …"
    assert len(error_line("x" * 10_000)) == 200
    assert error_line(" \n ") != ""
    assert "\x1b" not in error_line("a\x1b[31mred")
