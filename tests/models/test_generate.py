"""Which model a name stands for, what a script says, and what is counted before asking."""

from pathlib import Path

import pytest

from tastemaker.data.replies import Conversation, Reply
from tastemaker.errors import BadInput
from tastemaker.models.endpoint import URL, Endpoint, Prices
from tastemaker.models.generate import Scripted, estimate, opened, tokens_of
from tastemaker.models.local_llm import LocalLLM


def user(text: str) -> Conversation:
    return [{"role": "user", "content": text}]


def test_a_name_is_a_model_here_or_at_an_endpoint(
    chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(URL, raising=False)
    assert isinstance(opened(str(chatty)), LocalLLM)
    assert isinstance(opened("gpt", "http://localhost:1/v1"), Endpoint)
    with pytest.raises(BadInput, match="gpt"):
        opened("gpt")
    monkeypatch.setenv(URL, "http://localhost:1/v1")
    assert isinstance(opened("gpt"), Endpoint)
    assert isinstance(opened(str(chatty)), LocalLLM)


@pytest.mark.parametrize("said", ["", "not [JSON", "x" * 1_000_000])
def test_a_script_says_anything(said: str) -> None:
    reply = Scripted([said])([user("a")])[0][0]
    assert (reply.text, reply.error, reply.finished) == (said, "", True)


def test_a_script_is_a_list_or_a_function() -> None:
    model = Scripted(["<think>b</think>a", Reply(error="down")])
    assert model([user("x"), user("y")]) == [
        [Reply("a", "b", prompt_tokens=1, tokens=5)],
        [Reply(error="down")],
    ]
    assert [ask.conversation for ask in model.asked] == [user("x"), user("y")]
    with pytest.raises(BadInput, match="2 replies"):
        model([user("z")])
    told = Scripted(lambda conversation, repeat: conversation[0]["content"] * (repeat + 1))
    assert [reply.text for reply in told([user("z")], 2)[0]] == ["z", "zz"]
    assert Scripted([], "a").identity != Scripted([], "b").identity


def test_an_estimate_is_counted_before_and_refused_above_a_limit() -> None:
    asked = [user("a" * 400), user("b" * 36)]
    counted = estimate(asked, 2, 50, Prices(prompt=1e6, reply=10e6))
    assert counted.requests == 4 and counted.tokens == 200
    assert counted.prompt_tokens == 2 * (100 + 9 + 8)
    assert counted.cost == counted.prompt_tokens + 2000
    counted.within(434)
    counted.within(0, 3000.0)
    for limits in ({"most_tokens": 433}, {"most_tokens": 0, "most_cost": 10.0}):
        with pytest.raises(BadInput) as caught:
            counted.within(**limits)  # type: ignore[arg-type]
        assert "--yes" in caught.value.fix
        counted.within(**limits, yes=True)  # type: ignore[arg-type]


def test_tokens_are_counted_by_bytes() -> None:
    assert [tokens_of(text) for text in ("", "a", "abcd", "abcde", "数数")] == [0, 1, 1, 2, 2]
