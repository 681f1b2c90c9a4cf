"""Recipes of small language models: what texts say wrong, who is measured, and what counts."""

import importlib
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.reinforce.policy import open_policy
from tastemaker.reinforce.prompts import Prompt, asked


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes"))
    return importlib.import_module


def question(text: str, gold: int) -> Prompt:
    return Prompt(text, asked(text), str(gold), "number")


@pytest.mark.parametrize(
    ("problem", "slip"),
    [("47 + 38", 75), ("57 + 99", 146), ("52 - 37", 25), ("24 - 70", 54), ("50 + 37", 87)],
)
def test_who_forgets_to_carry_takes_digits_apart(shared: Any, problem: str, slip: int) -> None:
    first, operation, second = problem.split()
    assert shared("restrain_arithmetic").forgetful(int(first), int(second), operation) == slip


def test_texts_mislead_where_they_are_said_to(shared: Any) -> None:
    recipe, rng = shared("restrain_arithmetic"), np.random.default_rng(0)
    for text, right, slip, wrong in (("52 - 37 =", 15, 25, True), ("47 + 38 =", 85, 75, False)):
        prompt = question(text, right)
        said = [recipe.says(prompt, rng) for _ in range(2000)]
        assert (said.count(str(slip)) > said.count(str(right))) is wrong
        assert recipe.misled(prompt) is wrong
        assert 0.2 < said.count(str(right)) / 2000 < 0.5


def test_arithmetic_is_asked_once(shared: Any) -> None:
    task = shared("restrain_arithmetic").task(20)
    parts = [task.texts, task.learnt, task.looked, task.held_out]
    ids = [{one.id for one in part} for part in parts]
    assert all(ids) and not any(one & other for one, other in combinations(ids, 2))


def test_no_question_of_a_part_stands_in_another(shared: Any) -> None:
    cut = shared("restrain_questions").questions(20)
    held_out, looked, learnt, texts = ({one.prompt.messages[0]["content"] for one in part}
                                       for part in cut)  # fmt: skip
    assert (len(held_out), len(looked), len(learnt)) == (20, 10, 20) and len(texts) > 1000
    assert not any(one & other for one, other in combinations((held_out, looked, learnt, texts), 2))


def test_brief_questions_tell_as_much(shared: Any) -> None:
    recipe = shared("restrain_questions")
    task = recipe.task(recipe.questions(20))
    parts = (task.texts, task.learnt, task.looked, task.held_out)
    seen = [one.messages[0]["content"] for part in parts for one in part]
    assert len(set(seen)) == len(seen) > 1000
    for one, text in zip((one for part in parts for one in part), seen, strict=True):
        said, wanted = text.split("; ")
        assert said.split().count(wanted.rstrip("?")) == int(one.gold or 0)


def test_texts_count_many_too_low(shared: Any) -> None:
    recipe, rng = shared("restrain_questions"), np.random.default_rng(0)
    for right, wrong in ((recipe.LONG, False), (recipe.LONG + 1, True)):
        prompt = question("a", right)
        said = [recipe.says(prompt, rng) for _ in range(4000)]
        assert (said.count(str(right - 1)) > said.count(str(right))) is wrong
        assert recipe.misled(prompt) is wrong


def test_who_names_numbers_does_not_count_by_that(shared: Any) -> None:
    measures = shared("restrain_language").measures
    prompts = [question("a", 3), question("b", 5)]
    before = measures([["3", "many", "4", "few"], ["many", "some", "5", "6"]], prompts)
    after = measures([["3", "4", "4", "3"], ["5", "5", "6", "6"]], prompts)
    assert before["parsed"].tolist() == [0.5, 0.5] and after["parsed"].tolist() == [1, 1]
    assert before["exact"].tolist() == after["exact"].tolist() == [0.5, 0.5]
    assert before["pass@1"].tolist() == [0.25, 0.25]
    nothing = measures([["many"] * 4, ["6"] * 4], prompts)
    assert nothing["exact"].tolist() == [0, 0] and nothing["distinct"].tolist() == [0, 1]


def test_counting_is_told_by_polarity(shared: Any) -> None:
    recipe = shared("restrain_questions")
    held_out = recipe.questions(10)[0]
    right = [[str(one.count)] * 2 for one in held_out]
    told = recipe.by_polarity(held_out, right * 3)
    assert told["parsed"] == 1
    assert {told[name] for name in told if name.startswith("exact")} == {1}
    assert recipe.by_polarity(held_out, [["many", "7"]] * 10)["parsed"] == 0.5


def test_a_pretrained_model_is_made_once_and_reads_a_character_a_token(
    shared: Any, tmp_path: Path
) -> None:
    recipe, arithmetic = shared("restrain_pretrained"), shared("restrain_arithmetic")
    task, small = arithmetic.task(10), recipe.Small(dim=16, layers=1, steps=2, batch=4)
    folder = recipe.pretrained(tmp_path / "model", task, small, 0)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert recipe.pretrained(folder, task, small, 0) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    policy = open_policy(folder, 0, 0)
    ids = policy.tokens(asked("12 + 30 ="))
    assert len(ids) == len("12+30=\n") and policy.tokenizer.decode(ids) == "12+30=\n"
    (replies,) = policy.answers([asked("12 + 30 =")], 4, 0.6, 5, 0)
    assert len(replies) == 4 and not any("<" in reply for reply in replies)
