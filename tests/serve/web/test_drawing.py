"""Style sheets, the script and the icon."""

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.web.drawing import FILES


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_is_sent_once(client: TestClient, name: str) -> None:
    first = client.get(f"/web/{name}")
    assert first.status_code == 200 and first.content
    assert first.headers["content-type"].startswith(FILES[name][1])
    assert first.headers["x-content-type-options"] == "nosniff"
    again = client.get(f"/web/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_nothing_else_of_the_folder_is_sent(client: TestClient) -> None:
    for name in ("layout.html", "..%2Fapp.py", "%2e%2e%2fapp.py", "drawing.py", ""):
        assert client.get(f"/web/{name}").status_code == 404


def test_the_script_is_short_and_loads_nothing(client: TestClient) -> None:
    script = client.get("/web/page.js").text
    assert len(script.splitlines()) <= 150
    for word in ("http:", "https:", "import ", "innerHTML", "eval("):
        assert word not in script
    for name in ("page.css", "web.css", "icon.svg"):
        text = client.get(f"/web/{name}").text.replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text and "@import" not in text and "url(" not in text
