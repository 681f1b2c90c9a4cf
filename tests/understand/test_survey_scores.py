"""Measures of agreement against numbers worked out elsewhere."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tastemaker.understand.survey_scores import NAMES, Estimate, Pairs, agreement


def pairs(users: list[int], evidence: list[float], answers: list[float]) -> Pairs:
    told = np.array(answers)
    return Pairs(np.array(users), np.array(evidence, float), told, told > 0.5)


def values(measures: dict[str, Estimate | None]) -> dict[str, float]:
    return {name: one.value for name, one in measures.items() if one is not None}


def test_shares_and_kappa_are_those_of_the_four_cells() -> None:
    # Two yes found, one no taken for a yes, one yes missed, four no left alone.
    found = values(
        agreement(
            pairs([0, 0, 1, 1, 2, 2, 3, 3], [5, 4, 3, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0])
        )
    )
    assert found["agreement"] == pytest.approx(6 / 8)
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    chance = (3 / 8) ** 2 + (5 / 8) ** 2
    assert found["kappa"] == pytest.approx((6 / 8 - chance) / (1 - chance))


def test_rank_correlation_is_spearmans_with_ties() -> None:
    rng = np.random.default_rng(0)
    evidence = rng.integers(0, 5, 60).astype(float)
    answers = evidence + rng.integers(0, 6, 60)
    users = np.repeat(np.arange(12), 5)
    measures = agreement(Pairs(users, evidence, answers, answers > 4))
    rho = measures["rank_correlation"]
    assert rho is not None
    assert rho.value == pytest.approx(spearmanr(evidence, answers).statistic)
    assert rho.ci95[0] < rho.value < rho.ci95[1]
    own = [
        spearmanr(evidence[users == user], answers[users == user]).statistic for user in range(12)
    ]
    within = measures["within_users"]
    assert within is not None
    assert within.value == pytest.approx(np.nanmean(own))
    assert within.users == int(np.isfinite(own).sum())


def test_what_answers_do_not_define_is_not_known() -> None:
    assert agreement(pairs([0, 1], [2, 3], [1, 1])).keys() == set(NAMES)
    assert values(agreement(pairs([0, 1], [2, 3], [1, 1]))) == {
        "agreement": 1,
        "precision": 1,
        "recall": 1,
    }
    nothing = agreement(pairs([0, 1], [0, 0], [0, 0]))
    assert values(nothing) == {"agreement": 1}


def test_intervals_rest_on_users_not_on_answers() -> None:
    one = agreement(pairs([0] * 10 + [1] * 10, [1] * 20, [1] * 10 + [0] * 10))["precision"]
    assert one is not None
    assert (one.value, one.ci95, one.users) == (0.5, (0, 1), 2)
    assert one.to_json() == {"value": 0.5, "ci95": [0, 1], "users": 2}
