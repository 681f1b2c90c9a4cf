"""Templates: HTML pages in one file each, without scripts or requests, whatever text is in them."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_of(template: str, **values: object) -> str:
    """A page as HTML text.

    Args:
        template: File of this folder.
        values: What it prints; text is escaped.
    """
    environment = Environment(
        loader=PackageLoader("tastemaker.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
