"""Profiles: planted interests are found, evidence and verdicts are counted, limits are said."""

import json
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from tastemaker.data.declaration import Declaration, Polarity
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import Event, Signals, UserSignals, signals
from tastemaker.understand.everybody import Everybody
from tastemaker.understand.groundedness import Thresholds
from tastemaker.understand.profile import EVIDENCE, judged, profile
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

ALL: tuple[Polarity, ...] = (
    "explicit_positive",
    "implicit_positive",
    "implicit_negative",
    "explicit_negative",
)
SAYS = {"like": ALL[0], "view": ALL[1], "skip": ALL[2], "hate": ALL[3]}


def log_of(rows: Sequence[tuple[str, str, str]]) -> Signals:
    """Signals of (user, item, event) rows, oldest first; declared are the kinds that appear."""
    frame = pl.DataFrame(
        [(user, item, time, event) for time, (user, item, event) in enumerate(rows)],
        schema=["user_id", "item_id", "timestamp", "event"],
        orient="row",
    )
    kinds = {event: SAYS[event] for _, _, event in rows}
    declared = Declaration(events=kinds)
    return signals(Interactions.from_frame(frame), declared, one_kind=True)


def everybody_of(found: Signals, groups: dict[str, list[str]]) -> Everybody:
    ids = found.log.item_ids.to_list()
    grouping = Grouping.from_labels(
        pl.Series([groups.get(item, []) for item in ids], dtype=pl.List(pl.String)), "items"
    )
    return Everybody.of(found, grouping, [f"Title of {item}" for item in ids])


@pytest.mark.parametrize(
    ("kinds", "length"), [(ALL, 80), (ALL[:3], 80), ((ALL[1], ALL[3]), 80), (ALL[1:2], 60)]
)
def test_planted_interests_are_verified_and_no_others(
    kinds: tuple[Polarity, ...], length: int
) -> None:
    world = plant_users(PlantedOptions(users=15, kinds=kinds, length=length))
    found = signals(world.interactions(), world.declared, one_kind=True)
    catalog = world.catalog().align(found.log.item_ids)
    grouping = Grouping.from_categories(catalog, found.log.item_ids)
    everybody = Everybody.of(found, grouping, catalog.titles())
    for user in found.users():
        known = profile(user, everybody)
        verified = [one for one in known.interests if one.verdict == "verified"]
        assert {world.topics[one.items[0].item] for one in verified} == world.oracle[user.user]
        assert known.interests[: len(verified)] == tuple(verified)
        assert not {one.name for one in known.interests} & {one.name for one in known.dislikes}


def test_evidence_is_the_newest_items_by_title() -> None:
    rows = [("u", f"i{n}", "view") for n in range(12)]
    rows += [("u", "i3", "like"), ("u", "x", "hate"), ("v", "x", "view")]
    found = log_of(rows)
    everybody = everybody_of(found, {f"i{n}": ["Tea"] for n in range(12)})
    known = profile(found.user("u"), everybody)
    (tea,) = known.interests
    want = ["i3", *(f"i{n}" for n in range(11, 2, -1) if n != 3), "i2"][:EVIDENCE]
    assert [proof.item for proof in tea.items] == want
    assert (tea.items[0].title, tea.items[0].polarities) == ("Title of i3", ALL[:2])
    assert tea.counts == {ALL[0]: 1, ALL[1]: 12, ALL[3]: 0}
    assert tea.evidence == {ALL[0]: 1, ALL[1]: 10, ALL[3]: 0}
    assert (known.items, known.counts) == (13, {ALL[0]: 1, ALL[1]: 12, ALL[3]: 1})
    assert any("1 of 13 items is in no named group" in note for note in known.notes)
    json.dumps(known.to_json(), allow_nan=False)


def test_what_is_this_users_is_told_from_what_everybody_likes() -> None:
    """All like music; u alone likes tea, and less than others chess."""
    rows = []
    for user in ["u", *(f"v{n}" for n in range(9))]:
        rows += [(user, f"m{n}", "view") for n in range(8)]
        own = "t" if user == "u" else "c"
        rows += [(user, f"{own}{n}", "view") for n in range(6)]
    rows += [("u", f"c{n}", "view") for n in range(3)]
    found = log_of(rows)
    groups = {i: [{"m": "Music", "t": "Tea", "c": "Chess"}[i[0]]] for i in found.log.item_ids}
    known = profile(found.user("u"), everybody_of(found, groups))
    assert [one.name for one in known.interests] == ["Tea", "Music", "Chess"]
    assert {one.verdict for one in known.interests} == {"verified"}
    tea, music, chess = known.interests
    assert (tea.own, music.own, chess.own) == (True, False, False)
    assert tea.lift is None
    assert (tea.share, tea.others) == (pytest.approx(6 / 17), 0)
    assert music.lift == pytest.approx((8 / 17) / (72 / 126))
    assert music.strength < 0
    few = known.first(1)
    assert [one.name for one in few.interests] == ["Tea"]


@pytest.mark.parametrize(
    ("counts", "want"),
    [
        ((2, 0, 0, 0), ("verified", False)),
        ((1, 1, 0, 0), ("too little", False)),
        ((0, 3, 4, 0), ("mixed", False)),
        ((5, 5, 0, 3), ("mixed", False)),
        ((0, 3, 6, 0), ("mixed", True)),
        ((0, 0, 0, 2), ("too little", True)),
        ((0, 0, 3, 0), ("too little", True)),
        ((0, 0, 2, 0), ("too little", False)),
        ((0, 0, 2, 1), ("too little", True)),
        ((2, 0, 0, 2), ("verified", False)),
        ((0, 0, 0, 0), ("too little", False)),
    ],
)
def test_the_verdict_and_its_mirror(counts: tuple[int, ...], want: tuple[str, bool]) -> None:
    assert judged(np.array(counts), ALL) == want


def test_clear_dislikes_stand_apart_from_interests() -> None:
    rows = [("u", f"t{n}", "like") for n in range(3)] + [("u", f"c{n}", "hate") for n in range(3)]
    rows += [("u", "k0", "hate"), ("v", "k0", "view"), ("u", "c9", "view")]
    found = log_of(rows)
    groups = {i: [{"t": "Tea", "c": "Chess", "k": "Knots"}[i[0]]] for i in found.log.item_ids}
    known = profile(found.user("u"), everybody_of(found, groups))
    assert [one.name for one in known.interests] == ["Tea"]
    assert [one.name for one in known.dislikes] == ["Chess"]
    strict = profile(found.user("u"), everybody_of(found, groups), Thresholds(explicit_positive=4))
    assert (strict.interests[0].verdict, strict.dislikes) == ("too little", ())


def test_dislikes_stand_by_how_much_speaks_against_them() -> None:
    rows = [("u", f"c{n}", "hate") for n in range(3)] + [("u", "c3", "view")]
    rows += [("u", f"t{n}", "hate") for n in range(5)] + [("u", "k", "view"), ("v", "k", "like")]
    found = log_of(rows)
    groups = {i: [{"t": "Tea", "c": "Chess", "k": "Knots"}[i[0]]] for i in found.log.item_ids}
    known = profile(found.user("u"), everybody_of(found, groups))
    assert [one.name for one in known.dislikes] == ["Tea", "Chess"]
    chess = known.dislikes[1]
    assert [proof.item for proof in chess.items] == ["c2", "c1", "c0"]
    assert [proof.item for proof in chess.against] == ["c3"]
    assert chess.verdict == "verified"


@pytest.mark.parametrize("event", ["view", "like"])
def test_of_one_kind_of_event_the_counts_decide(event: str) -> None:
    found = log_of([("u", f"t{n}", event) for n in range(3)] + [("u", "c", event)])
    groups = {i: [{"t": "Tea", "c": "Chess"}[i[0]]] for i in found.log.item_ids}
    known = profile(found.user("u"), everybody_of(found, groups))
    assert [one.verdict for one in known.interests] == ["verified", "too little"]
    assert any("says the same" in note for note in known.notes)
    mixed = log_of([("u", "t0", "view"), ("u", "t1", "like")])
    known = profile(mixed.user("u"), everybody_of(mixed, {"t0": ["Tea"], "t1": ["Tea"]}))
    assert known.notes == ("No event of this log says no, so dislikes are not known.",)


def test_a_user_without_events_has_no_interests() -> None:
    found = log_of([("u", "t", "view"), ("v", "t", "like")])
    known = profile(UserSignals("u", (), found.kinds), everybody_of(found, {"t": ["Tea"]}))
    assert (known.items, known.interests, known.known) == (0, (), True)
    assert Event("t", ALL[1]) in found.user("u").events
