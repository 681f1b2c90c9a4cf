"""One user is answered with titles, history and reason, by whoever ranks for them."""

from pathlib import Path

import pytest

from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.user_answers import answer_user
from tastemaker.run.wishes import Wishes


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_the_history_is_the_newest_ten_items(saved: SavedRun) -> None:
    log = saved.interactions
    for user in log.user_ids.to_list():
        past = log.decode(log.history(log.user_codes[user]))
        answer = answer_user(saved, user, Wishes(2))
        assert [one.item for one in answer.history] == past[::-1][:10]
        assert str(len(past)) in answer.reason and answer.model in answer.reason


def test_somebody_unknown_is_told_so(saved: SavedRun) -> None:
    answer = answer_user(saved, "nobody", Wishes(2), "ease")
    assert (answer.known, answer.model, answer.history) == (False, "popularity", ())
    assert "not in the data" in answer.reason


def test_a_run_answers_alike(saved: SavedRun) -> None:
    asked = Wishes(3, 1, {"Even": 0.5}, ("Even", "Odd"))
    assert answer_user(saved, "u4", asked) == saved.answer("u4", asked)
    assert answer_user(saved, "u4", asked, "ease").model == "ease"
