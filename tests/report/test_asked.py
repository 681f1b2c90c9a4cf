"""The page of one answer: every step in order, and nothing in it runs."""

import pytest

from tastemaker.report.asked import render
from tests.report.test_visual import STEP

ANSWER = {
    "question": "Which <b>is?",
    "answer": "12",
    "outcome": "used",
    "model": "runs/<i>x",
    "picture": "0.png",
    "steps": [STEP, {"text": "FINAL ANSWER: 12. TERMINATE", "code": None}],
    "boxes": {"columns": ["Year", "<u>Won"]},
    "warnings": ["Take care."],
}


def test_steps_stand_in_their_order() -> None:
    page = render(ANSWER, {"0.png": b"a", "1.png": b"b"})
    told = ["Take care.", "used the tool", "&lt;tool_call&gt;", "display(image_1)", "Yg==",
            "Here it is.", "FINAL ANSWER", "&lt;u&gt;Won"]  # fmt: skip
    places = [page.index(one) for one in told]
    assert places == sorted(places)
    assert "<script" not in page and "<b>" not in page and "<i>" not in page
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page


@pytest.mark.parametrize("missing", [*ANSWER, "all"])
def test_what_is_missing_is_left_out(missing: str) -> None:
    kept = {} if missing == "all" else {k: v for k, v in ANSWER.items() if k != missing}
    assert "<h1>" in render(kept, {})


@pytest.mark.parametrize(("outcome", "again"), [("used", "edited"), ("unchanged", "unchanged")])
def test_a_picture_that_stayed_as_it_was_is_not_called_an_edited_one(
    outcome: str, again: str
) -> None:
    page = render(ANSWER | {"outcome": outcome}, {"0.png": b"a", "1.png": b"b"})
    assert f"<figcaption>The {again} picture, which it was shown" in page
