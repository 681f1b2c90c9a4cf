"""The page of pictures and texts says what is found and told, pictures inside, and is inert."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.report.embedding import render, write_page
from tests.report.reading import Page

JPEG = b"\xff\xd8\xff some bytes of a picture"
MEAN = {"mean": 0.5, "ci95": [0.25, 0.75]}
RESULTS: dict[str, Any] = {
    "model": {"name": "tiny", "sha256": "1" * 64, "shape": {"side": 64}, "parameters": 1234},
    "data": {"name": "some/shoes/items.csv", "items": 20, "train": 16, "validation": 2, "test": 2,
             "dropped": 1, "doubles": {"texts": 3, "pictures": 0}, "cut": {"texts": 4}},
    "cafe": {"alpha_con": 1.0, "embedding": {"pooling": "last"}},
    "training": {"epochs": 3, "best_epoch": 2, "steps": 30, "metric": "joint"},
    "before": {"t2i_recall@1": {"mean": 0.0625, "ci95": [0, 0.1]}, "perplexity": {"mean": 321.5}},
    "after": {"t2i_recall@1": MEAN, "i2t_recall@5": MEAN, "exact": MEAN, "gap": {"mean": 0.125},
              "perplexity": {"mean": 1.75, "ci95": [1.5, 2.0]}},
    "chance": {"t2i_recall@1": 0.03125},
    "examples": {
        "captions": [
            {"picture": "a.jpg", "right": "a red shoe", "written": "a red  shoe", "rank": 1},
            {"picture": "gone.jpg", "right": "a hat", "written": "<script>", "rank": 1200},
            {"picture": "a.jpg", "right": "a hat", "written": None, "rank": 2},
        ],
        "found": [{"text": "a <b>red</b> shoe", "found": [
            {"picture": "a.jpg", "text": "shoe", "right": True},
            {"picture": "a.jpg", "text": "hat"},
        ]}],
    },
    "caption_prompt": "What is this?",
    "warnings": ["Take care."],
}  # fmt: skip
METRICS: list[dict[str, object]] = [
    {"epoch": n, "recall@1": n / 4, "likelihood": n / 8, "loss": 1 / n} for n in (1, 2, 3)
]


@pytest.fixture(scope="module")
def page() -> str:
    return render(RESULTS, METRICS, {"a.jpg": JPEG, "b.jpg": b"no picture"}, "mine")


def test_before_stands_beside_after_and_chance(page: str) -> None:
    recalls, told = Page(page).tables
    assert recalls[1] == ["a text finds its picture, Recall@1", "6.2\u202f%", "50.0\u202f%",
                          "25.0 to 75.0\u202f%", "3.1\u202f%"]  # fmt: skip
    assert recalls[-1][0].startswith("gap") and recalls[-1][2] == "0.125"
    assert told[1][:3] == ["perplexity of true captions", "321.500", "1.750"]


def test_pictures_are_inside_and_nothing_runs(page: str) -> None:
    assert not Page(page).problems
    assert page.count('src="data:image/jpeg;base64,') == 4 == page.count("<img")
    assert "img-src data:" in page and "<script" not in page and "<b>red" not in page
    assert page.count("<svg") == 3


def test_what_is_right_is_marked_and_what_is_wrong_shows_the_truth(page: str) -> None:
    words = " ".join("".join(Page(page).words).split())
    assert page.count('class="mark"') == 2
    assert "not written" in words and "rank 1,200" in words and "Take care." in words
    assert "<bdi>shoes</bdi>" in page


def test_a_page_of_nothing_is_a_page() -> None:
    page = render({}, [], {})
    assert not Page(page).problems and "No epoch was recorded." in page
    broken = {"after": 3, "examples": {"captions": [1, {}], "found": "x"}, "data": []}
    assert not Page(render(broken, [{"epoch": 1}], {})).problems


def test_it_is_written_beside_the_results(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in METRICS))
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.jpg").write_bytes(JPEG)
    (tmp_path / "examples" / "b.jpg").write_bytes(b"\xff\xd8" + b"0" * 300_000)
    text = write_page(tmp_path).read_text()
    assert text.count("data:image/jpeg") == 4 and len(text) < 300_000


def test_other_pages_show_no_pictures_from_elsewhere() -> None:
    from tastemaker.report.reinforcement import render as reinforced

    assert "img-src" not in reinforced({}, [])


@pytest.mark.parametrize("name", sorted(RESULTS))
@pytest.mark.parametrize("broken", [None, 3, "text", [], {}, [1, "x"], {"mean": "nan"}])
def test_a_part_that_is_missing_or_something_else_leaves_the_rest(name: str, broken: Any) -> None:
    page = render(RESULTS | {name: broken}, [], {"a.jpg": JPEG})
    assert not Page(page).problems
    without = render({key: value for key, value in RESULTS.items() if key != name}, [], {})
    assert not Page(without).problems


def test_only_jpegs_are_put_into_a_page() -> None:
    for content in (b"", b"<svg onload=x>", b"\x89PNG", b"GIF89a"):
        page = render(RESULTS, [], {"a.jpg": content})
        assert "<img" not in page and "base64" not in page


@pytest.mark.parametrize(
    ("file", "called"),
    [
        ("shop/items.csv", "shop"),
        ("/data/shoes/items.parquet", "shoes"),
        ("items.csv", "items.csv"),
        ("shop/shoes.jsonl", "shoes.jsonl"),
        ("the frame", "the frame"),
        ("", "tiny"),
    ],
)
def test_a_catalogue_is_called_by_its_folder(file: str, called: str) -> None:
    page = render(RESULTS | {"data": {"name": file, "test": 3}}, [], {})
    assert f"<h1><bdi>{called}</bdi></h1>" in page


def test_every_curve_names_what_it_shows(page: str) -> None:
    for told in ("Recall@1 on validation, both ways", "1 / perplexity on validation", "Loss"):
        assert told in page, told
    assert "Recall@1 and 1 / perplexity" in page  # what chose the weights


def test_how_it_was_made_names_loss_vectors_and_sums(page: str) -> None:
    for told in ("Loss", "Vectors", "pooling", "1" * 64, "1234"):
        assert told in page, told
