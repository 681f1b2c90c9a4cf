"""Scores: golden vectors through to the harmonic mean, what fails, and the released mock data."""

import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.declaration import POLARITIES, Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import Event, UserSignals, signals
from tastemaker.understand.extracted import extracted
from tastemaker.understand.interests import Interest, Mode
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.scores import (
    SCORES,
    Checked,
    check,
    own_categories,
    score_model,
    score_user,
)
from tastemaker.understand.specificity import LineUp, Picked, picked

GOLDEN = [
    Checked(Interest("a"), 1, (), (0, 0, 0, 0), True, Picked(5, 3, 5, 3, 5, 3)),
    Checked(Interest("b"), 1, (), (0, 0, 0, 0), False, Picked(5, 5, 5, 5, 5, 5)),
    Checked(Interest("c"), 2, (), (0, 0, 0, 0), True, Picked(4, 4, 9, 4, 4, 4)),
]
USER = UserSignals("u", tuple(Event(str(n), "implicit_positive") for n in range(6)), POLARITIES)


@pytest.mark.parametrize(
    ("known", "mode", "want"),
    [
        (3, "reference", (0.75, 0.5, 0.6, 0.9, 0.72)),
        (1, "reference", (0.75, 1.5, 1.0, 0.9, 0.947368)),
        ({2}, "strict", (0.75, 1.0, 0.857143, 0.9, 0.878049)),
    ],
)
def test_golden_vectors(known: set[int] | int, mode: Mode, want: tuple[float, ...]) -> None:
    numbers = score_user("u", GOLDEN, known, True, mode).numbers
    found = [numbers[name] for name in ("ig_p", "ig_r", "ig_f1", "is", "hm")]
    assert found == pytest.approx(want, abs=1e-6)


def test_no_interests_are_worth_nothing() -> None:
    for mode in ("strict", "reference"):
        numbers = score_user("u", [], {1}, True, mode).numbers
        assert {numbers[name] for name in SCORES if name != "pick_precision"} == {0}


def test_without_a_judge_specificity_is_unknown_and_zero_in_the_reference() -> None:
    assert score_user("u", GOLDEN, 3, False).numbers["is"] is None
    assert score_user("u", GOLDEN, 3, False).numbers["hm"] is None
    reference = score_user("u", GOLDEN, 3, False, "reference").numbers
    assert (reference["is"], reference["hm"]) == (0, 0)


def test_interests_of_no_category_count_or_not() -> None:
    odd = Checked(Interest("odd"), 0, (), (0, 0, 0, 0), False)
    found = score_user("u", [*GOLDEN, odd], {1, 2}, False)
    assert found.ig.precision == 0.5
    assert found.ig_without_other.precision == 0.75


def test_an_interest_that_cannot_be_read_is_failed_and_counted_and_the_rest_goes_on() -> None:
    interests = extracted(
        '[{"interest": "Tea", "item_ids": "1, 2"}, {"interest": "Chess", "item_ids": [1, 2, 3]},'
        ' {"interest": "Pottery", "item_ids": [3, 4, 5]}]'
    ).interests
    checked = check(USER, interests, [1, 2, 3], [[], ["1", "2", "3"], None])
    assert [one.verified for one in checked] == [False, True, False]
    assert [one.failed for one in checked] == [True, False, True]
    found = score_user("u", checked, {1, 2, 3}, False)
    assert (found.interests, found.failed) == (3, 2)
    assert found.ig.precision == pytest.approx(1 / 3)


def test_only_cited_items_of_the_history_are_evidence() -> None:
    interest = Interest("Tea", ("1", "2", "9"))
    (one,) = check(USER, [interest], [1], [["1", "2", "3", "9"]])
    assert one.relevant == ("1", "2")
    assert not one.verified
    (alone,) = check(USER, [interest], own_categories([interest]))
    assert alone.category == "tea"
    assert alone.relevant == ("1", "2")


def test_numbers_as_ids_score_as_texts_do_and_repeats_change_nothing() -> None:
    found = []
    twice = UserSignals("u", (*USER.events, *USER.events[:3]), POLARITIES)
    for user in (USER, twice):
        for ids in ("[1, 2, 3, 3]", '["1", "2", "3"]', "[1.0, 2, 3]"):
            (interest,) = extracted(f'[{{"interest": "Tea", "item_ids": {ids}}}]').interests
            found.append(check(user, [interest], [1])[0])
    assert len({(one.relevant, one.counts, one.verified) for one in found}) == 1
    assert found[0].verified
    text = '[{"interest": "Tea", "item_ids": [1, 2, 3]}]'
    old = extracted(text, "reference").interests
    assert not check(USER, old, [1])[0].verified, "the released program matches no numbers"


def test_a_model_is_the_mean_of_its_users() -> None:
    scores = [score_user("u", GOLDEN, 3, True), score_user("v", [], 3, True)]
    found = score_model(scores, excluded=["w"])
    assert (found.users, found.excluded, found.failed) == (2, ("w",), 0)
    assert found.means["ig_p"] == 0.375
    assert found.means["pick_precision"] == pytest.approx(12 / 19)
    part = score_model([*scores, score_user("x", GOLDEN, 3, False)])
    assert part.means["is"] is None
    assert score_model([]).means == dict.fromkeys(SCORES)


def test_the_released_mock_step_by_step(shared_data: Path) -> None:
    """User 1 of 25 rows in data with three polarities: E+, I+ and I-.

    Music cites 1, 2, 3, 9, all E+ and all relevant: verified. Outdoors cites 4, 5 (E+), 6, 10 (I+):
    verified. Cooking cites 7 (I-) and 8 (I+): one I+ is too little. All of them, but for music, are
    of one category: G = 1 and 1/2.
    """
    folder = shared_data / "gistbench"
    if not (folder / "mock_dataset.json").is_file():
        pytest.skip("the released mock data are not here")
    rows = pl.DataFrame(json.loads((folder / "mock_dataset.json").read_text()))
    assert len(rows) == 25
    frame = rows.select(
        "user_id",
        pl.col("object_id").alias("item_id"),
        pl.col("interaction_time").cast(pl.Int64).alias("timestamp"),
        pl.col("interaction_type").alias("event"),
    )
    declared = Declaration(events={kind: kind for kind in POLARITIES})
    found = signals(Interactions.from_frame(frame), declared)
    assert found.kinds == POLARITIES[:3]
    oracle = Oracle.open(folder / "mock_oracle.json")
    known = sorted(oracle.users["1"])
    assert len(known) == 7
    reply = extracted(
        'Here it is:\n```json\n[{"interest": "Playing music", "item_ids": [1, 2, 3, 9]},'
        '{"interest": "Outdoors", "item_ids": ["4", "5", "6", "10"]},'
        '{"interest": "Cooking", "item_ids": ["7", "8", "999"]}]\n```'
    )
    categories = [known[0], known[1], known[1]]
    checked = check(found.user("1"), reply.interests, categories)
    assert [one.counts for one in checked] == [(4, 0, 0, 0), (2, 2, 0, 0), (0, 1, 1, 0)]
    assert [one.verified for one in checked] == [True, True, False]
    line_ups = [
        LineUp(("1", "2", "3", "9", "11", "12"), frozenset(("1", "2", "3", "9"))),
        LineUp(("4", "5", "6", "10", "11", "12"), frozenset(("4", "5", "6", "10"))),
        LineUp(("7", "8", "11", "12"), frozenset(("7", "8"))),
    ]
    picks = [["1", "2", "3", "11"], ["4", "5", "6", "10"], ["7", "8"]]  # 3/4, 4/4, 2/2
    judged = [
        Checked(one.interest, one.category, one.relevant, one.counts, one.verified, picked(*pair))
        for one, pair in zip(checked, zip(line_ups, picks, strict=True), strict=True)
    ]
    for mode in ("strict", "reference"):
        numbers = score_user("1", judged, oracle.users["1"], True, mode).numbers
        precision = (1 + 1 / 2) / 2  # Σ G_c / |C|
        recall = (1 + 1 / 2) / 7  # Σ G_c / |O|
        f1 = 2 * precision * recall / (precision + recall)
        share = (3 / 4 + (4 / 4 + 2 / 2) / 2) / 2  # mean of S_c, each a mean over c's interests
        want = [precision, recall, f1, share, 2 * f1 * share / (f1 + share)]
        assert [numbers[name] for name in ("ig_p", "ig_r", "ig_f1", "is", "hm")] == pytest.approx(
            want
        )
    assert f1 == pytest.approx(1 / 3)
    assert numbers["hm"] == pytest.approx(0.482759, abs=1e-6)
