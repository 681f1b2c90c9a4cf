"""Checkpoints of a trainer hold no pickle, and only the newest two stay."""

from pathlib import Path

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.errors import ArtefactError
from tastemaker.reinforce.checkpoints import (
    MODEL,
    OPTIMIZER,
    RANDOM,
    STATE,
    TrainerCheckpoints,
    load_random_state,
)
from tests.reinforce.taught import trainer


def test_two_stay_and_another_run_does_not_go_on_from_them(tmp_path: Path, chatty: Path) -> None:
    one = trainer(tmp_path, chatty, kept=True, save_every=1)
    one.learn()
    folder = tmp_path / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["latest", "step-2", "step-3"]
    names = {path.name for path in (folder / "step-3").iterdir()}
    assert names == {MODEL, OPTIMIZER, RANDOM, STATE, "manifest.json"}
    assert one.kept.newest() == (folder / "step-3", 3)
    with pytest.raises(ArtefactError) as fault:
        TrainerCheckpoints(tmp_path, {"of": "another"}).newest()
    assert fault.value.expected == "'test'"
    one.accelerator.state._shared_state["num_processes"] = 2
    try:
        with pytest.raises(ArtefactError):
            load_random_state(one, folder / "step-3")
    finally:
        one.accelerator.state._shared_state["num_processes"] = 1


def test_there_may_be_none_yet(tmp_path: Path) -> None:
    assert TrainerCheckpoints(tmp_path, {}).newest() is None
