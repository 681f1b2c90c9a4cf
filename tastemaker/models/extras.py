"""Libraries that an extra brings: opened where they are needed, quiet, named when missing."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tastemaker.errors import BadInput


def transformers() -> ModuleType:
    """The library.

    Raises:
        BadInput: If it is not installed.
    """
    with extra("llm"):
        import transformers as library
    return library


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Turn an import that fails inside into the extra that brings it.

    Raises:
        BadInput: With the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        fix = f"Run `pip install 'tastemaker[{name}]'`."
        raise BadInput(f"A library is missing: {error}.", f"the extra {name!r}", fix) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing progress bars, logging and warning inside."""
    speaker = transformers().utils.logging
    level, bars = speaker.get_verbosity(), speaker.is_progress_bar_enabled()
    speaker.set_verbosity(logging.CRITICAL)
    speaker.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        speaker.set_verbosity(level)
        if bars:
            speaker.enable_progress_bar()
