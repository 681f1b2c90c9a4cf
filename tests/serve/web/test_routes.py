"""Every route of the page, together."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, APIRouter
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.service import Service
from tastemaker.serve.web.routes import web_routes

OPEN = ("/sign-in", "/web/{name}")


def every_route(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from every_route(route.original_router)  # type: ignore[attr-defined]


def test_no_page_is_in_the_document_of_programs(service: Service, client: TestClient) -> None:
    routes = list(every_route(web_routes(service)))
    assert {"/", "/search", "/model", "/web/{name}"} <= {route.path for route in routes}
    assert not [route for route in routes if route.include_in_schema]
    assert not {route.path for route in routes} & set(client.get("/openapi.json").json()["paths"])


@pytest.fixture
def locked(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service, KeyFile.of({"shop": "sesame"}))) as client:
        yield client


def test_no_page_answers_without_a_key(service: Service, locked: TestClient) -> None:
    walked = 0
    for route in every_route(web_routes(service, KeyFile.of({"shop": "sesame"}))):
        path = re.sub("{.*?}", "1", route.path)
        for method in route.methods:
            for headers in ({}, {"X-API-Key": "guess"}, {"Cookie": "tastemaker=Z3Vlc3M="}):
                response = locked.request(method, path, headers=headers)
                if route.path not in OPEN:
                    assert response.status_code == 401, path
                    assert 'type="password"' in response.text
                    walked += 1
    assert walked >= 12


def test_nothing_is_changed_from_another_sites_page(service: Service, client: TestClient) -> None:
    walked = 0
    for route in every_route(web_routes(service, KeyFile.of({"shop": "sesame"}))):
        for method in route.methods - {"GET"}:
            assert method == "POST", "browsers send no others"
            dependencies = {one.dependency.__name__ for one in route.dependencies if one.dependency}
            assert "same_origin" in dependencies, route.path
            walked += 1
    assert walked >= 2


def test_pages_are_counted_as_they_are_declared(client: TestClient) -> None:
    client.get("/search?q=u1")
    assert 'route="/search"' in client.get("/metrics").text
