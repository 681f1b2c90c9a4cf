"""Odd logs and catalogues are answered, or refused with what to do; no list is short."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.cli import main
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import EVENT, Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.recommend.vrec import VRec
from tests.recommend.small_vrec import SMALL, model

LONG = "word " * 2_000


def grounded(titles: list[str | None], train: Contexts | None = None) -> Ground:
    """Items of some titles, which ten users chose in turn."""
    count = len(titles)
    if train is None:
        items = (np.arange(20) % count + 1).astype(np.int32)
        train = Contexts(np.arange(10), np.arange(0, 21, 2), items)
    known = {"item_id": [f"i{n}" for n in range(count)], "title": titles}
    nulls = [None] * count
    frame = pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA)
    return Ground.of(frame["item_id"], Catalog(frame), train, ["view"])


def ranked(where: Ground, **set_to: object) -> VRec:
    """A fresh model, all of whose items have a score of their own place."""
    torch.manual_seed(0)
    net = VRec.build(replace(SMALL, **set_to), where).eval()  # type: ignore[arg-type]
    asked = where.train
    assert asked is not None
    scores = net.score(asked)
    assert scores.shape == (len(asked), where.num_items) and torch.isfinite(scores).all()
    net.train()
    net.loss(next(iter(net.batches(asked, 8).epoch(0)))).backward()
    grads = [p.grad for p in net.parameters() if p.grad is not None]
    assert all(torch.isfinite(grad).all() for grad in grads)
    return net


@pytest.mark.parametrize(
    "titles",
    [
        ["the same"] * 3 + ["another", "another"],
        ["star", "star wars", "star wars story", "star"],
        ["", LONG, None, "x", "  "],
        ["\x1b[31mred", "<script>1</script>", "\u202egnp", "a\x00b", "\n\t"],
    ],
    ids=["twins", "beginnings", "empty and long", "controls"],
)
def test_any_titles_make_items_that_can_be_told_apart(titles: list[str | None]) -> None:
    net = ranked(grounded(titles), verifiers=("collaborative",))
    codes = net.language.tokens[1:].tolist()
    assert len({tuple(row) for row in codes}) == len(titles)


def test_items_without_events_and_text_are_in_no_group_and_ranked() -> None:
    items = np.array([1, 2, 1, 2, 3, 2, 3], np.int32)
    train = Contexts(np.arange(3), np.array([0, 2, 4, 7]), items)
    net = ranked(grounded(["red kind", "blue kind", "red sort", "", None], train))
    for label in net.labels:
        assert label.groups[4:].eq(-1).all()  # type: ignore[operator, union-attr]


@pytest.mark.parametrize("set_to", [{"classes": 500}, {"size": 500}, {"history": 1}])
def test_sizes_above_the_catalogue_and_below_a_history_will_do(set_to: dict[str, object]) -> None:
    ranked(grounded([f"thing{n} kind{n % 2}" for n in range(6)]), **set_to)


def test_one_item_or_one_user_can_be_learnt_from_where_nothing_is_checked() -> None:
    ranked(grounded(["only"]), verifiers=())
    alone = Contexts(np.array([0]), np.array([0, 2]), np.array([1, 2], np.int32))
    ranked(grounded(["a thing", "a stone", "rain"], alone), verifiers=())
    singles = Contexts(np.arange(4), np.array([0, 1, 2, 3, 5]), np.array([1, 2, 3, 1, 2], np.int32))
    ranked(grounded(["red kind", "blue kind", "red sort"], singles), verifiers=())


@pytest.mark.parametrize("name", ["text", "collaborative", "genre", EVENT])
def test_groups_that_say_nothing_are_refused_by_the_option_that_named_them(name: str) -> None:
    twins = Contexts(np.arange(3), np.array([0, 1, 2, 3]), np.array([1, 1, 1], np.int32))
    with pytest.raises(BadInput) as refused:
        VRec.build(replace(SMALL, verifiers=(name,)), grounded(["same"], twins))
    assert refused.value.where == f"--model.verifiers {name}"
    if name in ("genre", EVENT):
        assert EVENT not in str(refused.value.fix) and "collaborative" in str(refused.value.fix)


def test_verifiers_suit_the_data_where_none_are_named(tmp_path: Path) -> None:
    bare, written = grounded([None] * 4), grounded(["red kind", "blue kind", "red sort", "x"])
    for ground, names in ((bare, ["collaborative"]), (written, ["text", "collaborative"])):
        net = ranked(ground)
        assert list(net.known.groupings) == names
        folder = tmp_path / names[0]
        folder.mkdir()
        net.save(folder)
        opened = VRec.open(net.config, Ground(net.num_items), folder)
        assert list(opened.known.groupings) == names
    assert replace(SMALL, verifiers=("none",)).verifiers == ()


def test_what_is_not_checked_needs_no_groups() -> None:
    bare = grounded([None] * 4)
    with pytest.raises(BadInput):
        VRec.build(replace(SMALL, verifiers=("text",)), bare)
    net = ranked(bare, thoughts=0)
    assert not net.known.groupings


@pytest.mark.parametrize("damage", ["codes", "sizes", "cut", "gone"])
def test_damaged_ids_of_a_run_are_refused(damage: str, tmp_path: Path) -> None:
    net = model()
    net.save(tmp_path)
    path = next(tmp_path.glob("semantic-ids*"))
    ids = net.known.ids
    if damage == "codes":
        replace(ids, codes=ids.codes[[0, *range(len(ids.codes) - 1)]]).save(path)
    elif damage == "sizes":
        replace(ids, sizes=(9, *ids.sizes[1:])).save(path)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    with pytest.raises(ArtefactError):
        VRec.open(net.config, Ground(net.num_items), tmp_path)


def test_a_run_of_an_odd_catalogue_answers_in_full_with_few_beams(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", f"i{item}", place)
        for user in range(10)
        for place, item in enumerate(rng.permutation(9)[: 4 if user else 1])
    ]
    data, out = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    frame = pl.DataFrame(rows, ["user_id", "item_id", "timestamp"], orient="row")
    frame.write_csv(data / "interactions.csv")
    titles = ["twin", "twin", "twin two", "", LONG, "\x1b[2J", "<b>", None, "\u202egnp"]
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(9)], "title": titles})
    items.write_parquet(data / "items.parquet")
    words = ["train", "vrec", "--data", str(data), "--out", str(out), "--fit.epochs", "1"]
    sizes = {"dim": 8, "layers": 1, "heads": 1, "size": 4, "levels": 2, "thoughts": 1,
             "verify-epochs": 1, "joint-epochs": 1, "beams": 2, "history": 2}  # fmt: skip
    words += [word for name, value in sizes.items() for word in (f"--model.{name}", str(value))]
    assert main(words) == 0, capsys.readouterr().err
    capsys.readouterr()
    asked = ["recommend", str(out), "--user", "u1", "-k", "5", "--model", "vrec", "--json"]
    assert main(asked) == 0
    assert len(json.loads(capsys.readouterr().out)["items"]) == 5
    path = next(out.glob("semantic-ids*"))
    path.write_bytes(path.read_bytes()[:-1])
    assert main(asked) == 3
    assert path.name in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["others", "uneven", "cut", "list"])
def test_given_codes_of_others_or_damaged_are_refused(kind: str, tmp_path: Path) -> None:
    good = {f"i{n}": [n, 0] for n in range(3)}
    written = {
        "others": json.dumps({f"x{n}": [n, 0] for n in range(3)}),
        "uneven": json.dumps(good | {"i1": [1]}),
        "cut": json.dumps(good)[:-5],
        "list": "[]",
    }
    path = tmp_path / "codes.json"
    path.write_text(written[kind])
    with pytest.raises(BadInput) as refused:
        VRec.build(replace(SMALL, codes=str(path)), grounded(["a", "b", "c"]))
    assert str(path) in str(refused.value)
