"""Answers for one user: known or not, with a reason, never an item seen or barred."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run.saved import SavedRun, open_run


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_a_known_user_gets_new_items_in_falling_order(saved: SavedRun) -> None:
    log = saved.interactions
    for user in log.user_ids.to_list():
        answer = saved.recommend(user, 5)
        seen = set(log.decode(log.history(log.user_codes[user])))
        items = [one.item for one in answer.items]
        assert answer.known
        assert len(set(items)) == 5
        assert not seen & set(items)
        scores = [one.score for one in answer.items]
        assert scores == sorted(scores, reverse=True)
        assert all(np.isfinite(scores))


def test_titles_and_history_are_those_of_the_catalogue(saved: SavedRun) -> None:
    answer = saved.recommend("u3", 3)
    log = saved.interactions
    newest = log.decode(log.history(log.user_codes["u3"]))[-1]
    assert answer.history[0] == f"Item <{newest[1:]}>"
    for one in answer.items:
        assert one.title == f"Item <{one.item[1:]}>"
        assert ("Even" in one.categories) == (int(one.item[1:]) % 2 == 0)


@pytest.mark.parametrize("user", ["nobody", "", "u1 ", "1e999", "ü" * 5000, "a\0b"])
def test_an_unknown_user_gets_what_is_popular_and_the_reason(saved: SavedRun, user: str) -> None:
    answer = saved.recommend(user, 4)
    assert not answer.known
    assert "not in the data" in answer.reason
    counts = np.bincount(saved.interactions.items, minlength=41)[1:]
    assert len(answer.items) == 4
    top = {saved.interactions.item_code(one.item) for one in answer.items}
    assert min(counts[list(np.array(list(top)) - 1)]) >= np.sort(counts)[-12]


def test_unknown_users_can_name_groups(saved: SavedRun) -> None:
    answer = saved.recommend("nobody", 6, boost={"odd": 2.0})
    assert all("Odd" in one.categories for one in answer.items)
    assert "odd" in answer.reason


def test_boosts_move_a_known_user_too(saved: SavedRun) -> None:
    assert all(
        "Even" in one.categories for one in saved.recommend("u1", 5, boost={"Even": 2}).items
    )
    against = saved.recommend("u1", 5, boost={"Even": -2})
    assert all("Odd" in one.categories for one in against.items)


def test_only_and_without(saved: SavedRun) -> None:
    free = [one.item for one in saved.recommend("u1", 10).items]
    some = saved.recommend("u1", 10, only=free[3:6])
    assert [one.item for one in some.items] == free[3:6]
    assert not some.complete
    without = saved.recommend("u1", 10, without=free[:2])
    assert [one.item for one in without.items][:8] == free[2:]


def test_more_than_there_is_gives_everything_flagged(saved: SavedRun) -> None:
    answer = saved.recommend("u1", 10**9)
    log = saved.interactions
    seen = len(set(log.history(log.user_codes["u1"]).tolist()))
    assert len(answer.items) == int(saved.models.candidates.sum()) - seen
    assert not answer.complete


@pytest.mark.parametrize("k", [0, -1])
def test_k_must_be_positive(saved: SavedRun, k: int) -> None:
    with pytest.raises(BadInput, match=f"k = {k}"):
        saved.recommend("u1", k)


def test_unknown_items_groups_and_models_are_named(saved: SavedRun) -> None:
    with pytest.raises(BadInput, match="'i999'"):
        saved.recommend("u1", 3, only=["i999"])
    with pytest.raises(BadInput, match="'Comedy'"):
        saved.recommend("u1", 3, boost={"Comedy": 1})
    with pytest.raises(BadInput, match="'gpt'"):
        saved.recommend("u1", 3, model="gpt")


@pytest.mark.parametrize("name", ["sasrec", "ease", "markov-last-5", "item-knn", "blend"])
def test_every_model_of_the_run_can_answer(saved: SavedRun, name: str) -> None:
    answer = saved.recommend("u1", 3, model=name)
    assert len(answer.items) == 3
    assert name in answer.reason


def test_the_context_of_a_user_is_the_whole_history(saved: SavedRun) -> None:
    log = saved.interactions
    context = saved.context("u5")
    assert context.items.tolist() == log.history(log.user_codes["u5"]).tolist()
    assert len(saved.context("nobody").items) == 0


def test_a_run_can_be_moved(finished_run: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(finished_run, tmp_path / "elsewhere"))
    here, there = open_run(finished_run), open_run(moved)
    assert here.recommend("u1", 5) == there.recommend("u1", 5)


def test_no_run_here(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="no finished artefact"):
        open_run(tmp_path / "none")
