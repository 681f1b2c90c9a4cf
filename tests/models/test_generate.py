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
        [Reply("a", "b", prompt_tokens=1, tokens=9)],
        [Reply(error="down")],
    ]
    assert [ask.conversation for ask in model.asked] == [user("x"), user("y")]
    with pytest.raises(BadInput, match="2 replies"):
        model([user("z")])
    told = Scripted(lambda conversation, repeat: conversation[0]["content"] * (repeat + 1))
    assert [reply.text for reply in told([user("z")], 2)[0]] == ["z", "zz"]
    assert Scripted([], "a").identity != Scripted([], "b").identity


def test_an_estimate_is_counted_before_and_refused_above_a_limit() -> None:
    asked = [user("a" * 500), user("1" * 9)]
    counted = estimate(asked, 2, 50, Prices(prompt=1e6, reply=10e6))
    assert counted.requests == 4 and counted.tokens == 200
    assert counted.prompt_tokens == 2 * (100 + 9 + 16)
    assert counted.cost == counted.prompt_tokens + 2000
    counted.within(450)
    counted.within(0, 3000.0)
    for limits in ({"most_tokens": 449}, {"most_tokens": 0, "most_cost": 10.0}):
        with pytest.raises(BadInput) as caught:
            counted.within(**limits)  # type: ignore[arg-type]
        assert "--yes" in caught.value.fix
        counted.within(**limits, yes=True)  # type: ignore[arg-type]


# What SmolLM2's tokenizer, whose vocabulary is small, makes of a text.
TRUE_TOKENS = {
    "[i123] implicit_positive - guitar riff garage vinyl best daily story\n": 19,
    "[318] explicit_negative - Shawshank Redemption, The (1994) (Crime, Drama)\n": 29,
    "[B0A94F2C71] explicit_positive - Sony WH-1000XM4 Wireless (2020) 30h, USB-C\n": 42,
    "[613152] implicit_negative - #SciFiBlonde #MorningMotivation #BehindTheScenes\n": 29,
    "[7] implicit_positive - 数据科学入门 これは日本語の文章です\n": 36,
    "[8] implicit_positive - Война и мир, фильм о любви\n": 30,
    "[9] implicit_positive - Über die Brücke gehen wir täglich\n": 23,
    "An interest counts only if three or more of its items are implicit_positive.\n": 17,
    '{"interest": "old films", "item_ids": ["a1", "a2"], "count": 2}\n': 27,
    "1234567890 2026-11-26 3.1415926\n": 32,
    "BREAKING NEWS FROM THE WORLD OF SPORTS\n": 15,
}


@pytest.mark.parametrize("text", TRUE_TOKENS)
def test_tokens_are_guessed_within_a_half(text: str) -> None:
    assert 2 / 3 <= tokens_of(text * 9) / (9 * TRUE_TOKENS[text]) <= 3 / 2
    assert (tokens_of(""), tokens_of("  "), tokens_of("\ud800") > 0) == (0, 0, True)
