"""What a run keeps of its users' old events, where its model compresses them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tastemaker.errors import OutOfResources
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.user_states import UserStates
from tastemaker.run.folder import STATES, finished_folder

if TYPE_CHECKING:
    from tastemaker.run.saved import SavedRun


def remembering(saved: SavedRun) -> Remembering | None:
    """The memories of a run, from now on read by its model; None for any other model.

    A folder that may not be written keeps none: memories are then made for each answer.

    Raises:
        ArtefactError: If memories there are of another model, or the file is damaged.
    """
    model = saved.models.neural
    if not isinstance(model, PerSRec):
        return None
    ids = saved.interactions.user_ids

    def named(code: int) -> str | None:
        return str(ids[code]) if code >= 0 else None

    with suppress(OutOfResources):
        path = finished_folder(saved.path) / STATES
        states = UserStates.open(path, identity_of(model), "float32")
        made = Remembering(model, states, named)
        model.memories = made.memory
        return made
    return None
