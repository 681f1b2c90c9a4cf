"""Tools for assistants: listed, called, and wrong calls answered."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serve.test_event_routes import event

BOTH = {"Accept": "application/json, text/event-stream"}


def call(client: TestClient, method: str, **params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    response = client.post("/mcp", json=message, headers=BOTH)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["result"]
    return result


def used(client: TestClient, tool: str, **arguments: Any) -> dict[str, Any]:
    result = call(client, "tools/call", name=tool, arguments=arguments)
    assert not result.get("isError"), result
    told: dict[str, Any] = json.loads(result["content"][0]["text"])
    return told


def test_tools_are_listed_with_what_they_take(client: TestClient) -> None:
    about = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about}
    assert call(client, "initialize", **hello)["serverInfo"]["name"] == "tastemaker"
    tools = {tool["name"]: tool for tool in call(client, "tools/list")["tools"]}
    assert set(tools) == {"recommend", "similar", "search", "history"}
    assert set(tools["recommend"]["inputSchema"]["properties"]) == {"user", "k", "only", "deny"}
    assert all(tool["description"] for tool in tools.values())


def test_tools_answer_as_the_routes_do(client: TestClient) -> None:
    client.post("/v1/events", json={"events": [event(3)]})
    told = used(client, "recommend", user="new", k=2)
    assert (
        told["items"]
        == client.get("/v1/users/new/recommendations?k=2&because=true").json()["items"]
    )
    assert used(client, "history", user="new")["events"][0]["item"] == "i3"
    found = used(client, "search", q="item <7>", k=1)
    assert found["items"] == [{"item": "i7", "title": "Item <7>"}]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("recommend", {}),
        ("recommend", {"user": "u1", "k": 0}),
        ("recommend", {"user": "u1", "idle": 1}),
        ("recommend", {"user": "u1", "only": ["Fun"]}),
        ("similar", {"item": "i3", "relevance": 2}),
        ("similar", {"item": "none"}),
        ("fly", {}),
    ],
)
def test_wrong_calls_are_answered_with_the_reason(
    client: TestClient, tool: str, arguments: dict[str, Any]
) -> None:
    result = call(client, "tools/call", name=tool, arguments=arguments)
    assert result["isError"] and result["content"][0]["text"]


def test_only_messages_are_taken(client: TestClient) -> None:
    assert client.get("/mcp", headers=BOTH).status_code == 405
    assert client.post("/mcp", content=b"{", headers=BOTH).status_code >= 400


def test_tools_reach_no_further_than_the_routes(headed: TestClient) -> None:
    """The server's own bound of k is that of its tools too: here 50."""
    asked = {
        "recommend": {"user": "u1"},
        "similar": {"item": "i3"},
        "search": {"q": "item"},
        "history": {"user": "u1"},
    }
    for tool, arguments in asked.items():
        assert used(headed, tool, **arguments, k=50)
        for k in (51, 100, 101):
            result = call(headed, "tools/call", name=tool, arguments={**arguments, "k": k})
            assert result["isError"] and result["content"][0]["text"], (tool, k)


def test_what_goes_with_an_item_is_that_of_the_route(headed: TestClient) -> None:
    for relevance in (0.0, 0.5, 1.0):
        told = used(headed, "similar", item="i3", k=4, relevance=relevance)
        assert told == headed.get(f"/v1/items/i3/similar?k=4&relevance={relevance}").json()
    first = told["items"][0]["item"]
    headed.delete(f"/v1/items/{first}")
    after = used(headed, "similar", item="i3", k=4, relevance=1.0)
    assert first not in [one["item"] for one in after["items"]]


def test_wishes_of_a_tool_are_those_of_the_route(client: TestClient) -> None:
    told = used(client, "recommend", user="u1", k=4, only=["Odd"], deny=["i1", "i3"])
    path = "/v1/users/u1/recommendations?k=4&only=Odd&deny=i1&deny=i3&because=true"
    assert told == client.get(path).json()
    assert used(client, "history", user="u1", k=3) == client.get("/v1/users/u1/history?k=3").json()
