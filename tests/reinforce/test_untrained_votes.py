"""The untrained model is asked once for a prompt; what is known of it is a count."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tastemaker.reinforce.untrained_votes import Sampling, base_votes, kept_at, shares_correct

ASKED = [({"role": "user", "content": text},) for text in ("a", "b")]
KINDS = ["text", "text"]


class Says:
    """A policy whose answers are known."""

    identity, chats = "1" * 64, True

    def __init__(self, said: dict[str, list[str]]) -> None:
        self.said, self.asked = said, list[str]()

    def answers(self, prompts: Sequence[Any], *how: Any) -> Any:
        for prompt in prompts:
            self.asked.append(prompt[0]["content"])
            yield self.said[prompt[0]["content"]]


def read(texts: Any, known: Any, kinds: Any) -> list[list[str | None]]:
    return [
        [text or None for text in [*group, *beside]]
        for group, beside in zip(texts, known, strict=True)
    ]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path))


def test_a_prompt_is_asked_once_even_after_a_kill() -> None:
    how, policy = Sampling(3, 1.0, 8, 0), Says({"a": ["x", "y", "y"], "b": ["", "", ""]})
    first = base_votes(policy, ASKED[:1], KINDS[:1], how, read)  # type: ignore[arg-type]
    assert (first[0].answer, first[0].votes) == ("y", 2)
    path = kept_at(policy, how)  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes() + b'{"prompt": "half a li')
    done: list[int] = []
    both = base_votes(policy, ASKED, KINDS, how, read, done.append)  # type: ignore[arg-type]
    assert both[0] == first[0] and (both[1].answer, both[1].votes) == (None, 0)
    assert policy.asked == ["a", "b"] and done == [2]


@pytest.mark.parametrize(
    "other", [Sampling(4, 1.0, 8, 0), Sampling(3, 0.5, 8, 0), Sampling(3, 1.0, 9, 0)]
)
def test_other_answers_are_kept_apart(other: Sampling) -> None:
    policy: Any = Says({})
    assert kept_at(policy, other) != kept_at(policy, Sampling(3, 1.0, 8, 0))
    policy.identity = "2" * 64
    assert len({kept_at(policy, other), kept_at(Says({}), other)}) == 2  # type: ignore[arg-type]


def test_what_is_not_read_is_not_correct() -> None:
    policy: Any = Says({"a": ["5", "", "7"], "b": ["", "", ""]})
    shares = shares_correct(policy, ASKED, ["5", ""], KINDS, Sampling(3, 0.6, 8, 0), read)
    assert shares == [pytest.approx(1 / 3), 0]
