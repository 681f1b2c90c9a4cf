"""The page of what is found."""

from starlette.testclient import TestClient

from tests.serve.test_event_routes import event
from tests.serve.web.pages import checked


def test_a_user_and_items_are_found(client: TestClient) -> None:
    page = checked(client.get("/search", params={"q": "u1"}))
    assert "/users/u1" in page.links()
    page = checked(client.get("/search", params={"q": "item <7>"}))
    assert "/items/i7" in page.links() and "Item &lt;7&gt;" in page.text
    assert not [link for link in page.links() if link.startswith("/users/")]


def test_a_user_whom_only_the_store_knows_is_found(client: TestClient) -> None:
    client.post("/v1/events", json={"events": [event(1, user_id="a/<b>")]})
    assert "/users/a%2F%3Cb%3E" in checked(client.get("/search?q=a/%3Cb%3E")).links()


def test_nothing_is_said_plainly(client: TestClient) -> None:
    page = checked(client.get("/search", params={"q": "zzzzzzzzqqqq"}))
    assert "No user has this id." in page.text and "No item" in page.text


def test_items_are_found_by_their_pictures(seen: TestClient, client: TestClient) -> None:
    page = checked(seen.get("/search", params={"q": "a blue one"}))
    shown = [attrs["src"] for attrs in page.all("img") if attrs["src"].endswith("/picture")]
    assert len(shown) == 12
    assert {int(src.split("/")[2][1:]) % 3 for src in shown} == {2}
    assert "Pictures most like" not in checked(client.get("/search?q=a blue one")).text
