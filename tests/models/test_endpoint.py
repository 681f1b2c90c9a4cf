"""Replies over HTTP: what is asked, what is read, and that a failure costs the others nothing."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tastemaker.data.replies import Conversation
from tastemaker.errors import BadInput
from tastemaker.models.endpoint import KEY, URL, Calling, Endpoint, Prices
from tastemaker.models.http_json import Patience, RequestFailed
from tastemaker.models.json_grammar import JsonRows
from tests.models.chat_server import Answer, echo, said, serving

QUICK = Calling(4, Patience(timeout=5.0, tries=2, back_off=0.01), Prices(1e6, 2e6))


def user(text: str) -> Conversation:
    return [{"role": "user", "content": text}]


ASKED = [user(f"question {number}") for number in range(12)]


def test_replies_stand_where_their_questions_do() -> None:
    def late(body: Mapping[str, Any], number: int) -> Answer:
        time.sleep(0.05 if number % 3 else 0.1)
        return echo(body, number)

    with serving(late) as server:
        replies = Endpoint("m", server.url, calling=QUICK)(ASKED, 2, 0.5, 9, 4)
        assert 2 <= server.most_at_once <= 4
    for number, several in enumerate(replies):
        assert [reply.text for reply in several] == [f"echo question {number}"] * 2
        assert all((one.prompt_tokens, one.tokens, one.cost) == (7, 3, 13.0) for one in several)
        assert all(one.seconds > 0 and one.finished and not one.error for one in several)
    first = server.bodies[0]
    assert (first["path"], first["model"]) == ("/v1/chat/completions", "m")
    assert (first["temperature"], first["max_tokens"]) == (0.5, 9)
    assert len({body["seed"] for body in server.bodies}) == 2


def test_url_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(echo) as server:
        monkeypatch.setenv(URL, f"{server.url}/")
        monkeypatch.setenv(KEY, "sk-secret\n")
        model = Endpoint("m", calling=QUICK)
        assert model([user("a")])[0][0].text == "echo a"
        assert server.keys == ["Bearer sk-secret"]
        assert model.identity == Endpoint("m", server.url, "sk-other").identity
        assert model.identity != Endpoint("n", server.url).identity
    monkeypatch.delenv(URL)
    with pytest.raises(BadInput, match="TASTEMAKER_LLM_URL|answers"):
        Endpoint("m")


@pytest.mark.parametrize(
    ("answer", "text", "thinking"),
    [
        (said("<think>hm\n</think>\nyes"), "yes", "hm"),
        (said("yes", reasoning_content="hm"), "yes", "hm"),
        (said("yes", reasoning="hm"), "yes", "hm"),
        (said(None), "", ""),
        (said("x" * 1_000_000), "x" * 1_000_000, ""),
    ],
    ids=["block", "field", "other field", "empty", "huge"],
)
def test_thinking_is_kept_apart(answer: Answer, text: str, thinking: str) -> None:
    with serving(lambda body, number: answer) as server:
        reply = Endpoint("m", server.url, calling=QUICK)([user("a")])[0][0]
    assert (reply.text, reply.thinking, reply.error) == (text, thinking, "")


@pytest.mark.parametrize(
    "bad",
    [
        Answer(b'{"choices": []}'), Answer(b'{"choices": [{"message": 3}]}'), Answer(b"{}"),
        Answer(b'{"choices": [{"message": {"content": 5}}]}'), Answer(b"no", 400),
        Answer(b"no", 429), Answer(b"no", 500), Answer(b"{}", cut=1), Answer(b"<html>"),
        Answer(b"", raw=True), Answer(b"no HTTP\r\n", raw=True),
        Answer(b'{"choices": [{"message": {"content": "a"}}],'
               b'"usage": {"prompt_tokens": Infinity}}'),
    ],
)  # fmt: skip
def test_one_failure_is_its_own(bad: Answer) -> None:
    def script(body: Mapping[str, Any], number: int) -> Answer:
        return bad if body["messages"][0]["content"] == "question 5" else echo(body, number)

    with serving(script) as server:
        replies = Endpoint("m", server.url, calling=QUICK)(ASKED)
    assert [number for number, [reply] in enumerate(replies) if reply.error] == [5]
    assert replies[5][0].text == "" and server.url in replies[5][0].error


@pytest.mark.parametrize(
    ("answer", "too_long"),
    [
        (
            Answer(b'{"error": "maximum context length is 4096 tokens, you requested 5000"}', 400),
            True,
        ),
        (Answer(b'{"error": {"code": "context_length_exceeded"}}', 400), True),
        (Answer(b"the request exceeds the available context size", 400), True),
        (Answer(b"Input is too long", 413), True),
        (Answer(b"`inputs` tokens + `max_new_tokens` must be <= 2048: too many tokens", 422), True),
        (Answer(b"no such option", 400), False),
        (Answer(b"too long a wait for a context", 503), False),
    ],
)
def test_a_question_too_long_for_the_model_is_told_apart(answer: Answer, too_long: bool) -> None:
    def script(body: Mapping[str, Any], number: int) -> Answer:
        return answer if body["messages"][0]["content"] == "question 5" else echo(body, number)

    with serving(script) as server:
        replies = Endpoint("m", server.url, calling=QUICK)(ASKED[4:6])
    assert [reply.too_long for [reply] in replies] == [False, too_long]
    assert replies[1][0].error


def test_a_wrong_key_ends_the_call_soon() -> None:
    with serving(lambda body, number: Answer(b"no", 401)) as server:
        with pytest.raises(BadInput):
            Endpoint("m", server.url, "sk-wrong", QUICK)([user(str(n)) for n in range(200)])
        assert len(server.bodies) < 50


def test_an_endpoint_that_was_never_there_is_an_error_and_one_that_left_a_failure() -> None:
    with serving(echo) as server:
        model = Endpoint("m", server.url, calling=QUICK)
        assert not model(ASKED[:1])[0][0].error
    assert all(reply.error for [reply] in model(ASKED))
    with pytest.raises(RequestFailed):
        Endpoint("m", server.url, calling=QUICK)(ASKED)


def test_a_call_that_ends_leaves_nobody_waiting() -> None:
    """Requests that wait for their next try stop when the call does."""

    def script(body: Mapping[str, Any], number: int) -> Answer:
        wrong = body["messages"][0]["content"] == "question 3"
        time.sleep(0.2 * wrong)
        return Answer(b"", 401) if wrong else Answer(b"", 503, {"Retry-After": "30"})

    begun = time.monotonic()
    with serving(script) as server, pytest.raises(BadInput):
        Endpoint("m", server.url, calling=QUICK)(ASKED)
    assert time.monotonic() - begun < 25


def test_a_reply_that_was_cut_says_so() -> None:
    cut = Answer(b'{"choices": [{"message": {"content": "a"}, "finish_reason": "length"}]}')
    with serving(lambda body, number: cut) as server:
        assert not Endpoint("m", server.url, calling=QUICK)([user("a")])[0][0].finished


def test_a_shape_goes_with_the_request() -> None:
    rows = JsonRows((("interest", "text"),))
    with serving(echo) as server:
        model = Endpoint("m", server.url, calling=QUICK)
        model.shaped(rows)([user("a")])
        sent = server.bodies[0]["response_format"]["json_schema"]["schema"]
        assert sent == rows.schema() and model.identity != model.shaped(rows).identity


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("unwanted", [{"response_format"}, {"seed"}, {"response_format", "seed"}])
def test_what_an_endpoint_does_not_take_is_left_out(unwanted: set[str], status: int) -> None:
    def strict(body: Mapping[str, Any], number: int) -> Answer:
        return Answer(b"unknown field", status) if unwanted & body.keys() else echo(body, number)

    one_by_one = Calling(1, QUICK.patience)
    with serving(strict) as server:
        model = Endpoint("m", server.url, calling=one_by_one).shaped(JsonRows((("a", "text"),)))
        assert [reply.text for [reply] in model(ASKED)] == [f"echo question {n}" for n in range(12)]
        assert len(server.bodies) <= 12 + 2
    kept = {"response_format", "seed"} - unwanted if unwanted == {"response_format"} else set()
    assert kept <= server.bodies[-1].keys()


def test_a_request_that_is_refused_for_itself_costs_the_others_no_field() -> None:
    def script(body: Mapping[str, Any], number: int) -> Answer:
        long = body["messages"][0]["content"] == "question 0"
        return Answer(b"too long", 400) if long else echo(body, number)

    with serving(script) as server:
        model = Endpoint("m", server.url, calling=Calling(1, QUICK.patience))
        replies = model.shaped(JsonRows((("a", "text"),)))(ASKED[:2])
    assert [bool(reply.error) for [reply] in replies] == [True, False]
    assert {"response_format", "seed"} <= server.bodies[-1].keys()
