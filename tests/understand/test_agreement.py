"""Agreement: Fleiss' κ as published and by hand, and what most replies say."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.understand.agreement import fleiss_kappa, majority

FOURTEEN = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
"""Ten things that fourteen raters put into five categories: a textbook's example, κ = 0.210."""


@pytest.mark.parametrize(
    ("votes", "want"),
    [
        (FOURTEEN, 0.209931),
        ([[3, 0], [0, 3]], 1.0),
        ([[1, 1], [1, 1]], -1.0),
        # P = (1, 1/3, 1/3), mean 5/9; p = (5/9, 4/9), Σ p² = 41/81; κ = (45 − 41) / (81 − 41)
        ([[3, 0], [1, 2], [1, 2]], 0.1),
        ([[3, 0], [3, 0]], None),
        ([], None),
    ],
)
def test_fleiss_kappa(votes: list[list[int]], want: float | None) -> None:
    assert fleiss_kappa(votes) == (None if want is None else pytest.approx(want, abs=1e-6))


@pytest.mark.parametrize("votes", [[[3, 0], [1, 1]], [[1, 0]], [[0, 0]], [[3, -1]]])
def test_everything_needs_the_same_raters(votes: list[list[int]]) -> None:
    with pytest.raises(BadInput):
        fleiss_kappa(votes)


@pytest.mark.parametrize(
    ("replies", "want"),
    [
        ([[3, 1]], [3, 1]),
        ([[1, 2], [2], [2, 1, 5]], [2, 1]),
        ([[1], []], []),
        ([[1, 1], [], []], []),
        ([[1], None, None], [1]),
        ([[], [], [4]], []),
        ([None, None], None),
        ([], None),
    ],
)
def test_what_most_of_those_that_can_be_read_name(
    replies: list[list[int] | None], want: list[int] | None
) -> None:
    assert majority(replies) == want
