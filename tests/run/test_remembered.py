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
