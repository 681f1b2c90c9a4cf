"""What a run keeps of its users' old events, where its model compresses them."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path

import polars as pl

from tastemaker.errors import OutOfResources
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.user_states import UserStates
from tastemaker.run.folder import STATES
from tastemaker.seams import Learned


def remembering(model: Learned, user_ids: pl.Series, folder: Path) -> Remembering | None:
    """What is kept of the users of a model, which reads it from then on; None for most models.

    A folder that may not be written keeps none: memories are then made for each answer.

    Args:
        model: The model of a run.
        user_ids: (U,) ids in the order of their codes.
        folder: Where the finished run stands.

    Raises:
        ArtefactError: If memories there are of another model, or the file is damaged.
    """
    if not isinstance(model, PerSRec):
        return None

    def named(code: int) -> str | None:
        return str(user_ids[code]) if code >= 0 else None

    with suppress(OutOfResources):
        made = Remembering(model, _opened(model, folder), named)
        model.memories = made.memory
        return made
    return None


def erased_beside(model: Learned, user: str, folder: Path) -> bool:
    """Erase what a run that keeps nothing now has kept of a user before; says if there was any.

    Raises:
        ArtefactError: If memories there are of another model, or the file is damaged.
        OutOfResources: If they cannot be erased.
    """
    if not isinstance(model, PerSRec) or not (folder / STATES).exists():
        return False
    with closing(_opened(model, folder)) as states:
        return states.erase([user]) > 0


def _opened(model: PerSRec, folder: Path) -> UserStates:
    return UserStates.open(folder / STATES, identity_of(model), "float32")
