"""Answers: from completions to codes and verdicts; nothing is ever stopped by one of them."""

import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.reinforce import checkers
from tastemaker.reinforce.answers import AnswerOptions, Answers
from tastemaker.reinforce.checkers import Limits
from tastemaker.reinforce.votes import Votes
from tests.reinforce.test_checker_process import needs_library

EXACT = AnswerOptions(exact=True)


def test_codes_are_what_votes_take() -> None:
    completions = [
        ["The answer is 5.", r"\boxed{5.0}", "no idea", "six? 6"],
        ["(A)", "the answer is a", "(B)", "?"],
    ]
    with Answers(EXACT) as answers:
        codes = answers.codes(completions, ["number", "choice"])
    assert codes == [[0, 0, -1, 1], [0, 0, 1, -1]]
    assert Votes.of(torch.tensor(codes)).majority.tolist() == [2, 2]


def test_verdicts() -> None:
    completions = ["#### 1,000", "1001", "?", r"\boxed{\frac24}", '{"city": "Rome"}', "(c)"]
    golds = ["1000", "1000", "1000", "0.5", "Rome", "C"]
    kinds = ["number", "number", "number", "maths", "json:city", "choice"]
    with Answers(EXACT) as answers:
        assert answers.right(completions, golds, kinds) == [True, False, False, True, True, False]
        assert answers.right([], [], []) == []


def test_numbers_and_choices_need_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "find_spec", lambda name: None)
    with Answers() as answers:
        assert answers.codes([["1", "2"]], ["number"]) == [[0, 1]]
        assert answers.right(["(A)"], ["A"], ["choice"]) == [True]
        assert answers.killed == 0
        with pytest.raises(BadInput) as refused:
            answers.codes([["$x$", "$y$"]], ["maths"])
    assert "tastemaker[rl]" in refused.value.fix
    with Answers(EXACT) as answers:
        assert answers.codes([["$x$", "$y$", "$x$"]], ["maths"]) == [[0, 1, 0]]


def test_units_are_kept_if_asked() -> None:
    completions = [[r"\boxed{5 \text{ cm}}", r"\boxed{5}"]]
    assert Answers(EXACT).codes(completions, ["maths"]) == [[0, 0]]
    kept = AnswerOptions(exact=True, units=False)
    assert Answers(kept).codes(completions, ["maths"]) == [[0, 1]]


def test_what_does_not_fit_together_is_refused() -> None:
    answers = Answers(EXACT)
    for call in (
        lambda: answers.codes([["1"]], []),
        lambda: answers.codes([["1"]], ["sum"]),
        lambda: answers.right(["1"], ["1", "2"], ["number"]),
        lambda: answers.right(["1"], ["one"], ["number"]),
    ):
        with pytest.raises(BadInput):
            call()


@needs_library
def test_mathematics_with_a_tower_of_powers_among_it() -> None:
    group = [
        r"\boxed{x+1}", r"so $1+x$", r"\boxed{9^{9^{9^9}}}", r"\boxed{x-1}", "?", r"\boxed{{{{}",
        r"\boxed{9**9**9**9}",
    ]  # fmt: skip
    with Answers(AnswerOptions(limits=Limits(cpu=1.0, wall=60.0))) as answers:
        (codes,) = answers.codes([group], ["maths"])
        assert codes[:2] == [0, 0]
        assert codes[2] not in (codes[0], codes[3], -1)
        assert codes[4] == -1
        assert 1 <= answers.killed <= 3
        golds, kinds = ["x+1"] * len(group), ["maths"] * len(group)
        assert answers.right(group, golds, kinds) == [True, True] + [False] * 5
