"""Shares by step: what is drawn, what is said in words, hostile names."""

import xml.etree.ElementTree as ET

from tastemaker.report.step_charts import Line, step_chart


def marks(picture: str, kind: str) -> int:
    """How many marks of a kind a picture has."""
    groups = [one for one in ET.fromstring(picture).iter() if kind in (one.get("class") or "")]
    return sum(len(list(group)) for group in groups if "role-mark" in (group.get("class") or ""))


def test_every_value_is_a_dot_and_every_level_a_rule() -> None:
    lines = [Line("text", (0.2, 0.3, None), 0.1), Line("collaborative", (0.4, 0.5, 0.6))]
    picture = step_chart(lines, "Right", "thought")
    assert marks(picture, "mark-symbol") == 5
    assert marks(picture, "mark-rule") == 1
    assert marks(picture, "mark-line") == 2
    said = ET.fromstring(picture).get("aria-label") or ""
    assert said.startswith("Right by thought. text: 20.0")
    assert "compared with 10.0" in said and "collaborative: 40.0" in said


def test_one_step_is_a_dot_without_a_line() -> None:
    picture = step_chart([Line("text", (0.2,))], "Uncertainty", "thought", whole=True)
    assert marks(picture, "mark-symbol") == 1
    assert marks(picture, "mark-rule") == 0


def test_names_that_say_the_same_stay_apart_and_markup_is_text() -> None:
    long = "a very long name of a verifier "
    lines = [Line(f"{long}{n}<script>", (0.2, 0.3)) for n in range(9)]
    picture = step_chart(lines, "Right", "thought")
    assert "<script>" not in picture
    assert marks(picture, "mark-line") == 9
