"""The table of neural models: the one list that everything else follows."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
import torch

from tastemaker.commands.run import VERBS
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.options import MODELS, Model
from tastemaker.recommend.backbones import NEURAL, backbone_of, build, foreign_models, name_of
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.run.folder import FILES, OPTIONAL
from tastemaker.seams import Growing, Learned, Shape
from tests.contracts import ITEMS, some_contexts


def ground(num_items: int) -> Ground:
    """Items with titles, every one in a category."""
    known: dict[str, list[object]] = {
        "item_id": [f"i{n}" for n in range(num_items)],
        "title": [f"item {n}" for n in range(num_items)],
        "categories": [[f"g{n % 3}"] for n in range(num_items)],
    }
    frame = pl.DataFrame({one: known.get(one, [None] * num_items) for one in SCHEMA}, SCHEMA)
    train = some_contexts() if num_items == ITEMS else None
    return Ground.of(frame["item_id"], Catalog(frame), train)


def test_every_list_of_models_is_the_same() -> None:
    assert list(NEURAL) == list(MODELS) == list(get_args(Model))
    trained = [verb.removeprefix("train ") for verb in VERBS if verb.startswith("train ")]
    assert trained == list(NEURAL)


@pytest.mark.parametrize("name", sorted(set(NEURAL) - {"hllm"}))
def test_a_configuration_builds_the_model_of_its_name(name: str) -> None:
    backbone = backbone_of(name)
    torch.manual_seed(0)
    assert isinstance(build(backbone.config(), ground(ITEMS)), backbone.model)
    assert name_of(backbone.config()) == name
    assert foreign_models(backbone.config()) == {}


def test_what_a_search_draws_are_options_of_the_model_or_of_its_training() -> None:
    for backbone in NEURAL.values():
        for option in backbone.space:
            part, _, name = option.partition(".")
            assert part in ("model", "fit")
            assert part == "fit" or name in vars(backbone.config())


def test_a_name_or_configuration_of_no_model_says_which_there_are() -> None:
    with pytest.raises(BadInput, match="NextItemConfig shapes no model") as caught:
        name_of(NextItemConfig())
    assert "SASRecConfig" in caught.value.fix
    with pytest.raises(BadInput, match="esasrecc") as caught:
        backbone_of("esasrecc")
    assert "'esasrec'" in caught.value.fix


def grows(model: Learned, config: Shape, more: Ground) -> None:
    """Made or opened, it goes on with more items, or says why not."""
    assert isinstance(model, Growing)
    rows = some_contexts()
    if isinstance(config, MTMHConfig):  # its words are learnt from all texts anew
        with pytest.raises(BadInput, match="afresh"):
            model.grown(more)
        return
    said = model.grown(more).score(rows)  # type: ignore[attr-defined]
    assert said.shape == (len(rows), ITEMS + 5) and torch.isfinite(said).all()
    assert torch.equal(model.grown(ground(ITEMS)).score(rows), model.score(rows))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(NEURAL))
@torch.no_grad()
def test_a_trained_model_saves_and_opens_itself(name: str, tmp_path: Path) -> None:
    if name == "hllm":
        pytest.importorskip("transformers", reason="transformers is not installed")
    plain, items = backbone_of(name).config(), ground(ITEMS)
    inner = vars(plain).get("backbone", plain)
    few = {} if "recent" in vars(plain) else {"history": 6}  # which decides the backbone's
    small = replace(inner, dim=8, **few, **({"layers": 1} if "layers" in vars(inner) else {}))
    config = (replace(plain, backbone=small) if inner is not plain else small).suited(ITEMS)
    model, rows = build(config, items).train(False), some_contexts()
    model.save(tmp_path)
    whole = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert whole <= {*FILES, *OPTIONAL}, "the manifest of a run does not cover what it holds"
    grows(model, config, ground(ITEMS + 5))
    bare = replace(items, groupings={})  # what a model needs of them it has kept
    opened = backbone_of(name).model.open(config, bare, tmp_path).train(False)
    grows(opened, config, ground(ITEMS + 5))
    assert torch.equal(opened.score(rows), model.score(rows))
    assert opened.config == config
    wider = replace(small, dim=16)
    other = wider if inner is plain else replace(config, backbone=wider)
    with pytest.raises(ArtefactError):
        backbone_of(name).model.open(other, bare, tmp_path)
