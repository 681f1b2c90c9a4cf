"""Confusion tables by hand, captions by hand, and what holds of any caption."""

from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.objects import Thing, answers, class_wise, f_beta, told, yes_or_no
from tastemaker.errors import BadInput


@pytest.mark.parametrize(
    ("answer", "says"),
    [("yes", True), (" Yes, there is.", True), ("no .", False), ("NO", False), ("", None),
     ("two : a small bag", None), ("yesterday", None), ("<image>", None)],
)  # fmt: skip
def test_an_answer_is_read_by_its_first_word(answer: str, says: bool | None) -> None:
    assert yes_or_no(answer) is says


def test_a_confusion_table_by_hand() -> None:
    """Three hits, one miss, two false alarms, two rejections, and one who says neither twice."""
    written = ["yes"] * 3 + ["no"] + ["yes"] * 2 + ["no"] * 2 + ["maybe", ""]
    truth = [True] * 4 + [False] * 4 + [True, False]
    found = answers(written, truth)
    assert found.right.tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 0, 0]
    assert found.measures() == pytest.approx(
        {"accuracy": 0.5, "precision": 3 / 5, "recall": 3 / 5, "f1": 0.6, "yes_rate": 0.5,
         "neither": 0.2}
    )  # fmt: skip


def test_who_always_says_yes_is_seen() -> None:
    said = answers(["yes"] * 4, [True, False] * 2).measures()
    assert (said["recall"], said["precision"], said["yes_rate"]) == (1, 0.5, 1)
    never = answers(["no"] * 4, [True, False] * 2).measures()
    assert (never["precision"], never["f1"], never["yes_rate"]) == (0, 0, 0)


BAG, BOOT, TEE = ("bag", "small", "left"), ("boot", "large", "right"), ("tee", "small", "right")
SMALL_BOOT = ("boot", "small", "right")


def test_captions_by_hand() -> None:
    claims = [[BAG, BOOT], [SMALL_BOOT], [BAG, TEE], None, [BAG, BAG]]
    truth = [[BAG, BOOT], [BAG, BOOT], [BOOT], [TEE], [BAG]]
    said = told(claims, truth)
    assert said.recall.tolist() == [1, 0.5, 0, 0, 1]
    assert said.hallucinated.tolist() == [0, 0, 2, 0, 1]
    assert said.attributes.tolist() == [1, 0.25, 0, 0, 1]
    assert said.full.tolist() == [1, 0, 0, 0, 1]
    assert said.unread.tolist() == [0, 0, 0, 1, 0]
    assert said.measures() == pytest.approx(
        {"object_recall": 0.5, "object_precision": 4 / 7, "hallucinated": 0.6,
         "attribute_accuracy": 0.45, "full": 0.4, "unread": 0.2}
    )  # fmt: skip


def test_things_of_one_name_are_paired_to_agree() -> None:
    said = told([[SMALL_BOOT, BOOT]], [[BOOT, SMALL_BOOT]])
    assert (said.full.item(), said.attributes.item(), said.hallucinated.item()) == (1, 1, 0)


def test_classes_weigh_precision_more() -> None:
    """Bags: claimed in three, there in two, both in two. Tees: claimed in one and never there."""
    claims = [[BAG], [BAG], [BAG, TEE], None]
    truth = [[BAG], [BAG, BOOT], [BOOT], [BOOT]]
    found = class_wise(claims, truth)
    assert found == pytest.approx({"bag": 1.25 * (2 / 3) / (0.25 * 2 / 3 + 1), "boot": 0, "tee": 0})
    assert f_beta(0.9, 0.5, 0.5) > f_beta(0.5, 0.9, 0.5)


things = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.sampled_from("pq")), max_size=4
)


@given(st.lists(st.tuples(st.none() | things, things), min_size=1, max_size=6))
def test_what_holds_of_any_caption(pairs: list[tuple[list[Thing] | None, list[Thing]]]) -> None:
    claims, truth = zip(*pairs, strict=True)
    said = told(claims, truth)
    for values in (said.recall, said.attributes, said.full):
        assert ((values >= 0) & (values <= 1)).all()
    assert (said.full <= said.attributes).all() and (said.attributes <= said.recall).all()
    assert (said.hallucinated >= 0).all() and (said.found <= said.there).all()
    right = told(truth, truth).measures()
    assert right["object_recall"] == right["full"] == right["attribute_accuracy"] == 1
    assert right["hallucinated"] == 0
    assert set(class_wise(truth, truth).values()) <= {1.0}
    assert all(0 <= value <= 1 for value in class_wise(claims, truth).values())


@given(st.lists(st.tuples(st.sampled_from(["yes", "no", "x"]), st.booleans()), min_size=1))
def test_f1_is_that_of_counts(pairs: list[tuple[str, bool]]) -> None:
    written, truth = zip(*pairs, strict=True)
    found, yes = answers(written, truth), np.array(written) == "yes"
    wrong = int((yes != np.array(truth)).sum())
    hits = int((yes & np.array(truth)).sum())
    expected = 2 * hits / (2 * hits + wrong) if hits else 0
    assert found.measures()["f1"] == pytest.approx(expected)


def test_every_picture_has_a_caption_and_every_question_an_answer() -> None:
    for call in (lambda: told([], []), lambda: told([None], [[], []]), lambda: answers([], []),
                 lambda: answers(["yes"], [True, False]), lambda: class_wise([], [])):  # fmt: skip
        with pytest.raises(BadInput):
            call()


def slow(said: list[Thing], there: list[Thing]) -> tuple[float, float]:
    """Most attributes that are rightly said, and of such pairings most things told in full."""
    best = (0.0, 0)
    longer, shorter = (said, there) if len(said) > len(there) else (there, said)
    for order in permutations(longer, len(shorter)):
        pairs = [(a, b) for a, b in zip(order, shorter, strict=True) if a[0] == b[0]]
        right = [sum(x == y for x, y in zip(a[1:], b[1:], strict=True)) / 2 for a, b in pairs]
        best = max(best, (sum(right), right.count(1)))
    return best


@given(things.filter(bool), things, st.randoms())
@settings(max_examples=30, deadline=None)
def test_pairings_agree_most_whatever_the_order(
    there: list[Thing], said: list[Thing], rng: Random
) -> None:
    first = told([said], [there])
    share, full = slow(said, there)
    assert first.attributes.item() == pytest.approx(share / len(there))
    assert first.full.item() == pytest.approx(full / len(there))
    moved = told([rng.sample(said, len(said))], [rng.sample(there, len(there))])
    assert moved.measures() == pytest.approx(first.measures())


def test_a_thing_makes_room_for_another_that_it_agrees_with_less() -> None:
    """Taken one by one, the first of the two would leave nothing for the second."""
    said = [("bag", "small", "left"), ("bag", "small", "right")]
    there = [("bag", "small", "top"), ("bag", "large", "left")]
    for one in (said, said[::-1]):
        assert told([one], [there]).attributes.item() == 0.5
        assert told([one], [there[::-1]]).attributes.item() == 0.5


@given(st.lists(st.tuples(st.none() | things, things), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_captions_of_many_pictures_are_those_of_each(
    pairs: list[tuple[list[Thing] | None, list[Thing]]],
) -> None:
    claims, truth = zip(*pairs, strict=True)
    whole = told(claims, truth)
    for row, (said, there) in enumerate(pairs):
        alone = told([said], [there])
        for name in ("there", "claimed", "found", "attributes", "full", "unread", "recall"):
            assert getattr(alone, name)[0] == getattr(whole, name)[row], name


@given(st.text("yesno *!_,é", max_size=12))
@settings(max_examples=30, deadline=None)
def test_any_answer_says_yes_or_no_or_neither(text: str) -> None:
    assert yes_or_no(text) in (True, False, None)
    assert yes_or_no(f"  *Yes!* {text}") is True and yes_or_no(f'"NO" {text}') is False


@given(st.lists(st.tuples(st.sampled_from(["yes", "no", "x"]), st.booleans()), min_size=1))
@settings(max_examples=30, deadline=None)
def test_rates_are_those_of_a_count(pairs: list[tuple[str, bool]]) -> None:
    written, truth = zip(*pairs, strict=True)
    said = answers(written, truth).measures()
    right = sum({"yes": True, "no": False}.get(a) is b for a, b in pairs)
    assert said["accuracy"] == pytest.approx(right / len(pairs))
    assert said["yes_rate"] == pytest.approx(written.count("yes") / len(pairs))
    assert said["neither"] == pytest.approx(written.count("x") / len(pairs))
    turned = answers(written[::-1], truth[::-1]).measures()
    assert turned == pytest.approx(said)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 4))
@settings(max_examples=30, deadline=None)
def test_f_lies_between_precision_and_recall(precision: float, recall: float, beta: float) -> None:
    value = f_beta(precision, recall, beta)
    low, high = sorted((precision, recall))
    assert low - 1e-9 <= value <= high + 1e-9 or not low
    assert value == pytest.approx(f_beta(recall, precision, 1 / beta))
