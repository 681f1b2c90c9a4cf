"""Pages of items."""

from tastemaker.serve.service import Service
from tastemaker.serve.web.item_pages import item_pages


def test_there_is_a_router(service: Service) -> None:
    assert item_pages(service) is not None
