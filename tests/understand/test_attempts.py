"""Attempts: what cannot be read is asked again, together, and every reply is kept."""

import pytest

from tastemaker.data.replies import Conversation, Reply
from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted
from tastemaker.understand.attempts import Attempts, Question, ask
from tastemaker.understand.interests import Mode
from tastemaker.understand.prompts import sha256_of


def question(text: str) -> Question[int]:
    def read(reply: Reply) -> int | None:
        return int(reply.text) if reply.finished and reply.text.isdecimal() else None

    return Question("relevant", [{"role": "user", "content": text}], read, "Write a number.")


def test_what_can_be_read_is_asked_once() -> None:
    model = Scripted(["1", "2"])
    answers = ask(model, [question("a"), question("b")], Attempts())
    assert [answer.readings for answer in answers] == [[1], [2]]
    assert [len(answer.calls) for answer in answers] == [1, 1]
    assert not ask(model, [], Attempts())


@pytest.mark.parametrize("mode", ["strict", "reference"])
def test_only_what_cannot_be_read_is_asked_again_three_times_in_all(mode: Mode) -> None:
    model = Scripted(["1", "so?", "", "7", "no", "hm"])
    answers = ask(model, [question(text) for text in "abc"], Attempts(mode=mode))
    assert [answer.readings for answer in answers] == [[1], [7], [None]]
    replies = [[reply.text for reply in answer.calls[0].replies] for answer in answers]
    assert replies == [["1"], ["so?", "7"], ["", "no", "hm"]]
    assert [answer.calls[0].prompt_sha256 for answer in answers] == [
        sha256_of(question(text).conversation) for text in "abc"
    ]
    assert len({ask.seed for ask in model.asked}) == 3, "no kept reply answers again"


def test_strict_shows_the_bad_reply_and_says_what_was_wrong() -> None:
    bad = [Reply("x" * 50_000), Reply(""), Reply("12", tokens=2, finished=False)]
    model = Scripted([*bad, "1", "2", "3"])
    answers = ask(model, [question(text) for text in "abc"], Attempts())
    assert [answer.readings for answer in answers] == [[1], [2], [3]]
    again = [asked.conversation for asked in model.asked[3:]]
    assert [len(conversation) for conversation in again] == [3, 3, 3]
    assert [conversation[1]["role"] for conversation in again] == ["assistant"] * 3
    assert len(again[0][1]["content"]) == 2_000
    assert again[1][1]["content"], "some templates refuse an empty message"
    assert len({conversation[2]["content"] for conversation in again}) == 3
    assert all("Write a number." in conversation[2]["content"] for conversation in again)


def test_a_second_bad_reply_takes_the_place_of_the_first() -> None:
    model = Scripted(["one", "two", "3"])
    ask(model, [question("a")], Attempts())
    assert [message["content"][:3] for message in model.asked[2].conversation][:2] == ["a", "two"]


def test_the_reference_asks_the_same_again() -> None:
    model = Scripted(["one", "two", "three"])
    ask(model, [question("a")], Attempts(mode="reference"))
    assert all(asked.conversation == question("a").conversation for asked in model.asked)


def test_a_failed_reply_is_kept_and_fails_no_other() -> None:
    model = Scripted([Reply(error="down", seconds=1.0), "2"])
    answers = ask(model, [question("a"), question("b")], Attempts())
    assert [answer.readings for answer in answers] == [[None], [2]]
    assert answers[0].calls[0].replies == (Reply(error="down", seconds=1.0),)


def test_repeats_are_asked_for_together_and_each_tries_by_itself() -> None:
    def says(conversation: Conversation, repeat: int) -> str:
        return "?" if repeat == 1 or len(conversation) > 1 else f"{repeat}"

    model = Scripted(says)
    (answer,) = ask(model, [question("a")], Attempts(repeats=3, temperature=0.7))
    assert answer.readings == [0, None, 2]
    assert [len(call.replies) for call in answer.calls] == [1, 3, 1]
    assert len(model.asked) == sum(len(call.replies) for call in answer.calls)
    assert {asked.temperature for asked in model.asked} == {0.7}


@pytest.mark.parametrize("wrong", [{"most": 0}, {"repeats": 0}, {"max_tokens": 0}])
def test_asking_less_than_once_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        Attempts(**wrong)  # type: ignore[arg-type]
