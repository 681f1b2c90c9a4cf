"""Times that a form brings, as browsers write them; UTC, where they do not say."""

from __future__ import annotations

from datetime import UTC, datetime

from tastemaker.errors import BadInput
from tastemaker.serve.events import LAST_SECOND


def time_of(text: str, field: str) -> float:
    """Seconds since 1970.

    Args:
        text: Such as 2026-01-31T18:30.
        field: That it stands in, for messages.

    Raises:
        BadInput: If it is no time.
    """
    try:
        when = datetime.fromisoformat(text)
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        fix = "Write it as 2026-01-31T18:30, in UTC, or leave it empty."
        raise BadInput(f"{text!r:.80} is no time.", field, fix) from error
    if not 0 <= seconds <= LAST_SECOND:
        fix = "Give a day from 1970 to 2100."
        raise BadInput(f"{text:.80} is not a time that an event can have.", field, fix)
    return seconds
