"""Who holds what, as circles and in words."""

from tastemaker.report.holdings import holdings_chart


def test_each_that_is_held_is_a_circle() -> None:
    drawn = holdings_chart({"north": [3, 0], "south": [0, 1]}, ["cat", "dog"])
    assert "north: 3 of cat; south: 1 of dog" in drawn
    assert all(f">{name}<" in drawn for name in ("north", "south", "cat", "dog"))


def test_what_cannot_be_told_apart_is_not_drawn() -> None:
    assert holdings_chart({}, ["a"]) == holdings_chart({"x": [0.0]}, ["a"]) == ""
    assert holdings_chart({str(n): [1.0] for n in range(41)}, ["a"]) == ""
