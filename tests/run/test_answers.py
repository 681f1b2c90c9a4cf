"""What one user is shown."""

from pathlib import Path

import pytest

from tastemaker.run.saved import SavedRun, open_run
from tests.run.headed import headed


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_answers_are_json(saved: SavedRun) -> None:
    import json

    values = json.loads(json.dumps(saved.recommend("u1", 2).to_json(), allow_nan=False))
    assert values["items"][0]["title"].startswith("Item")


@pytest.mark.parametrize("user", ["u1", "nobody"])
def test_scores_go_from_1_for_the_best_to_0_for_the_last_that_may_be_recommended(
    saved: SavedRun, user: str
) -> None:
    whole = saved.recommend(user, 1_000)
    scores = [one.score for one in whole.items]
    assert not whole.complete
    assert len(scores) == saved.models.candidates.sum() - len(set(saved.context(user).items))
    assert (scores[0], scores[-1]) == (1.0, 0.0)
    assert scores == sorted(scores, reverse=True)
    last = saved.recommend(user, 1, allow=[whole.items[-1].item])
    assert last.complete and last.items[0].score == 0.0


def test_an_item_says_what_spoke_for_it_where_heads_took_part(saved: SavedRun) -> None:
    run, silent = headed(saved), headed(saved, weight=0.0)
    names = set(run.shelf.heads.names)  # type: ignore[union-attr]
    for model in ("priors", "blend"):
        items = run.recommend("u1", 5, model=model).to_json()["items"]
        assert {item["intent"] for item in items} <= names
    for answer in (
        saved.recommend("u1", 5),
        run.recommend("u1", 5, model="ease"),
        run.recommend("nobody", 5),
        silent.recommend("u1", 5, model="blend"),
    ):
        assert {item["intent"] for item in answer.to_json()["items"]} == {""}


def test_heads_change_nothing_of_a_ranking_that_they_take_part_in(saved: SavedRun) -> None:
    run = headed(saved)
    for model in ("priors", "blend"):
        score = run.model(model).score(run.context("u1"))[0].detach()
        found = run.recommend("u1", 5, model=model)
        codes = [run.interactions.item_code(item.item) for item in found.items]
        values = [float(score[code - 1]) for code in codes]
        assert values == sorted(values, reverse=True)
