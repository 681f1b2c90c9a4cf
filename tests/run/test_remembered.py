"""A run of PerSRec answers from what it keeps of its users, and forgets them when told to."""

import shutil
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.options import RunOptions
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run.folder import STATES
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.run.wishes import Wishes
from tastemaker.train.config import FitConfig

SHAPE = PerSRecConfig(SASRecConfig(dim=8, inner=8), old=12, recent=4, tokens=2)


@pytest.fixture(scope="module")
def run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("persrec") / "run"
    options = RunOptions(data=str(small_data), out=str(out))
    return Path(run_recommender(options, SHAPE, FitConfig(epochs=2, batch=8))["run"])


def test_a_second_answer_reads_what_the_first_has_kept(run: Path) -> None:
    saved = open_run(run)
    user = saved.interactions.user_ids[0]
    first = saved.recommend(user, 5, model="persrec")
    kept = saved.remembering
    assert kept is not None and (kept.made, kept.read) == (1, 0)
    assert saved.recommend(user, 5, model="persrec") == first
    assert (kept.made, kept.read) == (1, 1)
    again = open_run(run)  # what is kept is no part of the run, which is still whole
    assert again.recommend(user, 5, model="persrec") == first
    assert again.remembering is not None and again.remembering.read == 1
    assert saved.forget(user) and not saved.forget(user)
    assert len(kept.states) == 0


def test_memories_of_another_model_are_refused(run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run, tmp_path / "run"))
    saved = open_run(other)
    model = saved.models.neural
    user = saved.interactions.user_ids[1]
    saved.recommend(user, 3)
    assert (other / STATES).exists()
    with pytest.raises(ArtefactError, match="another model"):
        changed = open_run(other)
        next(changed.models.neural.parameters()).data += 1  # type: ignore[attr-defined]
        changed.recommend(user, 3)
    assert model is saved.models.neural


def test_a_run_of_another_model_keeps_nothing(finished_run: Path) -> None:
    saved = open_run(finished_run)
    assert saved.remembering is None and not saved.forget("u1")
    assert not (finished_run / STATES).exists()


def test_a_run_that_does_not_remember_keeps_nothing_and_erases_what_there_was(
    run: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(run, tmp_path / "run"))
    for path in other.glob(f"{STATES}*"):
        path.unlink()
    saved = open_run(other, remembers=False)
    user = saved.interactions.user_ids[0]
    want = saved.recommend(user, 5, model="persrec")
    assert saved.remembering is None and not saved.forget(user)
    assert not (other / STATES).exists()
    assert open_run(other).recommend(user, 5, model="persrec") == want
    assert saved.forget(user) and not saved.forget(user)


def test_newer_events_are_read_beside_what_is_kept(run: Path, tmp_path: Path) -> None:
    """A live user is answered as one whose whole history is told, from what is kept."""
    saved = open_run(Path(shutil.copytree(run, tmp_path / "run")))
    log = saved.interactions
    for user in log.user_ids.to_list()[:10]:
        newer = [("i1", 10**6), ("i2", 10**6 + 1)]
        whole = [*log.decode(log.history(log.user_codes[user])), "i1", "i2"]
        for _ in range(2):  # made, then read
            live = saved.rank(saved.context_with(user, newer), Wishes(5), "persrec")
            told = saved.rank(whole, Wishes(5), "persrec")
            assert [one.item for one in live.items] == [one.item for one in told.items]
            assert live.known and not told.known
    assert saved.remembering is not None and saved.remembering.read >= 10


def test_reasons_leave_what_is_kept_as_it_is(run: Path, tmp_path: Path) -> None:
    saved = open_run(Path(shutil.copytree(run, tmp_path / "run")))
    user = saved.interactions.user_ids[0]
    first = saved.recommend(user, 5, model="persrec")
    assert saved.remembering is not None
    made = saved.remembering.made
    reasoned = saved.recommend(user, 5, model="persrec", because=True)
    assert any(item.because for item in reasoned.items)
    assert [item.item for item in reasoned.items] == [item.item for item in first.items]
    read = saved.remembering.read
    assert saved.recommend(user, 5, model="persrec") == first
    assert saved.remembering.read == read + 1
    assert saved.remembering.made > made and len(saved.remembering.states) == 1
