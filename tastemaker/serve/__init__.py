"""Serving: where events are kept, and what answers from them; needs the extra `serve`."""

from tastemaker.models.extras import extra

with extra("serve"):
    import alembic  # noqa: F401
    import sqlalchemy  # noqa: F401
