"""Pages of users."""

from tastemaker.serve.service import Service
from tastemaker.serve.web.user_pages import user_pages


def test_there_is_a_router(service: Service) -> None:
    assert user_pages(service) is not None
