"""How routes fared, from the numbers for Prometheus."""

import pytest

from tastemaker.serve.latency import quantile, routes_fared
from tastemaker.serve.monitoring import SECONDS, Monitoring


def test_routes_are_told_apart_the_busiest_first() -> None:
    monitoring = Monitoring(lambda: 0)
    for status in (200, 200, 404, 422, 503):
        monitoring.request("GET", "/a", status, 0.003)
    monitoring.request("GET", "/b", 200, 60.0)
    monitoring.request("POST", "/b", 200, 0.0)
    one, other = routes_fared(monitoring)
    assert (one.route, one.requests, one.refused, one.failed) == ("/a", 5, 2, 1)
    assert all(seconds and 0.002 < seconds <= 0.004 for seconds in one.seconds)
    assert (other.route, other.requests, other.refused, other.failed) == ("/b", 2, 0, 0)
    assert other.seconds[-1] is None
    assert routes_fared(Monitoring(lambda: 0)) == []


@pytest.mark.parametrize(
    ("within", "part", "seconds"),
    [
        ([0] * 14, 0.5, None),
        ([], 0.5, None),
        ([10] * 14, 0.5, SECONDS[0] / 2),
        ([10] * 14, 1.0, SECONDS[0]),
        ([0, 10, *[10] * 12], 0.5, 0.0015),
        ([5, 10, *[10] * 12], 0.75, 0.0015),
        ([*[0] * 13, 10], 0.5, None),
    ],
)
def test_quantiles_lie_inside_their_bucket(
    within: list[int], part: float, seconds: float | None
) -> None:
    assert quantile(within, part) == (None if seconds is None else pytest.approx(seconds))
