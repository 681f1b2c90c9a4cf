"""Forms of pages as browsers send them; their size was bounded at the door."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from starlette.requests import Request

from tastemaker.errors import BadInput

TYPE = "application/x-www-form-urlencoded"
_MOST = 64
"""Fields of a form."""


async def form_of(request: Request, fields: Collection[str]) -> dict[str, str]:
    """The fields of a form; those that were left empty are not there.

    Args:
        request: What brings it.
        fields: Names that it may have.

    Raises:
        BadInput: If it is no form, or has a field that it cannot have, or one twice.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
        raise BadInput("The body is no form.", "Content-Type", f"Send it as {TYPE}.")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError as error:
        fix = f"Percent-encode it as UTF-8, {_MOST} fields at most."
        raise BadInput("The form cannot be read.", "body", fix) from error
    form: dict[str, str] = {}
    for name, value in pairs:
        if name not in fields:
            fix = f"There are: {', '.join(fields)}." if fields else "Leave it out."
            raise BadInput(f"The form has no field {name!r:.80}.", "body", fix)
        if name in form:
            raise BadInput(f"{name!r:.80} stands there twice.", "body", "Give it once.")
        form[name] = value
    return {name: value for name, value in form.items() if value}


def required(form: dict[str, str], name: str) -> str:
    """A field that has to be filled in.

    Raises:
        BadInput: If it is empty.
    """
    if name not in form:
        raise BadInput("This field is empty.", name, "Fill it in.")
    return form[name]
