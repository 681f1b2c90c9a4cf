"""The whole page: complete, honest with its numbers, deaf to what data try to inject."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tastemaker.errors import ArtefactError
from tastemaker.report import page as report
from tastemaker.report.page import pictures_in, read_metrics, render, write_report
from tests.report.reading import Page
from tests.report.synthetic import metrics, results, write_run

HOSTILE = (
    "</style></title><script>alert('x')</script><img src=x onerror=alert(1)>\"'&\x00\x1b\u202e"
)
SECTIONS = ("headline", "data", "training", "models", "buckets", "examples", "made")
LEAST: dict[str, Any] = {
    "models": {"popularity": {"ndcg@10": {"mean": 0.02, "ci95": [0.01, 0.03]}}},
    "best": "popularity",
    "data": {},
}


@pytest.fixture(scope="module")
def html() -> str:
    return render(results(), metrics(), {"data": "my films", "model": "sasrec", "seed": 0})


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def poisoned(value: Any) -> Any:
    """The same shape with hostile text at the end of every text and name of a model."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    if isinstance(value, dict):
        return {key: poisoned(inner) for key, inner in value.items()}
    return value


def test_every_section_is_there_once_and_in_order(page: Page) -> None:
    found = [name for name in page.ids if name in SECTIONS]
    assert found == list(SECTIONS)
    targets = {a["href"] for tag, a in page.tags if tag == "a"}
    assert targets == {f"#{name}" for name in SECTIONS[1:]}


def test_a_section_is_one_entry_and_one_that_shows_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, made = (one for one in report.SECTIONS if one.name in ("data", "made"))
    nothing = report.Section("nothing", "Nothing", lambda run: None)
    again = report.Section("data", "Once <more>", data.show)
    monkeypatch.setattr(report, "SECTIONS", (again, nothing, made))
    found = Page(render(results(), metrics()))
    assert found.problems == []
    assert [name for name in found.ids if name in (*SECTIONS, "nothing")] == [
        "headline", "data", "made",
    ]  # fmt: skip
    assert [a["href"] for tag, a in found.tags if tag == "a"] == ["#data", "#made"]
    assert found.text.count("Once <more>") == 2


def test_html_is_balanced_and_ids_are_unique(page: Page) -> None:
    assert page.problems == []
    assert len(page.ids) == len(set(page.ids))


def test_page_asks_for_nothing_outside_itself(html: str, page: Page) -> None:
    assert re.findall(r"https?://[^\s\"'<]*", html.replace("http://www.w3.org/2000/svg", "")) == []
    assert {"script", "link", "iframe", "object", "img", "base"}.isdisjoint(t for t, _ in page.tags)
    assert not [a for _, a in page.tags if "src" in a or any(name.startswith("on") for name in a)]
    assert "@import" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#", "'"}
    policy = next(a["content"] for _, a in page.tags if "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_headline_says_what_is_best_how_good_and_why(page: Page) -> None:
    before_data = page.text.split("The data Users")[0]
    assert "Read this first One seed was trained" in before_data
    assert "For 12.2 % of 671 test users" in before_data
    assert "Best model blend" in before_data
    assert "0.0652" in before_data
    assert "interval 0.0509 to 0.0795" in before_data
    assert results()["why"] in before_data


def test_what_validation_chose_stands_beside_the_test(page: Page) -> None:
    table = page.table("NDCG@10", "on validation")
    assert table["NDCG@10"] == ["on validation", "on the test"]
    assert table["blend"] == ["0.0701", "0.0652|0.0509 to 0.0795"]
    assert list(table) == ["NDCG@10", "blend", "sasrec"]


def test_the_data_say_what_is_not_learnt_and_why(page: Page) -> None:
    events = page.table("Event", "Meaning")
    assert events["view"] == ["implicit positive", "88,004", "87,000"]
    assert events["hide"] == ["explicit negative", "12,000", "0"]
    reasons = page.table("Events", "Why")
    assert reasons["12,000"] == ["They say that somebody did not like the item."]
    data = page.text.split("The data Users")[1].split("Training")[0]
    assert results()["data"]["warnings"][0] in data


def test_events_that_came_next_stand_newest_first() -> None:
    user = results()["examples"][0] | {"held_out": ["earlier", "later"]}
    text = Page(render({"examples": [user]})).text
    assert text.index("later") < text.index("earlier")
    assert "hidden from the models, newest first" in text


def test_every_number_of_the_accuracy_table_is_that_of_the_results(page: Page) -> None:
    table = page.table("Model", "HR@10")
    names = ["hr@10", "ndcg@10", "mrr@10", "hr@10/unfiltered", "ndcg@10/unfiltered"]
    assert table["Model"][3] == "HR@10|seen items allowed"
    for model, found in results()["models"].items():
        wanted = [
            f"{found[m]['mean']:.4f}|{found[m]['ci95'][0]:.4f} to {found[m]['ci95'][1]:.4f}"
            for m in names
        ]
        assert table[model] == wanted
    assert len(table) == 1 + len(results()["models"])


def test_every_number_beyond_accuracy_is_that_of_the_results(page: Page) -> None:
    table = page.table("Model", "Coverage")
    for model, found in results()["models"].items():
        cells = [cell.split("|")[0].replace("\u202f%", "") for cell in table[model]]
        wanted = [
            f"{100 * found['coverage@10']['mean']:.1f}",
            f"{found['entropy@10']['mean']:.2f}",
            f"{found['novelty@10']['mean']:.2f}",
            f"{found['personalisation@10']['mean']:.3f}",
            f"{100 * found['popularity_share@10']['mean']:.1f}",
        ]
        assert cells == wanted


def test_models_are_ordered_by_quality_and_the_best_values_are_bold(page: Page) -> None:
    assert list(page.table("Model", "HR@10"))[1:] == [
        "blend", "ease", "markov-last-5", "co-occurrence", "sasrec", "popularity",
    ]  # fmt: skip
    models = results()["models"].values()
    assert f"{max(m['ndcg@10']['mean'] for m in models):.4f}" in page.strong
    lowest = min(m["popularity_share@10"]["mean"] for m in models)
    assert f"{100 * lowest:.1f}\u202f%" in page.strong
    assert f"{sorted(m['ndcg@10']['mean'] for m in models)[-2]:.4f}" not in page.strong


def test_comparisons_show_difference_interval_p_and_shares(page: Page) -> None:
    table = page.table("Models", "Metric")
    row = [cell.replace("\u202f", "") for cell in table["blend against ease"]]
    assert row == [
        "NDCG@10", "+0.0062|+0.0004 to +0.0121", "+10.5%", "0.0312", "|10.4% / 82.0% / 7.6%",
    ]  # fmt: skip
    assert table["blend against sasrec"][3] == "<\u202f0.0001"
    assert "+0.0062" in page.strong
    assert "\u22120.0169" not in page.strong


def test_bucket_numbers_are_those_of_the_results(page: Page) -> None:
    for title, rows in results()["buckets"].items():
        table = page.table(title, "n")
        for row in rows:
            cells = [cell.split("|")[0] for cell in table[row["bucket"]]]
            shown = dict(zip(table[title], cells, strict=True))
            assert shown.pop("n") == str(row["n"])
            assert shown == {k: f"{v['mean']:.4f}" for k, v in row["models"].items()}


def test_examples_show_the_newest_events_what_came_next_and_hits(html: str, page: Page) -> None:
    user = results()["examples"][0]
    shown = page.text.split("User 42")[1].split("User 307")[0]
    order = [shown.index(title) for title in user["history"][:8]]
    assert order == sorted(order)
    assert "newest first" in shown
    assert "newest last" not in page.text
    assert user["history"][8] not in shown
    assert f"hidden from the models {user['held_out'][0]} What they chose before" in shown
    assert "What was recommended: 1 found" in shown
    assert f"{user['held_out'][0]} Romance, Drama ✓ chosen next" in shown
    assert html.count("✓ chosen next") == 2


def test_made_lists_command_hashes_versions_and_options(page: Page) -> None:
    assert "tastemaker run --data 'my films' --model sasrec --seed 0" in page.text
    for wanted in ("3f" * 32, "a7" * 32, "0123456789ab", "2.13.0", "dropout 0.2", "ease 10"):
        assert wanted in page.text


def test_every_picture_has_words_and_a_caption(page: Page) -> None:
    pictures = [a for tag, a in page.tags if tag == "svg"]
    assert len(pictures) == 2 + 2 * 3
    assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figure") == tags.count("figcaption") == 4


def test_hostile_text_is_shown_and_never_acts() -> None:
    found = poisoned(results())
    found["models"] = {k + HOSTILE: v for k, v in results()["models"].items()}
    for row in (row for rows in found["buckets"].values() for row in rows):
        row["models"] = {k + HOSTILE: v for k, v in row["models"].items()}
    found["buckets"] = {k + HOSTILE: v for k, v in found["buckets"].items()}
    for holder in ("skipped", "versions", "blend", "protocol"):
        found[holder] = {k + HOSTILE: v for k, v in found[holder].items()}
    html = render(found, metrics(), {"data": HOSTILE, "model": HOSTILE})
    page = Page(html)
    assert page.problems == []
    assert {"script", "img"}.isdisjoint(tag for tag, _ in page.tags)
    assert "<script" not in html
    assert not [a for _, a in page.tags if "onerror" in a]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)
    assert page.text.count("<script>alert('x')</script>") > 100


@pytest.mark.parametrize("missing", sorted(results()))
def test_any_part_may_be_missing(missing: str) -> None:
    found = {name: value for name, value in results().items() if name != missing}
    page = Page(render(found, metrics()))
    assert page.problems == []
    assert [name for name in page.ids if name in SECTIONS] == list(SECTIONS)


@pytest.mark.parametrize("nothing", [None, {}, [], ""])
def test_any_part_may_be_empty(nothing: object) -> None:
    page = Page(render(dict.fromkeys(results(), nothing), []))
    assert page.problems == []
    assert "No model was measured." in page.text


@pytest.mark.parametrize(
    ("density", "shown"), [(0.01644, "1.64"), (4.2e-7, "0.000042"), (1, "100.00"), (0, "0.00")]
)
def test_a_tiny_density_is_not_shown_as_zero(density: float, shown: str) -> None:
    text = Page(render(LEAST | {"data": {"density": density}})).text
    assert f"Density {shown} %" in text


def test_training_that_had_not_converged_is_headed_so(html: str) -> None:
    training = results()["training"] | {"converged": False}
    assert "Not converged." in render(results() | {"training": training}, metrics())
    assert "Not converged." not in html


def test_a_training_in_stages_names_them_with_their_epochs(html: str) -> None:
    lines = [
        line | {"stage": "one" if line["epoch"] < 3 else "two" if line["epoch"] < 4 else "<three>"}
        for line in metrics()
    ]
    page = Page(render(results(), lines))
    assert "one (epochs 1–2), two (epoch 3), <three> (epochs 4–23)" in page.text
    assert "stages" not in Page(html).text


def test_sections_without_data_say_so() -> None:
    text = Page(render(LEAST)).text
    for sentence in (
        "This run recorded nothing about its data.",
        "There is no learning curve",
        "No models were compared in pairs.",
        "Quality was not measured by group.",
        "No example users were recorded.",
        "This run recorded no options.",
    ):
        assert sentence in text
    assert "Beyond accuracy" not in text


def test_values_that_are_not_numbers_become_dashes() -> None:
    broken = {"mean": math.nan, "ci95": [None, 1]}
    metric = {"ndcg@10": broken, "hr@10": {"mean": "0.1"}, "coverage@10": {"mean": 0.2}}
    found = {"models": {"a": metric, "b": {}}, "best": "a", "data": {"users": None}}
    table = Page(render(found)).table("Model", "HR@10")
    assert table == {"Model": ["HR@10", "NDCG@10"], "a": ["–", "–"], "b": ["–", "–"]}


def test_flat_and_huge_values_are_drawn() -> None:
    for mean in (0.0, 1.0, 1e300):
        flat = {"ndcg@10": {"mean": mean, "ci95": [mean, mean]}}
        page = Page(render({"models": {"a": flat}, "best": "a"}, [{"epoch": 1, "loss": mean}]))
        assert "svg" in [tag for tag, _ in page.tags]


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@example("𐀀" * 40, "\ud800\x00")
@given(st.text(st.characters(), min_size=1), st.text(st.characters()))
def test_any_title_and_model_name_gives_a_whole_page(name: str, title: str) -> None:
    item = {"item": title, "title": title, "hit": True}
    found = {
        "models": {name: LEAST["models"]["popularity"]},
        "best": name,
        "data": {"name": title},
        "examples": [{"user": name, "history": [title], "recommendations": [item]}],
    }
    page = Page(render(found))
    assert page.problems == []
    assert "\ufffd" not in title or "\ufffd" in page.text


def test_written_whole_beside_its_inputs(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", results(), metrics())
    path = write_report(run)
    assert path == run / "report.html"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "tastemaker run --data synthetic-films" in text
    assert sorted(p.name for p in run.iterdir()) == [
        "config.json", "metrics.jsonl", "report.html", "results.json",
    ]  # fmt: skip
    assert write_report(run).read_text(encoding="utf-8") == text


def test_a_run_without_results_is_an_artefact_error(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="File is missing"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_metrics_keep_the_last_line_of_an_epoch_and_skip_torn_ones(tmp_path: Path) -> None:
    lines = [
        json.dumps({"epoch": 2, "loss": 5.0}),
        json.dumps({"epoch": 1, "loss": 6.0}),
        json.dumps({"epoch": 2, "loss": 4.5}),
        '{"epoch": 3, "lo',
        "[1]",
        '{"epoch": NaN}',
    ]
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(lines))
    assert read_metrics(path) == [{"epoch": 1, "loss": 6.0}, {"epoch": 2, "loss": 4.5}]
    assert read_metrics(tmp_path / "none") == []


def test_importing_the_room_imports_no_charts() -> None:
    code = "import sys, tastemaker.report; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pictures_of_a_folder_are_those_of_its_kind_and_size(tmp_path: Path) -> None:
    for name, many in (("b.png", 3), ("a.png", 2), ("c.png", 4), ("d.jpg", 1)):
        (tmp_path / name).write_bytes(b"x" * many)
    assert pictures_in(tmp_path, ".png", 3) == {"a.png": b"xx", "b.png": b"xxx"}
    assert list(pictures_in(tmp_path, ".png", 9)) == ["a.png", "b.png", "c.png"]
    assert pictures_in(tmp_path / "none", ".png", 9) == {}
