import pytest

from tastemaker.closing import Closing


class Held(Closing):
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_context_is_closed_at_its_end_and_hides_no_fault() -> None:
    with Held() as held:
        assert isinstance(held, Held) and not held.closed
    assert held.closed == 1
    with pytest.raises(ZeroDivisionError), held:
        1 / 0  # noqa: B018
    assert held.closed == 2


def test_what_holds_nothing_has_nothing_to_close() -> None:
    with Closing() as bare:
        bare.close()
