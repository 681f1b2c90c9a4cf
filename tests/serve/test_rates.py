"""How often a client may ask."""

import pytest

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


@pytest.mark.parametrize("rate", [0.1, 0.3, 1 / 49, 1 / 98, 1 / 103, 1 / 3, 7.0, 1e-3])
@pytest.mark.parametrize("impatient", [False, True])
def test_who_comes_again_when_told_is_let_in(rate: float, impatient: bool) -> None:
    """Fractions do not add up to a whole token: a hair less than one is one."""
    now = [0.0]
    rates = Rates(rate, 1, lambda: now[0])
    assert rates.wait("a") == 0
    for _ in range(5):
        after = rates.wait("a")
        assert after >= 1 and (after - 1) * rate < 1
        for _ in range(after):
            if impatient:
                assert rates.wait("a") > 0
            now[0] += 1
        assert rates.wait("a") == 0
