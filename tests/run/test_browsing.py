"""What a run shows of itself: popular and new items, titles, histories."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer, Chosen
from tastemaker.run.browsing import Happened
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes
from tests.run.refusals import refusing_run


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def disliking(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def ids(answer: Answer) -> list[str]:
    return [item.item for item in answer.items]


def test_what_is_popular_is_what_most_chose(saved: SavedRun) -> None:
    answer = saved.browse.popular(Wishes(6))
    counts = saved.models.counting["popularity"].counts
    shown = [counts[saved.interactions.item_codes[item] - 1] for item in ids(answer)]
    assert shown == sorted(counts, reverse=True)[:6]
    assert (answer.model, answer.user, answer.known) == ("popularity", "", False)
    odd = saved.browse.popular(Wishes(4, 1, only=["Odd"], hidden=[ids(answer)[0]]))
    assert all("Odd" in item.categories for item in odd.items) and ids(answer)[0] not in ids(odd)


def test_what_is_new_is_what_the_log_saw_first_last(saved: SavedRun) -> None:
    answer = saved.browse.latest(Wishes(99))
    log = saved.data.interactions
    assert log.times is not None
    first = {item: int(log.times[log.items == code].min()) for item, code in log.item_codes.items()}
    times = [first[item] for item in ids(answer)]
    assert times == sorted(times, reverse=True)
    assert len(times) == int(saved.models.candidates.sum())
    assert (answer.model, answer.complete) == ("latest", False)
    pages = [ids(saved.browse.latest(Wishes(3, n))) for n in (0, 3)]
    assert [*pages[0], *pages[1]] == ids(answer)[:6]
    even = saved.browse.latest(Wishes(5, only=["even"]))
    assert all("Even" in item.categories for item in even.items)
    assert "Even" in even.reason


def test_without_times_nothing_is_new(saved: SavedRun) -> None:
    timeless = replace(saved.data, interactions=replace(saved.data.interactions, times=None))
    with pytest.raises(BadInput, match="no times"):
        replace(saved, data=timeless).browse.latest()


def test_a_dial_is_refused(saved: SavedRun) -> None:
    for ask in (saved.browse.popular, saved.browse.latest):
        with pytest.raises(BadInput):
            ask(Wishes(relevance=0.5))


def test_items_are_found_by_id_and_title(disliking: SavedRun) -> None:
    search = disliking.browse.search
    assert search("i7", 1) == (Chosen("i7", "Item <7>"),)
    assert search("item 12", 1) == (Chosen("i12", "Item <12>"),)
    assert [one.item for one in search("item 3", 20)][0] == "i3"
    assert len(search("item", 7)) == 7
    assert len({one.item for one in search("i1", 30)}) == len(search("i1", 30))
    assert search("unseen", 1)[0].item == "unseen"  # stands in the catalogue alone
    assert search("nothing like it") == ()
    for k in (0, True, None):
        with pytest.raises(BadInput):
            search("item", k)  # type: ignore[arg-type]


def test_a_history_says_what_each_event_means(disliking: SavedRun) -> None:
    log = disliking.data.interactions
    assert log.times is not None and log.events is not None
    for user in ("u1", "never"):
        code = log.user_codes[user]
        own = slice(int(log.offsets[code]), int(log.offsets[code + 1]))
        events = disliking.browse.history(user)
        assert [event.time for event in events] == log.times[own].tolist()
        assert [event.item for event in events] == log.decode(log.items[own])
        assert [event.kind for event in events] == [log.event_names[e] for e in log.events[own]]
        said = {"like": "explicit_positive", "dislike": "explicit_negative",
                "skip": "implicit_negative"}  # fmt: skip
        assert [event.polarity for event in events] == [said[event.kind] for event in events]
    assert disliking.browse.history("never") == (
        Happened("i1", "Item <1>", 9, "dislike", None, "explicit_negative"),
    )
    assert disliking.browse.history("nobody") == ()


def test_a_search_gives_the_id_first_and_every_item_once(disliking: SavedRun) -> None:
    search = disliking.browse.search
    known = [*disliking.interactions.item_ids, "unseen"]
    for item in known:
        for k in (1, 2, 60):
            found = [one.item for one in search(item, k)]
            assert found[0] == item and len(found) <= k
            assert len(found) == len(set(found)) and set(found) <= set(known)
    assert {one.item for one in search("item", 10**9)} == set(known) - {"unseen"}
    for text in ("", "   ", "?!", "\0", "\ud800", "i" * 10_000):
        assert search(text) == ()


def test_of_equal_titles_those_with_more_events_come_first(disliking: SavedRun) -> None:
    counts = np.bincount(disliking.interactions.items, minlength=41)
    codes, found = disliking.interactions.item_codes, disliking.browse.search("item", 40)
    asked = [int(counts[codes[one.item]]) for one in found]
    assert asked == sorted(asked, reverse=True)


def test_what_is_popular_or_new_does_not_hang_on_who_asks_or_how_often(saved: SavedRun) -> None:
    for ask in (saved.browse.popular, saved.browse.latest):
        whole = ask(Wishes(99))
        assert whole.history == () and not whole.known
        may = saved.interactions.item_ids.filter(pl.Series(saved.shelf.candidates))
        assert sorted(ids(whole)) == sorted(may)
        first = ids(whole)[0]
        assert ids(ask(Wishes(98, hidden=[first]))) == ids(whole)[1:]
        assert ids(ask(Wishes(1, allow=[ids(whole)[-1]]))) == ids(whole)[-1:]
        assert ask(Wishes(99)) == whole
    assert saved.browse.popular(Wishes(5)).items == saved.recommend("nobody", 5).items


def test_every_history_has_all_events_of_the_log(disliking: SavedRun) -> None:
    log = disliking.data.interactions
    every = {user: disliking.browse.history(user) for user in log.user_ids}
    assert sum(map(len, every.values())) == log.num_events
    for user, events in every.items():
        times = [event.time for event in events if event.time is not None]
        assert times == sorted(times) and len(times) == len(events)
        chosen = [event.item for event in events if event.polarity.endswith("positive")]
        assert chosen == disliking.interactions.decode(disliking.context(user).items)
