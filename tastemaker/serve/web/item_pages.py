"""Pages of items."""

from __future__ import annotations

from fastapi import APIRouter

from tastemaker.serve.service import Service


def item_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    return APIRouter(include_in_schema=False)
