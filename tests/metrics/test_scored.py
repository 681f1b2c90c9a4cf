"""Scores come in the order of the queries, candidates only, beside what they are compared to."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput, NumericFault
from tastemaker.metrics.scored import scores_of

ITEMS = 6
QUERIES = Queries(
    Contexts(np.arange(3), np.array([0, 2, 2, 3]), np.array([1, 4, 6], np.int32)),
    np.array([2, 3, 5, 1], np.int32),
    np.array([0, 1, 3, 4]),
)


class ByUser:
    """Scores that say which user and item they are of."""

    def score(self, contexts: Contexts) -> Tensor:
        return torch.from_numpy(contexts.users[:, None] * 10.0 + np.arange(1, ITEMS + 1))


@pytest.mark.parametrize("users", [1, 2, 100])
def test_targets_and_seen_items_are_found_in_their_rows(users: int) -> None:
    found = list(scores_of(ByUser(), QUERIES, users, None))
    assert len(found) == -(-3 // users)
    assert torch.cat([one.target_scores() for one in found]).tolist() == [2, 13, 15, 21]
    for one in found:
        one.leave_out_seen()
    masked = torch.cat([one.scores for one in found]) == -torch.inf
    assert masked.nonzero().tolist() == [[0, 0], [0, 3], [2, 5]]


def test_what_is_no_candidate_is_masked() -> None:
    candidates = np.array([True, False, True, True, True, True])
    (found,) = scores_of(ByUser(), QUERIES, 100, candidates)
    assert (found.scores == -torch.inf).nonzero().tolist() == [[0, 1], [1, 1], [2, 1]]


def test_another_catalogue_and_scores_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput):
        list(scores_of(ByUser(), QUERIES, 100, np.ones(ITEMS + 1, bool)))

    class Broken:
        def score(self, contexts: Contexts) -> Tensor:
            return torch.full((len(contexts), ITEMS), torch.nan)

    with pytest.raises(NumericFault):
        list(scores_of(Broken(), QUERIES, 100, None))
