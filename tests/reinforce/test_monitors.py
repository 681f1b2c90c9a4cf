"""What a step shows, by hand."""

import pytest
import torch

from tastemaker.reinforce.monitors import monitored, pass_at_1
from tastemaker.reinforce.restrain import RestrainConfig, advantages

ANSWERS = torch.tensor([[0, 0, 0, 1], [2, 2, 0, -1], [1, 2, 3, 4]])


def test_the_numbers_of_a_step() -> None:
    streams = advantages(ANSWERS, None, RestrainConfig(kappa=2))
    found = monitored(ANSWERS, streams, torch.tensor([0.5, 1.5]), torch.tensor([[3, 5]]))
    assert found.majority == pytest.approx((3 + 2 + 1) / 12)
    assert found.distinct == pytest.approx((2 + 2 + 4) / 3)
    assert found.commonest == pytest.approx(4 / 12)
    assert found.unreadable == pytest.approx(1 / 12)
    assert found.penalised == pytest.approx(1 / 3)
    assert found.falling == 0 and found.correlation is not None and found.correlation > 0.9
    assert found.pull == pytest.approx(float(streams.total.abs().mean()))
    assert (found.entropy, found.length) == (1, 4)


def test_a_width_that_rewards_rare_answers_shows() -> None:
    answers = torch.tensor([[0] * 8 + [1] * 4 + [2] * 3 + [3], [0] * 16])
    wide = monitored(answers, advantages(answers, None, RestrainConfig(sigma=1.0)))
    usual = monitored(answers, advantages(answers, None, RestrainConfig()))
    assert wide.falling == 0.5 and usual.falling == 0
    assert wide.correlation is not None and usual.correlation is not None
    assert wide.correlation < 0 < usual.correlation


@pytest.mark.parametrize("row", [[3] * 4, [-1] * 4])
def test_a_step_without_a_difference_has_no_correlation(row: list[int]) -> None:
    answers = torch.tensor([row])
    found = monitored(answers, advantages(answers, None, RestrainConfig()))
    assert found.correlation is None and found.entropy is None and found.length is None
    assert found.commonest == (1 if row[0] >= 0 else 0)


def test_the_first_answer_is_right_as_often_as_answers_are() -> None:
    found = pass_at_1(ANSWERS, torch.tensor([0, 2, -1]))
    assert found.tolist() == [0.75, 0.5, 0]
