"""Pictures of items over HTTP, and items by what theirs show."""

import io
from pathlib import Path

import pytest
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


def test_ids_lead_to_no_file(seen: TestClient) -> None:
    for path in (
        "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "4.png", "..", "i4%00", "i4%2F..%2Fi5",
        "i4.png", "%F0%9F%91%9F", "x" * 500,
    ):  # fmt: skip
        answer = seen.get(f"/v1/items/{path}/image")
        assert answer.status_code in (404, 422), path
        assert answer.headers["content-type"] == "application/json", path
        assert b"root:" not in answer.content and b"JFIF" not in answer.content, path


def test_tags_change_with_the_picture_and_tell_what_is_known(
    seen: TestClient, shots: Path, request: pytest.FixtureRequest
) -> None:
    first, other = seen.get("/v1/items/i4/image"), seen.get("/v1/items/i5/image")
    tag = first.headers["etag"]
    assert tag.startswith('"') and tag.endswith('"') and tag != other.headers["etag"]
    for known, status in ((f'"x", {tag}', 304), (f"W/{tag}", 304), ('"x"', 200), ("", 200)):
        answer = seen.get("/v1/items/i4/image", headers={"if-none-match": known})
        assert answer.status_code == status and answer.headers["etag"] == tag
    whole = (shots / "4.png").read_bytes()
    request.addfinalizer(lambda: (shots / "4.png").write_bytes(whole))
    Image.new("RGB", (30, 30), "black").save(shots / "4.png")
    answer = seen.get("/v1/items/i4/image", headers={"if-none-match": tag})
    assert answer.status_code == 200 and answer.headers["etag"] != tag
    assert Image.open(io.BytesIO(answer.content)).size == (30, 30)


def test_a_damaged_picture_is_no_picture(
    seen: TestClient, shots: Path, request: pytest.FixtureRequest
) -> None:
    whole = (shots / "7.png").read_bytes()
    request.addfinalizer(lambda: (shots / "7.png").write_bytes(whole))
    for content in (b"", whole[:40], b"<svg onload='alert(1)'/>"):
        (shots / "7.png").write_bytes(content)
        answer = seen.get("/v1/items/i7/image")
        assert answer.status_code == 404 and str(shots) not in answer.text
    (shots / "7.png").unlink()
    assert seen.get("/v1/items/i7/image").status_code == 404


def test_pictures_are_read_alone(seen: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert seen.request(method, "/v1/items/i4/image").status_code == 405, method


def test_any_words_find_or_are_refused(seen: TestClient) -> None:
    for words in ("<script>alert(1)</script>", "a\0b", "日本 👟", "' OR 1=1", "x" * 400, "\ud83d"):
        said = words.encode("utf-8", "surrogatepass")
        answer = seen.get("/v1/pictures", params={"q": said, "k": 3})
        assert answer.status_code in (200, 422), words
        assert answer.headers["content-type"] == "application/json", words
        assert "<script>" not in answer.text, words


def test_a_hidden_item_keeps_its_picture_and_is_found_no_more(seen: TestClient) -> None:
    """Who hides an item still looks at it."""
    seen.put("/v1/items/i4", json={"hidden": True})
    assert seen.get("/v1/items/i4/image").status_code == 200
    items = seen.get("/v1/pictures", params={"q": "green", "k": 50}).json()["items"]
    assert len(items) == 38 and "i4" not in [one["item"] for one in items]
