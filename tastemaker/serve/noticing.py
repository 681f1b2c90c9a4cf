"""Another run stands in the folder that is served: seen without anybody having to say so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tastemaker.errors import TastemakerError
from tastemaker.run.folder import version_of

EVERY = 2.0
"""Seconds between two looks, each of which reads one small file."""


async def noticing(
    run: Path, served: Callable[[], str], again: asyncio.Event, every: float = EVERY
) -> None:
    """Ask for the run to be opened again, once for each version that is not served.

    Args:
        run: Folder of the run.
        served: Version that is served now.
        again: Set when the folder is to be opened.
        every: Seconds between two looks.
    """
    asked = ""
    while True:
        await asyncio.sleep(every)
        stands = await asyncio.to_thread(_standing, run)
        if stands not in ("", served(), asked):
            asked = stands
            again.set()
        elif stands == served():
            asked = ""  # one that was refused may come back mended


def _standing(run: Path) -> str:
    """Version of the run there; empty where none can be read."""
    try:
        return version_of(run)
    except (TastemakerError, OSError):
        return ""
