"""The page of pictures and texts says what is found and told, pictures inside, and is inert."""

import json
from copy import deepcopy
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


def changed(path: str, value: object) -> dict[str, Any]:
    results = deepcopy(RESULTS)
    *places, last = path.split(".")
    holder = results
    for place in places:
        holder = holder[place]
    holder[last] = value
    return results


EVIL = "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u202e"


def test_nothing_that_others_wrote_is_markup() -> None:
    """Titles, texts, captions, prompts, names of files and of models, whatever they hold."""
    told = deepcopy(RESULTS)
    told |= {"warnings": [EVIL], "caption_prompt": EVIL, "commit": EVIL}
    told["model"] |= {"name": EVIL, "shape": {EVIL: EVIL}}
    told["data"]["name"] = f"{EVIL}/items.csv"
    told["cafe"]["embedding"] = {"picture_prompt": EVIL}
    for one in told["examples"]["captions"]:
        one |= {"right": EVIL, "written": EVIL, "title": EVIL}
    for query in told["examples"]["found"]:
        query["text"] = EVIL
        for one in query["found"]:
            one |= {"title": EVIL, "picture": EVIL}
    page = render(told, METRICS, {"a.jpg": JPEG, EVIL: JPEG}, EVIL)
    read = Page(page)
    assert not read.problems
    tags = [(tag, held) for tag, held in read.tags]
    assert not [tag for tag, _ in tags if tag in ("script", "iframe", "object", "form")]
    assert not [name for _, held in tags for name in held if name.startswith("on")]
    sources = {held.get("src", "")[:23] for tag, held in tags if tag == "img"}
    assert sources == {"data:image/jpeg;base64,"}


@pytest.mark.parametrize("value", [None, "x", [], float("nan"), {"mean": "many"}], ids=str)
@pytest.mark.parametrize(
    "path", ["after", "after.t2i_recall@1", "before", "chance", "data.doubles", "data.cut",
             "examples", "examples.captions", "training", "model", "warnings"],
)  # fmt: skip
def test_a_part_that_is_something_else_leaves_the_rest(path: str, value: object) -> None:
    page = render(changed(path, value), [], {"a.jpg": JPEG}, "mine")
    assert not Page(page).problems and "nan" not in Page(page).text.split()


def test_a_catalogue_without_captions_or_pictures_has_no_such_sections() -> None:
    told = changed("examples", {})
    told["after"] = {"t2i_recall@1": MEAN}
    page = render(told, METRICS, {}, "mine")
    assert "<img" not in page and 'id="captions"' not in page and 'id="found"' not in page
    assert 'id="retrieval"' in page
    told["after"] = {"perplexity": MEAN}
    page = render(told, [], {}, "mine")
    assert 'id="retrieval"' not in page and 'id="captions"' in page


@pytest.mark.parametrize(
    ("name", "called"),
    [("some/shoes/items.csv", "shoes"), ("items.csv", "items.csv"), ("a/b.parquet", "b.parquet"),
     ("/items.parquet", "items.parquet"), ("frame", "frame"), ("", "")],
)  # fmt: skip
def test_a_name_of_any_form_is_shown(name: str, called: str) -> None:
    page = render(changed("data.name", name), [], {}, "mine")
    assert not called or f"<bdi>{called}</bdi>" in page


def test_only_what_is_a_jpeg_is_shown() -> None:
    for content in (b"", b"\xff", b"GIF89a", b"<svg onload=alert(1)>", b"\x89PNG"):
        page = render(RESULTS, [], {"a.jpg": content}, "mine")
        assert "<img" not in page and not Page(page).problems


def test_equal_results_make_equal_pages() -> None:
    first, again = (render(deepcopy(RESULTS), METRICS, {"a.jpg": JPEG}, "mine") for _ in range(2))
    assert first == again and RESULTS["examples"]["captions"][0]["rank"] == 1
