import hashlib

import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.chart_data import KINDS, ChartKind, ChartOptions
from tastemaker.worlds.chart_questions import TEMPLATES
from tastemaker.worlds.charts import AskedChart, AskedOptions, Split, asked_chart, asked_charts

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
SMALL = ChartOptions(width=64, height=64)


def digest(one: AskedChart) -> str:
    text = repr((one.chart, one.question, one.drawn.boxes, one.drawn.marks)).encode()
    return hashlib.sha256(one.drawn.image.tobytes() + text).hexdigest()


def some(split: Split, many: int = 40, seed: int = 0) -> list[AskedChart]:
    options = ChartOptions(width=64, height=64, seed=seed)
    return list(asked_charts(options, AskedOptions(), split, many))


def test_the_same_seed_gives_the_same_bytes_however_many_are_drawn() -> None:
    first = [digest(one) for one in some("train")]
    assert first == [digest(one) for one in some("train")]
    assert digest(asked_chart(SMALL, AskedOptions(), "train", 7)) == first[7]
    assert first != [digest(one) for one in some("train", seed=1)]


def test_no_chart_is_in_two_splits() -> None:
    shown = [{repr(one.chart.values) for one in some(split)} for split in ("train", "test")]
    assert not shown[0] & shown[1]


def test_what_is_held_out_is_asked_in_no_other_split() -> None:
    asked = AskedOptions()
    for split, templates in (
        ("train", asked.templates),
        ("test", asked.templates),
        ("held_out", asked.held_out),
    ):
        assert {one.question.template for one in some(split, 80)} == set(templates)
    rest = set(TEMPLATES) - {*asked.templates, *asked.held_out}
    assert rest == {"highest", "lowest"}, "these are asked where somebody names them"


@pytest.mark.parametrize("kind", KINDS)
def test_what_to_look_at_has_boxes(kind: ChartKind) -> None:
    for one in asked_charts(ChartOptions(kinds=(kind,), width=64, height=64), AskedOptions(),
                            "train", 10):  # fmt: skip
        assert one.focus.keys() == one.drawn.boxes.keys()
        for axis, names in one.focus.items():
            assert names and set(names) <= one.drawn.boxes[axis].keys()


@pytest.mark.parametrize(
    "wrong", [{"templates": ()}, {"templates": ("mean",)}, {"held_out": ("lookup",)}]
)
def test_templates_are_known_and_parted(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(BadInput):
        AskedOptions(**wrong)  # type: ignore[arg-type]


def test_splits_are_known_and_hold_something() -> None:
    with pytest.raises(BadInput, match="no split"):
        asked_chart(SMALL, AskedOptions(), "validation", 0)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="held out"):
        asked_chart(SMALL, AskedOptions(held_out=()), "held_out", 0)
