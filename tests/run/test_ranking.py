"""One path for every request: any history, many at a time, with the wishes of each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.run import ranking
from tastemaker.run.answers import Answer, Chosen
from tastemaker.run.histories import asker_given, asker_of
from tastemaker.run.ranking import Request, rank_all
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes
from tests.run.headed import headed
from tests.run.refusals import refusing_run
from tests.run.thinking import thinking


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def disliking(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return refusing_run(tmp_path_factory.mktemp("dislikes"))


def ids(answer: Answer) -> list[str]:
    return [item.item for item in answer.items]


def alike(one: Answer, other: Answer) -> bool:
    """The same list, but for the last bits of sums."""
    scores = [[item.score for item in answer.items] for answer in (one, other)]
    return len(scores[0]) == len(scores[1]) and np.allclose(*scores, atol=1e-4)


def test_a_history_that_is_given_is_answered_as_the_user_whose_it_is(saved: SavedRun) -> None:
    log = saved.interactions
    for user in log.user_ids.to_list()[:20]:
        history = log.decode(log.history(log.user_codes[user]))
        own, given = saved.recommend(user, 5), saved.rank(history, Wishes(5))
        assert own.items == given.items
        assert own.history == given.history
        assert (given.user, given.known, given.model) == ("", False, own.model)
        assert saved.rank(saved.context_with(user, []), Wishes(5)) == own
        assert saved.rank(history, Wishes(5), user=user).known


def test_a_history_nobody_has_is_answered(saved: SavedRun) -> None:
    answer = saved.rank(["i3", "nowhere", "i9", "i12"], Wishes(4), "ease", barred=["i1", "?"])
    assert answer.model == "ease"
    assert answer.history[0] == Chosen("i12", "Item <12>")
    assert "3 events" in answer.reason and "1 of 4" in answer.reason
    assert not {"i3", "i9", "i12", "i1"} & set(ids(answer))
    every = ids(saved.rank(["i3"], Wishes(99), barred=["i1"]))
    assert "i1" not in every and "i3" not in every


def test_of_nothing_what_is_popular(saved: SavedRun) -> None:
    popular = ids(saved.recommend("nobody", 5))
    for history in ([], ["nowhere", "no-item"]):
        answer = saved.rank(history, Wishes(5))
        assert (answer.model, answer.known) == ("popularity", False)
        assert ids(answer) == popular
        assert "most popular" in answer.reason
    assert "2 of 2" in saved.rank(["nowhere", "no-item"]).reason
    assert "nowhere" not in saved.rank([]).reason


def test_newer_events_move_the_list(disliking: SavedRun) -> None:
    before = disliking.recommend("u1", 5)
    listed = ids(before)
    live = disliking.context_with("u1", [(listed[0], 10**6, "dislike"), (listed[1], 10**6, "like")])
    after = disliking.rank(live, Wishes(5))
    assert after.known and not set(listed[:2]) & set(ids(after))
    assert after.history[0].item == listed[1]
    assert f"{len(live.context.items)} events" in after.reason


def requests(saved: SavedRun) -> list[Request]:
    users = saved.interactions.user_ids.to_list()[:30]
    made = [Request(asker_of(saved, user), Wishes(5)) for user in users]
    made += [
        Request(asker_of(saved, "u1"), Wishes(3, 2)),
        Request(asker_given(saved, ["i1", "i2"], ["i5"], ""), Wishes(7, boost={"Even": 0.2})),
        Request(asker_given(saved, [], (), ""), Wishes(2, only=["Odd"])),
        Request(asker_of(saved, "u2"), Wishes(4, deny=["i1", "i2"]), "ease"),
        Request(asker_of(saved, "u3"), Wishes(4, diversify=0.5)),
        Request(asker_of(saved, "u4"), Wishes(2, because=True)),
        Request(asker_of(saved, "nobody"), Wishes(2)),
    ]
    return made


@pytest.mark.parametrize("together", [64, 4])
def test_many_requests_are_answered_as_each_alone(
    saved: SavedRun, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "TOGETHER", together)
    asked = requests(saved)
    alone = [saved.rank(one.asker, one.wishes, one.model) for one in asked]
    many = saved.rank_many(asked)
    assert all(alike(*pair) for pair in zip(alone, many, strict=True))
    same = sum(ids(one) == ids(other) for one, other in zip(alone, many, strict=True))
    assert same >= len(asked) - 1  # sums over a batch may differ in their last bits
    for one, other in zip(alone, many, strict=True):
        assert (one.user, one.known, one.model, one.reason, one.history, one.complete) == (
            other.user, other.known, other.model, other.reason, other.history, other.complete,
        )  # fmt: skip
    assert rank_all(saved, []) == []


def test_a_request_that_cannot_be_answered_stops_all(saved: SavedRun) -> None:
    good = Request(asker_of(saved, "u1"))
    for bad in (Wishes(boost={"Comedy": 1}), Wishes(deny=["?"]), Wishes(relevance=0.5)):
        with pytest.raises(BadInput):
            saved.rank_many([good, Request(good.asker, bad)])
    with pytest.raises(BadInput, match="'gpt'"):
        saved.rank_many([Request(good.asker, Wishes(), "gpt")])


def test_steered_heads_answer_beside_others(saved: SavedRun) -> None:
    run = headed(saved)
    wishes = [Wishes(3), Wishes(3, only=["short-term"]), Wishes(3, boost={"long-term": 0.5})]
    asked = [Request(asker_of(run, user), one) for user in ("u1", "u2") for one in wishes]
    for one, answer in zip(asked, run.rank_many(asked), strict=True):
        assert answer == run.answer(one.asker.user, one.wishes)


def test_items_that_are_hidden_are_never_listed(saved: SavedRun) -> None:
    free = ids(saved.recommend("u1", 6))
    assert ids(saved.recommend("u1", 4, hidden=[*free[:2], "not-yet-known"])) == free[2:6]


def test_items_that_lie_apart(saved: SavedRun) -> None:
    plain = saved.recommend("u1", 8)
    assert saved.recommend("u1", 8, diversify=0.0) == plain
    apart = saved.recommend("u1", 8, diversify=1.0)
    assert apart.items[0] == plain.items[0]
    vectors = saved.shelf.likeness.vectors if saved.shelf.likeness else None
    assert vectors is not None

    def nearness(answer: Answer) -> float:
        rows = [saved.interactions.item_codes[item] - 1 for item in ids(answer)]
        likeness = vectors[rows] @ vectors[rows].T
        return float(likeness[np.triu_indices(8, 1)].mean())

    assert nearness(apart) < nearness(plain)
    pages = [saved.recommend("u1", 4, offset=n, diversify=0.5).items for n in (0, 4)]
    assert (*pages[0], *pages[1]) == saved.recommend("u1", 8, diversify=0.5).items
    table = saved.recommend_all(["u1", "nobody"], 8, diversify=1.0)
    assert table.filter(user_id="u1")["item_id"].to_list() == ids(apart)


def test_the_history_is_the_newest_ten_items(saved: SavedRun) -> None:
    log = saved.interactions
    for user in log.user_ids.to_list():
        past = log.decode(log.history(log.user_codes[user]))
        answer = saved.answer(user, Wishes(2))
        assert [one.item for one in answer.history] == past[::-1][:10]
        assert str(len(past)) in answer.reason and answer.model in answer.reason


def test_somebody_unknown_is_told_so(saved: SavedRun) -> None:
    answer = saved.answer("nobody", Wishes(2), "ease")
    assert (answer.known, answer.model, answer.history) == (False, "popularity", ())
    assert "not in the data" in answer.reason


def test_what_was_chosen_comes_again_where_the_run_repeats(saved: SavedRun) -> None:
    again = replace(saved, config={**saved.config, "repeats": True})
    history = ["i3", "i9", "i12"]
    assert not set(history) & set(ids(saved.rank(history, Wishes(99))))
    assert set(history) <= set(ids(again.rank(history, Wishes(99))))
    assert "i9" not in ids(again.rank(history, Wishes(99), barred=["i9"]))


def test_a_request_for_thoughts_is_checked_with_all_others(saved: SavedRun) -> None:
    asker = asker_given(saved, ["i3"], (), "")
    with pytest.raises(BadInput) as caught:
        saved.rank_many([Request(asker), Request(asker, explain=True)])
    assert caught.value.where == "--explain"
    run = thinking(saved)
    plain, thought = run.rank_many(
        [Request(asker, Wishes(3), "vrec"), Request(asker, Wishes(3), "vrec", explain=True)]
    )
    assert len(thought.thoughts) == 2 and plain.thoughts == ()
    assert ids(plain) == ids(thought)


def test_users_are_ranked_by_what_they_are_known_to_be(saved: SavedRun) -> None:
    """The user of a history that is given is theirs: heads of groups of users may ask for it."""
    assert asker_given(saved, ["i3"], (), "u1").context.users.tolist() == [
        saved.interactions.user_codes["u1"]
    ]
    assert asker_given(saved, ["i3"], (), "nobody").context.users.tolist() == [-1]
    assert saved.rank(["i3"], Wishes(3), user="nobody").known is False
