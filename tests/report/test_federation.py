"""The page of a federation says what happened, whatever of it is missing, and stays inert."""

import runpy
from pathlib import Path

import pytest

from tastemaker.report.federation import render, size, write_page
from tests.report.synthetic_rounds import metrics, results, write_run


def test_the_page_tells_it_all_and_runs_nothing(tmp_path: Path) -> None:
    found = results()
    found["data"]["name"] = "<script>digits"
    page = write_page(write_run(tmp_path, found, metrics())).read_text()
    wanted = ['id="rounds"', 'id="clients"', "96.0", "41.6 MB", "NaN in head.weight", "5 to 40"]
    wanted += [
        "α 0.1",
        "A vertical line marks a failed round",
        "one of them is 0.22",
        "class 8",
        "epochs",
    ]
    assert [told for told in wanted if told not in page] == []
    assert page.count("<svg") == 7
    assert "<script" not in page and "http://www.w3.org/2000/svg" in page


def test_of_a_log_it_says_what_was_measured() -> None:
    found = results() | {"measure": "HR@10", "ndcg@10": 0.4, "worst_ndcg@10": 0.25, "classes": []}
    found["clients"] = [{"name": "north", "accuracy": 0.5, "ndcg@10": 0.25, "users": 1234}]
    page = render(found, metrics(2))
    for told in ("HR@10 on the test", ">HR@10<", "0.250 for the worst client", ">1,234<"):
        assert told in page
    assert "ccuracy" not in page and ">classes<" not in page


@pytest.mark.parametrize("found", [{}, {"worst_client": None, "clients": [{}], "classes": [{}]}])
def test_a_page_of_nothing_is_a_page(found: dict[str, object]) -> None:
    page = render(found, [])
    assert "No round was recorded." in page and "<svg" not in page
    assert "NaN" not in page and ">None<" not in page


def test_the_worst_stand_first_and_what_is_left_out_is_counted() -> None:
    found = results()
    found["clients"] = [found["clients"][0] | {"name": f"c{n}", "accuracy": n / 100}
                        for n in range(70)]  # fmt: skip
    page = render(found, metrics(2))
    assert page.index(">c0<") < page.index(">c1<") < page.index(">c59<")
    assert ">c60<" not in page and "And 10 more" in page


@pytest.mark.parametrize(
    ("value", "told"),
    [(1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (2.5e16, "25,000.0 TB"), (None, "–")],
)
def test_sizes_are_short(value: float | None, told: str) -> None:
    assert size(value) == told


RECIPE = runpy.run_path(str(Path(__file__).parents[2] / "recipes" / "picture.py"))


@pytest.mark.browser
def test_the_page_fits_every_screen(tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(RECIPE["CHROMIUM"]).exists():
        pytest.skip(f"{RECIPE['CHROMIUM']} is missing")
    found = results()
    found["warnings"].append("An-unbroken-warning-" * 20)
    found["clients"][0]["name"] = found["classes"][0]["name"] = "An-unbroken-name-" * 20
    lines = metrics()
    lines[0]["rejected"][0]["value"] = "An-unbroken-value-" * 20
    path = write_page(write_run(tmp_path, found, lines))
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=RECIPE["CHROMIUM"], args=RECIPE["FLAGS"])
        asked: list[str] = []
        for width, scheme in ((320, "dark"), (380, "light"), (1280, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url))
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()
        assert set(asked) == {path.as_uri()}
        browser.close()
