"""Requests made up from the server's own document: none of them breaks it."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient


def sent(client: TestClient, case: schemathesis.Case) -> int:
    """Status of the answer to a made-up request."""
    asked = case.as_transport_kwargs(base_url="http://testserver")
    content = {"content": asked["data"]} if "data" in asked else {"json": asked.get("json")}
    if asked.get("json") is None and "data" not in asked:
        content = {}
    return client.request(
        asked["method"],
        asked["url"],
        params=asked.get("params"),
        headers={k: v for k, v in asked["headers"].items() if k.isascii() and v.isascii()},
        **content,
    ).status_code


def fuzz(client: TestClient, examples: int) -> Counter[int]:
    """Send requests to every route: status → how many were answered with it."""
    statuses: Counter[int] = Counter()
    document = client.get("/openapi.json").json()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=result.ok().as_strategy())
        def test(case: schemathesis.Case) -> None:
            statuses[sent(client, case)] += 1

        test()
    return statuses


def test_a_few_requests_of_every_route_break_nothing(client: TestClient) -> None:
    statuses = fuzz(client, 4)
    assert max(statuses) < 500 and statuses[200] and statuses.total() >= 18


@pytest.mark.slow
def test_many_requests_of_every_route_break_nothing(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    statuses = fuzz(client, 300)
    assert not [vars(one)["facts"] for one in caplog.records if one.message == "fault"]
    assert max(statuses) < 500 and statuses[200] and statuses[422]
