"""Options that the commands share with the library have one default each."""

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from tastemaker.commands import embed_options as options
from tastemaker.commands.embed import config_of
from tastemaker.data import item_pictures
from tastemaker.embed.cafe import CAFeConfig
from tastemaker.errors import BadInput
from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.models.vlm_embedding import Embedding
from tastemaker.run import embed_opened
from tastemaker.run.embed_config import CAPTION_PROMPT, SELECTING, EmbedConfig, Shares
from tastemaker.train.config import FitConfig

GIVEN = options.EmbedTrainOptions(data="shoes")
OWN = {"epochs", "batch", "lr", "warmup", "patience", "metric", "vision_lr"}
"""Options whose defaults are for this training."""


def test_defaults_are_those_of_the_library() -> None:
    for kind in (CAFeConfig, Embedding, FitConfig, TinyVision, Shares, EmbedConfig):
        own = vars(GIVEN.tiny if kind is TinyVision else GIVEN)
        for one in fields(kind):
            if one.name in own and one.name not in OWN and one.name not in ("model", "fit"):
                assert own[one.name] == one.default, one.name
    assert GIVEN.caption_prompt == CAPTION_PROMPT


def test_names_are_those_of_the_library() -> None:
    assert get_args(options.Words) == get_args(item_pictures.Words)
    assert get_args(options.Side) == get_args(embed_opened.Side)
    metric = next(one for one in fields(options.EmbedTrainOptions) if one.name == "metric")
    assert all(name in str(metric.type) for name in SELECTING)
    wanted = {one.name for one in fields(CAFeConfig)} - {"embedding", "gather"}
    assert wanted <= vars(GIVEN).keys()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"data": ""}, "--data"),
        ({"validation": 0.0}, "--validation"),
        ({"test": 0.6}, "--test"),
        ({"batch": 1}, "--batch"),
        ({"written": -1}, "--written"),
        ({"text_prompt": "say \udcff"}, "--text-prompt"),
        ({"seed": -1}, "--seed"),
        ({"model": "m", "tower": "efficientnet-lite0"}, "--tower"),
        ({"model": "m", "language": "smollm2"}, "--language"),
        ({"model": "m", "tiny": options.TinyOptions(side=32)}, "--tiny"),
        ({"language": "smollm2", "tiny": options.TinyOptions(dim=32)}, "--tiny.dim"),
        (
            {"tower": "efficientnet-lite0", "tiny": options.TinyOptions(vision_dim=32)},
            "--tiny.vision-dim",
        ),
    ],
)
def test_what_trains_nothing_is_refused(given: dict[str, object], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        options.EmbedTrainOptions(**{"data": "d"} | given)  # type: ignore[arg-type]
    assert fault.value.where == where


@pytest.mark.parametrize(
    ("kind", "given", "where"),
    [
        (options.EncodeOptions, {"model": "r"}, "--data"),
        (options.EncodeOptions, {"model": "r", "data": "d"}, "--to"),
        (options.SearchOptions, {"model": "r"}, "TEXT"),
        (options.SearchOptions, {"model": "r", "text": " "}, "TEXT"),
        (options.SearchOptions, {"model": "r", "text": "a", "image": "b"}, "--image"),
        (options.SearchOptions, {"model": "r", "text": "a", "k": 0}, "--k"),
        (options.CaptionOptions, {}, "--model"),
        (options.CaptionOptions, {"model": "r"}, "--data"),
        (options.CaptionOptions, {"model": "r", "images": ("a",), "data": "d"}, "--data"),
        (options.CaptionOptions, {"model": "r", "data": "d"}, "--to"),
        (options.CaptionOptions, {"model": "r", "images": ("a",), "to": "c.csv"}, "--to"),
    ],
)
def test_what_cannot_be_meant_is_refused(kind: type, given: dict[str, object], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        kind(**given)
    assert fault.value.where == where


def test_how_a_captioner_is_made_is_said() -> None:
    with pytest.raises(BadInput) as fault:
        options.CaptionOptions(images=("a.png",))
    assert "tastemaker embed train" in fault.value.fix


@pytest.mark.parametrize("model", ["smollm", "./run/model"])
def test_a_model_with_a_shape_takes_no_other_where_it_is_the_default(model: str) -> None:
    given = options.EmbedTrainOptions(data="d", model=model, lora=4, pooling="mean")
    assert given.tiny == options.TinyOptions() and given.vision_lr is None and given.lr is None


@pytest.mark.parametrize(
    "given", [{"alpha_con": 0.0, "batch": 1}, {"validation": 0.45, "test": 0.45}, {"written": 0}]
)
def test_what_is_at_the_edge_is_taken(given: dict[str, object]) -> None:
    options.EmbedTrainOptions(data="d", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["validation", "test"])
@pytest.mark.parametrize("share", [-0.1, 0.0, 0.4501, 1.0, float("nan"), float("inf")])
def test_shares_that_are_none_are_refused(name: str, share: float) -> None:
    with pytest.raises(BadInput) as fault:
        options.EmbedTrainOptions(data="d", **{name: share})
    assert fault.value.where == f"--{name}" and str(options.MOST_SHARE) in fault.value.fix


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"alpha_con": -1.0}, "--alpha_con"),
        ({"alpha_lm": float("nan")}, "--alpha_lm"),
        ({"alpha_con": 0.0, "alpha_lm": 0.0}, "--alpha_con"),
        ({"scale": 0.0}, "--scale"),
        ({"scale": 101.0}, "--scale"),
        ({"scale": float("nan")}, "--scale"),
        ({"hardness_alpha": float("inf")}, "--hardness_alpha"),
        ({"vision_lr": -0.5}, "--vision_lr"),
        ({"gradcache_chunk": -1}, "--gradcache_chunk"),
        ({"lora": -1}, "--lora"),
        ({"pooling": "first"}, "--pooling"),
    ],
    ids=str,
)
def test_what_cannot_be_learnt_with_is_refused_before_anything_is_read(
    given: dict[str, object], where: str
) -> None:
    with pytest.raises(BadInput) as fault:
        config_of(options.EmbedTrainOptions(**{"data": "nowhere"} | given))  # type: ignore[arg-type]
    assert fault.value.where.replace("_", "-") == where.replace("_", "-")


@pytest.mark.parametrize(
    "given", [{"epochs": 0}, {"lr": 0.0}, {"lr": float("nan")}, {"batch": 0, "alpha_con": 0.0},
              {"warmup": -1}, {"patience": -1}, {"weight_decay": -1.0}, {"checkpoint_every": 0}],
    ids=str,
)  # fmt: skip
def test_trainings_that_are_none_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        config_of(options.EmbedTrainOptions(**{"data": "nowhere"} | given))  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [0, -3, True])
def test_numbers_of_items_that_cannot_be_given(k: int) -> None:
    with pytest.raises(BadInput) as fault:
        options.SearchOptions("r", "red", k=k)
    assert fault.value.where == "--k"


@pytest.mark.parametrize("text", ["0", "=1", "  red  ", "é", "<image>"])
def test_any_words_may_be_looked_for(text: str) -> None:
    assert options.SearchOptions("r", text).text == text


def test_every_option_is_told_of() -> None:
    """Docstrings below fields are the help; a field without one has none."""
    source = Path(options.__file__).read_text()
    for kind in (options.TinyOptions, options.EmbedTrainOptions, options.EncodeOptions,
                 options.SearchOptions, options.CaptionOptions):  # fmt: skip
        body = source.partition(f"class {kind.__name__}:")[2].partition("\n@dataclass")[0]
        for one in fields(kind):
            said = body.partition(f"\n    {one.name}: ")[2].splitlines()[1].strip()
            assert one.name == "tiny" or said.startswith('"""'), f"{kind.__name__}.{one.name}"
