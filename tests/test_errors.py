"""Faults carry cause, place and remedy, and each kind its exit code."""

import pytest

from tastemaker.errors import (
    ArtefactError,
    BadInput,
    NumericFault,
    OutOfResources,
    TastemakerError,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (TastemakerError, 1),
        (BadInput, 2),
        (NumericFault, 4),
        (OutOfResources, 5),
        (Unavailable, 5),
    ],
)
def test_exit_codes(kind: type[TastemakerError], code: int) -> None:
    fault = kind("It broke.", "here", "Mend it.")
    assert fault.fields == {
        "error": kind.__name__,
        "what": "It broke.",
        "where": "here",
        "fix": "Mend it.",
        "exit_code": code,
    }
    assert str(fault) == "It broke. Where: here. Mend it."


def test_empty_parts_are_left_out() -> None:
    assert str(BadInput("It broke.")) == "It broke."


def test_artefact_errors_say_what_was_expected() -> None:
    fault = ArtefactError("a/b", "File was changed", "x", "y", "Restore it.")
    assert fault.exit_code == 3
    assert str(fault) == "File was changed: expected x, got y. Where: a/b. Restore it."
    assert (fault.fields["file"], fault.fields["expected"], fault.fields["got"]) == (
        "a/b",
        "x",
        "y",
    )
