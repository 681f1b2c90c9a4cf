"""The page of the model, and its report."""

import shlex
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.web.pages import checked


def test_the_page_says_what_the_card_says(client: TestClient, opened: Opened) -> None:
    response = client.get("/model")
    page = checked(response)
    card = client.get("/v1/model").json()
    for model, values in card["measured"].items():
        assert model in page.text and f"{values['ndcg@10']['mean']:.4f}" in page.text
    for text in (card["version"], card["data"], *opened.saved.results["warnings"]):
        assert text in page.text.replace("&#39;", "'")
    assert page.text.count("recommends here") == 1
    assert "frame-src 'self'" in response.headers["content-security-policy"]
    assert {"/model/report", "/openapi.json", "/metrics"} <= set(page.links())
    assert [one["src"] for one in page.all("iframe")] == ["/model/report"]


def example_of(client: TestClient) -> list[str]:
    text = checked(client.get("/model")).text.partition('<pre id="example"')[2]
    text = text.partition(">")[2].partition("</pre>")[0].replace("&#39;", "'").replace("&#34;", '"')
    return shlex.split(text.replace("\\\n", ""))


def test_the_example_can_be_asked(client: TestClient) -> None:
    curl, address, *options = example_of(client)
    assert curl == "curl" and options[0::2] == ["-H", "-d"]
    kind = dict([options[1].split(": ")])
    response = client.post(address, content=options[-1], headers=kind)
    assert response.status_code == 200 and response.json()["items"]


def test_the_example_names_the_key_but_never_says_it(service: Service) -> None:
    with TestClient(create_app(service, KeyFile.of({"shop": "sesame"}))) as client:
        client.headers["X-API-Key"] = "sesame"
        assert "Authorization: Bearer KEY" in example_of(client)


def test_the_report_is_sent_as_it_is(client: TestClient, opened: Opened) -> None:
    response = client.get("/model/report")
    assert response.content == (opened.saved.path / "report.html").read_bytes()
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy
    assert "script" not in policy


@pytest.fixture
def bare(opened: Opened, kept: Store, tmp_path: object) -> Service:
    """A server of a run with nothing measured, no report, and nasty names."""
    nasty = {"models": {"<b>": {}}, "warnings": ["<script>x</script>"], "why": "", "versions": {}}
    saved = replace(opened.saved, path=opened.saved.path / "gone", results=nasty)
    return Service(Opened(saved, "v<1>"), kept, LIMITS)


def test_names_are_text_and_what_is_missing_is_left_out(bare: Service) -> None:
    with TestClient(create_app(bare)) as client:
        response = client.get("/model")
        page = checked(response)
        assert "<b>" not in page.text and "&lt;script&gt;" in page.text
        assert not page.all("iframe") and "frame-src" not in page.text
        assert client.get("/model/report").status_code == 404
        bare.run.saved.results.clear()
        assert "Nothing was measured" in checked(client.get("/model")).text
