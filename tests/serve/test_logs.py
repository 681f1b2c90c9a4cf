"""Lines of the log: JSON, and nothing about anybody."""

import io
import json
import logging

from starlette.testclient import TestClient

from tastemaker.serve.logs import LOG, frames, say, written


def test_lines_are_json_with_facts() -> None:
    stream = io.StringIO()
    with written(stream):
        say("request", route="/v1/users/{user}", status=200)
        say("hidden", logging.DEBUG)
    say("later")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["level"], line["status"]) == ("request", "info", 200)
    assert line["time"].endswith("+00:00")
    assert not LOG.handlers


def test_what_the_library_of_the_protocol_complains_of_is_a_line_too() -> None:
    stream, theirs = io.StringIO(), logging.getLogger("uvicorn.error")
    with written(stream):
        theirs.error("ASGI callable returned without completing response.")
        theirs.info("Started server process")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["level"] == "error" and not theirs.handlers


def test_frames_say_where_and_not_what() -> None:
    try:
        {}["secret"]
    except KeyError as error:
        kept = frames(error)
    assert len(kept) == 1 and "test_logs.py" in kept[0]
    assert "secret" not in "".join(kept)


def test_nothing_about_anybody_is_written(client: TestClient) -> None:
    stream = io.StringIO()
    event = {"event_id": "her-event", "user_id": "her-id", "item_id": "her-item", "time": 5}
    with written(stream, logging.DEBUG):
        client.post("/v1/events", json={"events": [event]})
        client.post("/v1/events", json={"events": [{**event, "time": -5}]})
        client.get("/v1/users/her-id/recommendations?deny=her-item&only=her-group")
        client.get("/v1/users/her-id/history?k=her-number")
        client.get("/v1/items/her-item/similar")
        client.get("/v1/items?q=her-title")
        client.get("/her-path")
        client.delete("/v1/users/her-id")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) == 8
    assert {line["status"] for line in lines} == {200, 404, 422}
    assert "her-" not in stream.getvalue()
