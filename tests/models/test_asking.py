"""Questions: what decides one, and which arguments are refused."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tastemaker.data.replies import Reply
from tastemaker.errors import BadInput
from tastemaker.models.asking import Answers, Ask, asks_of
from tastemaker.models.json_grammar import JsonRows
from tastemaker.seams import Generate

ONE = [{"role": "user", "content": "a"}]
TWO = [{"role": "user", "content": "b"}]


class Backwards(Answers):
    """Answers the last question first, and one never."""

    identity = "backwards"

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        for number in range(len(asks) - 1, 0, -1):
            yield number, Reply(f"{asks[number].conversation[0]['content']}{asks[number].repeat}")

    def shaped(self, rows: JsonRows) -> Answers:
        return self


def test_replies_stand_where_their_questions_do() -> None:
    model: Generate = Backwards()
    replies = model([ONE, TWO], 2, 0.0, 8, 0)
    assert [[reply.text for reply in several] for several in replies] == [["", "a1"], ["b0", "b1"]]
    assert replies[0][0].error
    assert model([], 2, 0.0, 8, 0) == []


def test_a_digest_names_all_that_decides_a_reply() -> None:
    first = Ask(ONE)
    others = [
        Ask(TWO), Ask(ONE, repeat=1), Ask(ONE, temperature=1.0), Ask(ONE, max_tokens=9),
        Ask(ONE, seed=1), Ask([*ONE, *TWO]), Ask([{"role": "system", "content": "a"}]),
    ]  # fmt: skip
    digests = {ask.digest("m") for ask in (first, *others)} | {first.digest("n")}
    assert len(digests) == len(others) + 2
    assert first.digest("m") == Ask([dict(reversed(ONE[0].items()))]).digest("m")


@pytest.mark.parametrize(
    ("conversations", "options"),
    [
        ([ONE], {"n": 0}), ([ONE], {"max_tokens": 0}), ([ONE], {"temperature": -1.0}),
        ([ONE], {"temperature": float("nan")}), (["text"], {}), ([[]], {}),
        ([[{"role": "user"}]], {}), ([[{"role": "tool", "content": "a"}]], {}),
        ([[{"role": "user", "content": 3}]], {}), ([ONE, [{"content": "a", "role": "me"}]], {}),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(conversations: Any, options: dict[str, Any]) -> None:
    given: dict[str, Any] = {"n": 1, "temperature": 0.0, "max_tokens": 8, "seed": 0} | options
    with pytest.raises(BadInput) as caught:
        asks_of(conversations, **given)
    assert caught.value.where in ("conversation 0", "conversation 1", *options)
