"""Each of the nine lines, word for word, of a plan that is written here."""

from typing import Any

import pytest

from tastemaker.commands.video_shown import show_plan, show_plot, show_sweep

X = {"parameters": 2.8e9, "frames": 8.0, "tokens": 196.0}
SPAN = {"median": -0.003, "interval90": [-0.004, -0.002]}
PRICED = {
    **X,
    "flops": 1.406464e13,
    "error": 0.3439,
    "interval90": [0.341, 0.346],
    "context": 1568.0,
    "vision_share": 0.3757,
}


def told() -> dict[str, Any]:
    """A plan as `video_plan.plan` gives it."""
    fit, cost = "your fit", "your fit; cost from the literature"
    row = {**SPAN, "saturated": False, "edge": False, "known": True}
    return {
        "flops": 15e12,
        "examples": 8000.0,
        "best": {"source": cost, **PRICED, "chance": 0.81},
        "runners_up": {
            "source": cost,
            "rows": [{**PRICED, "parameters": 7.5e9, "frames": 4.0, "chance": 0.17}],
            "more": 2,
        },
        "gain": {
            "source": cost,
            "naive": "the largest model that fits, then the most frames",
            **X,
            "gain": {"median": 0.04, "interval90": [0.03, 0.05]},
            "gain_over_median": {"median": 0.05, "interval90": [0.04, 0.06]},
        },
        "marginal": {
            "source": cost,
            "rows": {
                "parameters": row,
                "frames": {**row, "saturated": True},
                "tokens": {**row, "edge": True, "known": False, "saturated": True},
            },
            "wants": "parameters",
        },
        "next": {
            "source": cost,
            "budget_doubles": {**PRICED, "frames": 16.0, "beyond": {}},
            "examples_double": {**X, "error": 0.33, "beyond": {"examples": 2.0}},
            "elasticities": {
                "parameters": {"median": -0.22, "interval90": [-0.3, -0.1]},
                "frames": {"median": 0.17},
            },
        },
        "lm_only": {
            "source": cost,
            **PRICED,
            "frames": 12.0,
            "thought": 1.3e13,
            "over_budget": 1.406,
            "same": False,
        },
        "tasks": {"source": "literature", "rows": {"PerceptionTest": {"wants": "tokens"}}},
        "break_even": {
            "source": cost,
            "videos": 19872.4,
            "tuning_flops": 3e17,
            "monthly_over_tuning": 503.2,
        },
        "warnings": {
            "source": fit,
            "beyond": {"examples": 31.25},
            "unknown": ["tokens"],
            "cheaper": None,
            "dearer": PRICED,
            "checks": {"fitted": {"percent": 0.65}},
            "points": 20,
            "parameters": 15,
            "few": True,
            "notes": ["a note"],
            "grid": 105,
        },
    }


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    show_plan(told())
    text = " ".join(capsys.readouterr().out.split())
    starts = [text.index(f" {number}. ") for number in range(1, 10)]
    ends = [*starts[1:], len(text)]
    return [text[: starts[0]], *(text[a:b].strip() for a, b in zip(starts, ends, strict=True))]


WORDS = [
    ("15 TFLOPs a video", "8,000 fine-tuning examples"),
    (
        "Best: 2.8B model, 8 frames of 196 tokens",
        "error 0.3439 (0.3410 to 0.3460)",
        "14.1 TFLOPs",
        "38 % of it to see",
        "1,568 tokens of context",
        "best in 81 %",
    ),
    ("7.5B model, 4 frames of 196 tokens at 14.1 TFLOPs", "best in 17%", "and 2 more"),
    (
        "against the largest model that fits, then the most frames",
        "+0.0400 (+0.0300 to +0.0500)",
        "the median of what is paid for +0.0500",
    ),
    (
        "parameters -0.0030 (-0.0040 to -0.0020);",
        "frames -0.0030",
        "[saturated]",
        "[not measured, at the end of the grid]",
        "wants parameters",
    ),
    (
        "Twice the budget: 2.8B model, 16 frames",
        "Twice the examples: 2.8B model, 8 frames",
        "0.3460). Twice the examples",
        "error 0.3300 (outside what was measured: examples by 2 ×); 1 % more",
        "parameters -0.22 (-0.30 to -0.10), frames +0.17 [",
    ),
    ("would choose 2.8B model, 12 frames", "really costs 14.1 TFLOPs, 1.41 × the budget"),
    ("By task: PerceptionTest wants tokens [literature]",),
    ("After 19,872 videos", "a month of them costs 503 × as much"),
    (
        "examples lie outside what was measured by a factor of 31.2",
        "tokens did not vary",
        "20 runs for 15 parameters are few",
        "a note",
        "the fit is off by: fitted 0.65 %",
        "next above the budget: 2.8B model, 8 frames of 196 tokens at 14.1 TFLOPs",
        "[your fit]",
    ),
]


@pytest.mark.parametrize("number", range(10))
def test_a_line_says_what_it_is_made_of(lines: list[str], number: int) -> None:
    for words in WORDS[number]:
        assert words in lines[number], words


def test_every_line_ends_with_its_source(lines: list[str]) -> None:
    sources = [line["source"] for line in told().values() if isinstance(line, dict)]
    assert [line.endswith(f"[{source}]") for line, source in zip(lines[1:], sources, strict=True)]
    for line, source in zip(lines[1:], sources, strict=True):
        assert line.endswith(f"[{source}]")


def test_text_from_a_file_is_shown_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    plan = told()
    plan["warnings"]["notes"] = ["[red]\x1b[31mrare\x1b[0m[/red]"]
    show_plan(plan)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "[red]" in shown


def test_a_page_and_a_sweep_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    show_plot({"page": "frontier.html"})
    show_sweep({"runs": 1, "encoder": 0.955, "points": "points.csv", "fit": "tastemaker video fit"})
    assert capsys.readouterr().out.splitlines() == [
        "frontier.html",
        "1 run; the frame encoder tells 96% of places",
        "points.csv",
        "tastemaker video fit",
    ]
