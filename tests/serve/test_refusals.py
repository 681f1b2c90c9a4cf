"""Errors as they are sent: one shape, a status that fits, harmless."""

import json

import pytest
from starlette.testclient import TestClient

from tastemaker.errors import (
    ArtefactError,
    BadInput,
    NumericFault,
    OutOfResources,
    TastemakerError,
    Unavailable,
)
from tastemaker.serve.refusals import Busy, Refused, answer, malformed, refusal, unknown
from tests.serve.test_app import error_of
from tests.serve.test_event_routes import event


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [
        (BadInput("a", "--k", "c"), 422, None),
        (Unavailable("a", "--k", "c"), 503, "1"),
        (OutOfResources("a", "--k", "c"), 503, "1"),
        (ArtefactError("--k", "a", "b", "c", "c"), 503, None),
        (NumericFault("a", "--k", "c"), 503, None),
        (TastemakerError("a", "--k", "c"), 500, None),
        (Refused(413, "a", "--k", "c"), 413, None),
        (Busy(429, "a", "--k", 7), 429, "7"),
        (unknown("a", "--k", "c"), 404, None),
    ],
)
def test_every_error_has_a_status_and_one_shape(
    error: TastemakerError, status: int, after: str | None
) -> None:
    sent = refusal(error)
    told = json.loads(sent.body)
    assert (sent.status_code, sent.headers.get("retry-after")) == (status, after)
    assert list(told) == ["error"] and list(told["error"]) == ["what", "where", "fix"]
    hidden = isinstance(error, Unavailable | OutOfResources | ArtefactError)
    assert told["error"]["where"] == ("the server" if hidden else "k")


def test_a_missing_key_says_how_to_send_one() -> None:
    assert refusal(Refused(401, "a")).headers["www-authenticate"] == "Bearer"


def test_long_texts_are_cut_and_half_characters_are_sent() -> None:
    told = json.loads(refusal(BadInput("x" * 9_000 + "\ud800", "\ud800", "")).body)
    assert len(told["error"]["what"]) < 3_000 and told["error"]["where"] == "?"
    with pytest.raises(ValueError, match="not JSON compliant"):
        answer(float("nan"))


def test_what_a_schema_says_names_the_field() -> None:
    wrong = [{"type": "extra_forbidden", "loc": ("query", "kk"), "msg": "Extra"}, {"loc": ()}]
    told = json.loads(malformed(wrong).body)["error"]
    assert told["what"].startswith("kk: Extra (and 1 more)") and told["where"] == "query"
    assert json.loads(malformed([{}]).body)["error"]["where"] == "request"


def test_a_bad_event_says_which_and_what_to_do(client: TestClient) -> None:
    batch = [event(1), event(2, time=4e9 + 3e9), event(3, user_id="")]
    response = client.post("/v1/events", json={"events": batch})
    told = error_of(response)
    assert response.status_code == 422 and told["where"] == "event 2: time"
    assert "1 more problem" in told["what"] and "seconds" in told["fix"]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", [Unavailable, OutOfResources])
def test_what_goes_wrong_on_the_servers_machine_is_not_told(kind: type[TastemakerError]) -> None:
    error = kind("cannot reach /srv/secret.sqlite", "/srv/secret.sqlite", "Free /srv.")
    assert "srv" not in bytes(refusal(error).body).decode()
