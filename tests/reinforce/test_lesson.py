"""What a trainer teaches: the order of prompts, and advantages of labels in words."""

import pytest
import torch

from tastemaker.reinforce.lesson import Lesson, known_of, schedule, taught
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig

VOTES = SignalConfig(restrain=RestrainConfig(sigma=0.25))
ROW = {"prompt_weight": 1.0}


def lesson(name: str = "restrain") -> Lesson:
    return Lesson(name, VOTES, lambda *_: [])  # type: ignore[arg-type]


def test_all_prompts_come_before_one_comes_again() -> None:
    order = schedule(5, 12, 3)
    assert sorted(order[:5]) == sorted(order[5:10]) == [*range(5)]
    assert len(order) == 12 and order == schedule(5, 12, 3) != schedule(5, 12, 4)
    assert schedule(5, 7, 3) == order[:7]


def test_the_golden_group() -> None:
    streams, seen = taught(lesson(), [ROW], [list("aaaaabbc")], torch.ones(1, 8))
    want = torch.tensor([0.675890] * 5 + [-1.108918] * 2 + [-1.161611])
    torch.testing.assert_close(streams.total[0], want, rtol=0, atol=1e-5)
    assert seen.majority == 5 / 8 and seen.length == 1


def test_one_answer_has_one_name_in_all_groups() -> None:
    rows, groups = [ROW, ROW], [["a", "a", "b"], ["a", "c", None]]
    _, seen = taught(lesson("ttrl"), rows, groups, torch.ones(2, 3))
    assert seen.commonest == 3 / 6 and seen.unreadable == pytest.approx(1 / 6)


def test_known_answers_stand_behind_the_group() -> None:
    row = {"prompt_weight": 1.0, "gold": "b", "base_answer": "a", "base_share": 0.75}
    assert known_of(row) == ["b", "a"]
    groups = [["a", "b", "a", "b", "a"]]
    up, _ = taught(lesson("gold"), [row], groups, torch.ones(1, 3))
    assert up.total[0].gt(0).tolist() == [False, True, False]
    base, _ = taught(lesson("srt-majority"), [row], groups, torch.ones(1, 3))
    assert base.total[0].gt(0).tolist() == [True, False, True]
