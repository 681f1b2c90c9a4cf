"""A run that is to take another's place: opened beside it, and refused if it cannot.

What is refused here is never served; the old run goes on answering.
"""

from __future__ import annotations

from pathlib import Path

from tastemaker.errors import BadInput
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.opened import Opened


def check_arms(experiment: Experiment | None, run: Opened) -> None:
    """Refuse a run without the models of an experiment.

    Raises:
        BadInput: If it lacks one.
    """
    if experiment:
        experiment.check(run.saved.models.names)


def opened_beside(path: str | Path, old: Opened) -> Opened:
    """A run that may take another's place.

    Raises:
        ArtefactError: If it is no finished run, or damaged.
        BadInput: If none of its items is one of the other's.
    """
    new = Opened.open(path, old.picture_folder)
    refuse_strange(new, old)
    return new


def refuse_strange(new: Opened, old: Opened) -> None:
    """Refuse a run of other items than those that are served.

    Raises:
        BadInput: If they share none.
    """
    if new.saved.interactions.item_codes.keys().isdisjoint(old.saved.interactions.item_codes):
        fix = "Serve it by a server of its own."
        raise BadInput("The run has none of the items that are served.", str(new.saved.path), fix)
