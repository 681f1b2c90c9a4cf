"""What one user is shown."""

from pathlib import Path

import pytest

from tastemaker.run.saved import SavedRun, open_run


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
