"""How often a client may ask."""

from tastemaker.serve.rates import CLIENTS, Rates


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    assert [rates.wait("a") for _ in range(4)] == [0, 0, 0, 1]
    assert rates.wait("b") == 0
    now[0] = 0.5
    assert [rates.wait("a"), rates.wait("a")] == [0, 1]
    now[0] = 1_000.0
    assert [rates.wait("a") for _ in range(4)] == [0, 0, 0, 1]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    now = [0.0]
    rates = Rates(0.1, 1, lambda: now[0])
    assert rates.wait("a") == 0
    now[0] = 4.0
    assert rates.wait("a") == 6
    now[0] = 10.0
    assert rates.wait("a") == 0


def test_without_a_rate_nobody_waits_and_clients_are_bounded() -> None:
    assert all(Rates(0, 1).wait("a") == 0 for _ in range(5))
    rates = Rates(1.0, 1, lambda: 0.0)
    for client in range(CLIENTS + 5):
        rates.wait(str(client))
    assert len(rates._buckets) == CLIENTS
