"""Queries: read, refused and described as the framework would."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import pytest
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.requests import Request
from starlette.testclient import TestClient

from tastemaker.serve.paths import routed
from tastemaker.serve.queries import described, path_id, query_of
from tastemaker.serve.schemas import (
    CountQuery,
    ListQuery,
    RecommendQuery,
    SearchQuery,
    SimilarQuery,
)

SCHEMAS = (CountQuery, ListQuery, RecommendQuery, SearchQuery, SimilarQuery)


def asked(text: str) -> Request:
    return Request({"type": "http", "query_string": text.encode(), "headers": []})


def theirs(schema: type[BaseModel]) -> FastAPI:
    """The framework's own way, to compare with."""
    app = FastAPI()

    @app.get("/")
    async def read(wished: Annotated[schema, Query()]) -> dict[str, Any]:  # type: ignore[valid-type]
        return wished.model_dump()  # type: ignore[attr-defined]

    return app


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_document_is_that_of_the_framework(schema: type[BaseModel]) -> None:
    want = theirs(schema).openapi()["paths"]["/"]["get"]["parameters"]
    got = described(schema)["parameters"]
    for one in got:  # the framework leaves out that nothing is the default
        if one["schema"].get("default", 0) is None:
            del one["schema"]["default"]
    assert got == want


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("k", "5"), ("offset", "2")],
        [("only", "Comedy"), ("only", "Drama & more"), ("scores", "false")],
        [("allow", ""), ("deny", "ä/b"), ("boost", "A=1")],
        [("k", "0")],
        [("k", "x"), ("diversify", "nan")],
        [("idle", "1")],
        [("availability", "none")],
        [("only", "")],
        [("because", "perhaps")],
        [("k", "")],
    ],
)
def test_values_and_refusals_are_those_of_the_framework(pairs: list[tuple[str, str]]) -> None:
    text = urlencode(pairs)
    with TestClient(theirs(RecommendQuery)) as client:
        want = client.get(f"/?{text}")
    try:
        got = query_of(asked(text), RecommendQuery).model_dump()
    except RequestValidationError as error:
        assert want.status_code == 422
        told = [(list(one["loc"]), one["type"]) for one in error.errors()]
        assert told == [(one["loc"], one["type"]) for one in want.json()["detail"]]
    else:
        assert (want.status_code, want.json()) == (200, got)


@pytest.mark.parametrize("id", ["42", "a/b", "50%", "..", "%2F", "ä ö", "="])
def test_an_id_of_a_path_is_the_id_that_was_sent(id: str) -> None:
    segment = routed(f"/v1/users/{quote(id, safe='')}".encode()).rpartition("/")[2]
    request = Request({"type": "http", "path_params": {"user": segment}, "headers": []})
    assert path_id(request, "user") == id
    (parameter, *_) = described(CountQuery, "user")["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("user", "path", True)
