"""What is learnt and what is refused, by the polarity that is declared."""

import polars as pl

from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import positives, refused

DECLARED = Declaration(
    events={
        "dislike": "explicit_negative",
        "like": "explicit_positive",
        "skip": "implicit_negative",
        "view": "implicit_positive",
    }
)


def log_of(*rows: tuple[str, str, str]) -> Interactions:
    users, items, events = zip(*rows, strict=True)
    times = range(len(rows))
    return Interactions.from_frame(
        pl.DataFrame({"user_id": users, "item_id": items, "timestamp": times, "event": events})
    )


def test_positive_events_are_learnt_by_the_same_users_and_items() -> None:
    log = log_of(("u", "a", "view"), ("u", "b", "skip"), ("v", "c", "dislike"), ("u", "d", "like"))
    learnt = positives(log, DECLARED)
    assert learnt.decode(learnt.history(0)) == ["a", "d"]
    assert learnt.num_users == 2
    assert learnt.item_ids.to_list() == log.item_ids.to_list()
    assert positives(learnt, DECLARED) is learnt


def test_the_newest_explicit_word_counts() -> None:
    log = log_of(
        ("u", "gone", "like"), ("u", "gone", "dislike"), ("u", "gone", "view"),
        ("u", "back", "dislike"), ("u", "back", "like"), ("u", "back", "skip"),
        ("u", "skipped", "skip"), ("v", "gone", "like"),
    )  # fmt: skip
    barred = refused(log, DECLARED)
    assert barred.decode(barred.history(0)) == ["gone"]
    assert not len(barred.history(1))


def test_a_log_of_one_kind_refuses_nothing() -> None:
    log = Interactions.from_sequences({"u": ["a", "b"]})
    assert not len(refused(log, Declaration()).items)
