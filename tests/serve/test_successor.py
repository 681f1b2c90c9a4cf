"""A run beside the one that is served: what may take its place."""

from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.opened import Opened
from tastemaker.serve.successor import check_arms, opened_beside, refuse_strange


def test_a_sound_run_of_the_same_items_may(opened: Opened, finished_run: Path) -> None:
    assert opened_beside(finished_run, opened).version == opened.version


def test_what_is_no_run_or_of_other_items_may_not(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError):
        opened_beside(tmp_path, opened)
    strange = replace(opened.saved.interactions, item_ids=opened.saved.interactions.item_ids + "x")
    with pytest.raises(BadInput):
        refuse_strange(Opened(replace(opened.saved, interactions=strange), "x"), opened)


def test_an_experiment_needs_its_models(opened: Opened) -> None:
    check_arms(None, opened)
    check_arms(Experiment.parse("x=blend,sasrec"), opened)
    with pytest.raises(BadInput, match="mtmh"):
        check_arms(Experiment.parse("x=blend,mtmh"), opened)
