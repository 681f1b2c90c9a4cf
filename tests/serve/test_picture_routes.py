"""Pictures of items over HTTP, and items by what theirs show."""

import io

from PIL import Image
from starlette.testclient import TestClient

from tests.serve.pictured import COLOURS
from tests.serve.test_app import error_of


def test_the_picture_of_an_item_is_a_small_copy(seen: TestClient) -> None:
    answer = seen.get("/v1/items/i4/image")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (320, 213)
    middle = picture.getpixel((160, 100))
    assert max(abs(a - b) for a, b in zip(middle, COLOURS["green"], strict=True)) < 12
    assert "max-age" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = {"if-none-match": answer.headers["etag"]}
    again = seen.get("/v1/items/i4/image", headers=known)
    assert again.status_code == 304 and not again.content


def test_an_item_without_a_picture_has_none(seen: TestClient, client: TestClient) -> None:
    for server, item in ((seen, "i0"), (seen, "nonsense"), (client, "i4")):
        answer = server.get(f"/v1/items/{item}/image")
        assert answer.status_code == 404 and error_of(answer)["where"] == "item"
    assert seen.get("/v1/items/i4/image?size=9").status_code == 422


def test_items_are_found_by_what_is_to_be_seen(seen: TestClient) -> None:
    told = seen.get("/v1/pictures", params={"q": "something blue", "k": 5}).json()
    assert [int(one["item"][1:]) % 3 for one in told["items"]] == [2] * 5
    assert told["source"]["model"] == "pictures"
    first = told["items"][0]["item"]
    seen.put(f"/v1/items/{first}", json={"hidden": True})
    rest = seen.get("/v1/pictures", params={"q": "something blue", "k": 5}).json()["items"]
    assert first not in [one["item"] for one in rest] and len(rest) == 5
    every = seen.get("/v1/pictures?q=blue&k=50&availability=any").json()["items"]
    assert len(every) == 39 and first in [one["item"] for one in every]
    for bad in ("k=3", "q=", "q=blue&k=0", "q=blue&k=9999", "q=blue&other=1"):
        assert seen.get(f"/v1/pictures?{bad}").status_code == 422


def test_a_server_that_sees_nothing_has_no_such_route(client: TestClient) -> None:
    assert client.get("/v1/pictures?q=blue").status_code == 404
    assert "/v1/pictures" not in client.get("/openapi.json").json()["paths"]
