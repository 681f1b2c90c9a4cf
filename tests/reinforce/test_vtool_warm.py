"""A warm start shows turns that the loop itself would have had, and teaches them."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs tastemaker[rl]")

from tastemaker.errors import BadInput
from tastemaker.reinforce.picture_questions import of_chart
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.vtool_prompts import final_answer, parsed
from tastemaker.reinforce.vtool_rollout import RolloutOptions, rollouts
from tastemaker.reinforce.vtool_speaker import said_of
from tastemaker.reinforce.vtool_warm import (
    ShownSteps,
    WarmConfig,
    demonstrations,
    rows_of,
    warm_start,
)
from tastemaker.worlds.chart_data import ChartOptions
from tastemaker.worlds.charts import AskedChart, AskedOptions, asked_chart
from tests.reinforce.tool_models import tool_model

OPTIONS = ChartOptions(("v_bar", "table"), 96, 96, fewest=2, most=3, series=1)


def draw(number: int) -> AskedChart:
    return asked_chart(OPTIONS, AskedOptions(), "train", number)


def test_a_demonstration_is_what_the_loop_would_have_had() -> None:
    """Every call runs, and shows the image and the words that the second turn is taught behind."""
    outcomes = set()
    for number in range(8):
        one = draw(number)
        first, second = demonstrations([one], WarmConfig(called=1, named=0.5, seed=number))
        turns = iter([[first.answer], [second.answer]])
        question = of_chart(one)
        (made,) = rollouts(
            lambda talks, turns=turns: next(turns), [question], GrammarSandbox(),
            RolloutOptions(native=True),
        )  # fmt: skip
        outcomes.add(made.outcome)
        assert made.answer == question.answer
        seen = said_of(made.messages[:3])
        assert [said.text for said in seen] == [said.text for said in second.talk]
        for one_said, other in zip(seen, second.talk, strict=True):
            pictures = zip(one_said.pictures, other.pictures, strict=True)
            assert all((a == b).all() for a, b in pictures)
    assert outcomes == {"used", "unchanged"}, "all names of a chart hide none of it"


def test_the_share_of_calls_is_what_was_asked_for() -> None:
    charts = [draw(number) for number in range(60)]
    for share in (0.0, 0.5, 1.0):
        shown = demonstrations(charts, WarmConfig(called=share))
        calls = sum(parsed(one.answer).code is not None for one in shown)
        assert len(shown) == 60 + calls and abs(calls / 60 - share) < 0.2
        assert sum(final_answer(one.answer) is not None for one in shown) == 60


def test_steps_depend_on_their_number_alone_and_learning_lowers_the_loss(tmp_path: Path) -> None:
    vision = tool_model(tmp_path / "model")
    config = WarmConfig(steps=6, rows=3, lr=1e-2)
    steps = ShownSteps(vision, draw, config)
    whole, rest = list(steps.epoch(0)), list(steps.epoch(0, 4))
    assert len(whole) == len(steps) == 6
    assert whole[4].turns.tokens.equal(rest[0].turns.tokens)
    (left,), (right,) = whole[0].parts(0, 2), whole[0].parts(1, 2)
    assert len(left.turns) + len(right.turns) == 3 and left.target_count == whole[0].target_count
    before = float(vision.answer_loss(whole[0].turns)[0].detach())
    fitted = warm_start(vision, draw, config)
    assert fitted.steps == 6 and not vision.training
    assert float(vision.answer_loss(whole[0].turns)[0].detach()) < before


def test_some_steps_tell_of_no_tool(tmp_path: Path) -> None:
    vision = tool_model(tmp_path / "model")
    words = vision.processor.tokenizer
    for bare, told in ((1.0, False), (0.0, True)):
        rows = ShownSteps(vision, draw, WarmConfig(rows=2, bare=bare)).step(0)
        texts = words.batch_decode(rows.tokens)
        assert all(("run_visual_code" in text) == told for text in texts)
        assert all(("focus_on" in text) == told for text in texts)


def test_only_the_turn_itself_is_learned(tmp_path: Path) -> None:
    vision = tool_model(tmp_path / "model")
    shown = demonstrations([draw(1)], WarmConfig(called=1))
    rows = rows_of(vision, shown)
    words = vision.processor.tokenizer
    for row, one in enumerate(shown):
        learned = rows.tokens[row][rows.learned[row]].tolist()
        assert words.decode(learned, skip_special_tokens=True) == one.answer
        assert learned[-1] in vision.prompts.ends
    assert rows.held.tolist() == [1, 2]


@pytest.mark.parametrize("given", [{"steps": 0}, {"rows": 0}, {"called": 2.0}, {"named": -1.0}])
def test_what_warms_nothing_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        replace(WarmConfig(), **given)
