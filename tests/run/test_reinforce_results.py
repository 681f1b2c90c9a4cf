"""What is told: whether a model is kept, and what to know before believing the rest."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.policy import Policy
from tastemaker.reinforce.prompts import Prompt, asked
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig
from tastemaker.reinforce.untrained_votes import BaseVotes
from tastemaker.run.reinforce_results import (
    Exercise,
    ReinforceConfig,
    read_shares,
    results_of,
    verdict,
    votes_told,
    warnings_of,
)

CONFIG = ReinforceConfig("model", base_n=4)


def told(lines: list[dict[str, object]], config: ReinforceConfig = CONFIG, **more: Any) -> str:
    results = {"model": {"chats": True}, "base_votes": None} | more
    return " ".join(warnings_of(results, lines, config))


def test_what_rewards_rare_answers_or_reads_none_or_hardly_moves_is_said() -> None:
    assert told([{"falling": 0.0, "unreadable": 0.1}]) == ""
    assert "1 step" in told([{"falling": 0.5}, {"falling": 0.0}])
    assert "falling" not in told([{"falling": 0.5}], ReinforceConfig("model", "ttrl"))
    assert told([{"falling": 0.5}], ReinforceConfig("model", "ttrl")) == ""
    assert "90%" in told([{"unreadable": 0.9}])
    assert "chat template" in told([], model={"chats": False})
    few = {"base_votes": {"weights": {"mean": 0.01}}}
    assert "0.01" in told([], **few)
    mean = SignalConfig(restrain=RestrainConfig(normalise_prompt_weights="mean"))
    assert told([], ReinforceConfig("model", signals=mean), **few) == ""


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (None, None, "unchecked"),
        ([0.5, 0.5], [0.25, 0.75], "yes"),
        ([0.5, 0.5], [0.75, 0.75], "yes"),
        ([0.5, 0.5], [0.5, 0.25], "no"),
    ],
)
def test_a_model_is_kept_where_accuracy_did_not_fall(before: Any, after: Any, kept: str) -> None:
    assert verdict(before, after)["kept"] == kept


def test_prompts_weigh_by_the_votes_of_the_untrained_model() -> None:
    votes = [BaseVotes("a", 4), BaseVotes("b", 2), BaseVotes(None, 0)]
    base = votes_told(votes, CONFIG)["base_votes"]
    assert base["majority"] == 0.5 and base["weights"]["most"] == pytest.approx(1)
    assert votes_told(None, CONFIG) == {"base_votes": None}


def test_the_widths_that_were_taken_are_told() -> None:
    policy = Policy(None, SimpleNamespace(chat_template=""), Path(), "f" * 64, 9, 0)
    votes = results_of(CONFIG, policy, Exercise("p", [], ""), None)["signals"]["restrain"]
    assert votes["sigma"] == votes["prompt_sigma"] == 0.25
    wide = ReinforceConfig(
        "m", learning=LearningConfig(n=64), signals=SignalConfig(restrain=RestrainConfig(k=0.5))
    )
    votes = results_of(wide, policy, Exercise("p", [], ""), None)["signals"]["restrain"]
    assert (votes["sigma"], votes["prompt_sigma"], votes["k"]) == (0.2, 0.25, 0.5)


@pytest.mark.parametrize(
    "kept",
    ["{}", '{"shares": []}', '{"shares": [0.5]}', '{"shares": [0.5, "x"]}',
     '{"shares": [0.5, NaN]}', '{"shares": [0.5, 2]}', '{"shares": 1}', "[]", "junk"],
)  # fmt: skip
def test_accuracy_that_is_not_of_these_prompts_is_not_believed(tmp_path: Path, kept: str) -> None:
    path = tmp_path / "accuracy-before.json"
    path.write_text(kept)
    with pytest.raises(ArtefactError):
        read_shares(path, 2)
    path.write_text('{"shares": [0.5, 1]}')
    assert read_shares(path, 2) == [0.5, 1]


def test_an_exercise_knows_what_it_lacks() -> None:
    whole = Exercise("p", [Prompt("one", asked("1?"), "1", "number")], "0" * 64)
    part = Exercise("p", [*whole.prompts, Prompt("two", asked("2?"), None, "number")], "0" * 64)
    assert whole.without() == "" and part.without() == "two"
    assert part.kinds == ["number", "number"] and part.answers == ["1", None]
