"""What a run is judged by: its validation users."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.data.splits import leave_one_out
from tastemaker.metrics import headline
from tastemaker.metrics.headline import validation_queries
from tastemaker.worlds.logs import planted_groups


def test_many_validation_users_are_sampled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    cuts = leave_one_out(planted_groups(users=40, items=20, length=9).interactions())
    monkeypatch.setattr(headline, "VALIDATION_USERS", 10)
    one, two = validation_queries(cuts), validation_queries(replace(cuts))
    assert len(one) == 10
    assert np.array_equal(one.contexts.users, two.contexts.users)
    monkeypatch.setattr(headline, "VALIDATION_USERS", 40)
    everybody = validation_queries(cuts).contexts.users
    assert np.array_equal(everybody, cuts.queries("valid").contexts.users)
    assert set(one.contexts.users) < set(everybody)
