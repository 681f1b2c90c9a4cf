"""Numbers for Prometheus."""

from tastemaker.serve.monitoring import Monitoring


def test_what_was_asked_is_counted_by_route_and_status() -> None:
    numbers = Monitoring(lambda: 3)
    numbers.serves("v1", "blend")
    numbers.request("GET", "/v1/users/{user}", 200, 0.003)
    numbers.request("GET", "/v1/users/{user}", 503, 0.003)
    numbers.events(new=2, duplicate=1)
    numbers.exposures(kept=3, lost=1)
    numbers.swapped("v2", "sasrec")
    page = numbers.page().decode()
    for line in (
        'tastemaker_requests_total{method="GET",route="/v1/users/{user}",status="503"} 1.0',
        'tastemaker_request_seconds_bucket{le="0.004",route="/v1/users/{user}"} 2.0',
        'tastemaker_events_total{fate="new"} 2.0',
        'tastemaker_exposures_total{fate="lost"} 1.0',
        'tastemaker_run{model="sasrec",version="v2"} 1.0',
        "tastemaker_swaps_total 1.0",
        "tastemaker_waiting 3.0",
    ):
        assert line in page
    assert 'version="v1"' not in page
    assert "tastemaker_events_total" not in Monitoring(lambda: 0).page().decode().split("\n")[0]
