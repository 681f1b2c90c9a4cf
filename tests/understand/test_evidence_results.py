"""Shares of evidence are ratios of sums over users, with intervals over users."""

import pytest

from tastemaker.data.declaration import Polarity
from tastemaker.understand.evidence_results import evidence_results
from tastemaker.understand.samples import JudgedInterest, Sample

KINDS: tuple[Polarity, ...] = ("explicit_positive", "implicit_positive")


def sampled(user: str, cited: int, existing: int, claimed: int) -> Sample:
    """A user with one interest, of whose cited items some exist, all seen implicitly."""
    items = tuple(f"i{n}" for n in range(cited))
    seen: dict[str, tuple[Polarity, ...]] = dict.fromkeys(items[:existing], ("implicit_positive",))
    claims: dict[Polarity, int] = {"implicit_positive": claimed}
    one = JudgedInterest("Tea", 1, items, claimed=claims)
    return Sample(user, 100, KINDS, seen=seen, interests=(one,))


USERS = [sampled("a", 4, 4, 4), sampled("b", 10, 0, 3), sampled("c", 6, 6, 4)]


def test_shares_are_of_all_cited_ids_and_vary_with_users() -> None:
    found = evidence_results(USERS, 0, 500)
    validity = found["evidence"]["validity"]
    assert validity["mean"] == pytest.approx(10 / 20)
    assert validity["ci95"] == [0, 1]
    assert found["evidence"]["type_validity"] is None
    assert found["evidence"]["cited"] == 20


def test_counting_is_told_by_polarity_and_by_cited_items_of_the_history() -> None:
    found = evidence_results(USERS, 0, 500)
    views = found["counting"]["implicit_positive"]
    assert views["exact"]["mean"] == pytest.approx(1 / 3)
    assert views["error"]["mean"] == pytest.approx(5 / 3)
    assert views["bias"]["mean"] == pytest.approx(1 / 3)
    groups = {
        (row["first"], row["last"]): row["bias"]["mean"]
        for row in found["counting_by_items"]
        if row["kind"] == "implicit_positive"
    }
    assert groups == {(0, 0): 3, (3, 5): 0, (6, 10): -2}


def test_nothing_claimed_and_nobody_asked() -> None:
    silent = Sample("a", 3, KINDS)
    found = evidence_results([silent], 0, 100)
    assert (found["counting"], found["counting_by_items"]) == ({}, [])
    assert found["evidence"]["compliance"] is None
    assert evidence_results([], 0, 100)["evidence"] is None
