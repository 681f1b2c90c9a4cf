"""tastemaker embed: one model that finds pictures and tells what they show."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemaker.commands.embed_options import (
    TINY,
    CaptionOptions,
    EmbedTrainOptions,
    EncodeOptions,
    SearchOptions,
)
from tastemaker.commands.embed_shown import (
    show_captions,
    show_embedding,
    show_encoded,
    show_search,
)
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject, refuse_unreadable
from tastemaker.threads import cores, recorded, threads_for

if TYPE_CHECKING:
    from tastemaker.run.embed_config import EmbedConfig

_FOREIGN_WIDTH = 576
"""Width of the smallest language model that comes in a package."""


def embed_train(options: EmbedTrainOptions) -> JsonObject:
    """Train one model that finds pictures and tells what they show, on any catalogue."""
    from tastemaker.run.embed import embed_train

    drop = options.on_bad_rows == "drop"
    try:
        return embed_train(config_of(options), options.data, options.out, options.resume, drop)
    except BadInput as error:
        if error.where not in vars(options.tiny):
            raise
        where = f"--tiny.{error.where.replace('_', '-')}"
        raise BadInput(error.what, where, error.fix) from None


def config_of(options: EmbedTrainOptions) -> EmbedConfig:
    """What the options say, as the library takes it."""
    from tastemaker.data.item_pictures import Wanted
    from tastemaker.embed.cafe import CAFeConfig
    from tastemaker.models.tiny_vlm import TinyVision
    from tastemaker.models.vlm_embedding import Embedding
    from tastemaker.run.embed_config import EmbedConfig, Shares, selecting
    from tastemaker.train.config import FitConfig

    given = vars(options) | _rates(options)
    cafe = CAFeConfig(**_named(CAFeConfig, given), embedding=Embedding(**_named(Embedding, given)))
    metric = selecting(cafe) if options.metric == "auto" else options.metric
    fit = FitConfig(**_named(FitConfig, given) | {"metric": metric})
    shape = TinyVision(options.tower, **asdict(options.tiny), language=options.language)
    return EmbedConfig(
        shape if options.model == TINY else options.model,
        Wanted(options.text, options.caption),
        Shares(options.validation, options.test),
        cafe,
        fit,
        options.caption_prompt,
        options.written,
    )


def _rates(options: EmbedTrainOptions) -> dict[str, float]:
    """How fast all learns, and the picture tower's part of that: what is fresh learns faster."""
    fresh = options.model == TINY
    lr = 1e-3 if fresh else 1e-4 if options.lora else 1e-5
    part = 1.0 if fresh and options.tower == "conv" else 0.5
    return {
        "lr": lr if options.lr is None else options.lr,
        "vision_lr": part if options.vision_lr is None else options.vision_lr,
    }


def embed_encode(options: EncodeOptions) -> JsonObject:
    """Write the vectors of a catalogue to a file, each encoded once."""
    from tastemaker.run.embed_opened import open_embedding
    from tastemaker.run.embed_tables import check_place, write_vectors

    to = Path(options.to)
    check_place(to, options.model, vectors=True)
    model = open_embedding(options.model)
    made = model.catalogue(options.data, options.side, _bad_rows(options, options.to))
    return write_vectors(made, options.side, to)


def embed_search(options: SearchOptions) -> JsonObject:
    """Find items by words or by a picture."""
    from tastemaker.run.embed_opened import open_embedding

    query: str | Path = options.text
    if options.image:
        query = Path(options.image)
        refuse_unreadable(query)
    model = open_embedding(options.model)
    if not (data := options.data or model.data):
        fix = "Give a folder with items.csv (item_id, image, title), or the table itself."
        raise BadInput("No catalogue is given.", "--data", fix)
    if not options.data and not Path(data).exists():  # a path goes from where it was trained
        what = f"The catalogue that the run learned from is not here: {data}."
        raise BadInput(what, "--data", "Give its path.")
    made = model.catalogue(data, options.side, _bad_rows(options, "search"))
    ranked = made.search(query, options.k)
    return {
        "query": str(query),
        "side": options.side,
        "items": [asdict(item) for item in ranked],
        "searched": len(made.items),
        "dropped": made.items.dropped,
        "warnings": list(model.warnings),
    }


def embed_caption(options: CaptionOptions) -> JsonObject:
    """Write what pictures show, by a model that has learned it."""
    from tastemaker.run.embed_opened import open_embedding
    from tastemaker.run.embed_tables import check_place, write_captions

    to = Path(options.to)
    if options.data:
        check_place(to, options.model, vectors=False)
    paths = [Path(one) for one in options.images]
    for path in paths:
        refuse_unreadable(path)
    _refuse_no_pictures(paths)
    model = open_embedding(options.model)
    if options.prompt:
        model = model.asking(options.prompt)
    if options.data:
        return write_captions(
            model, options.data, to, options.max_tokens, _bad_rows(options, options.to)
        )
    said = model.captions(paths, options.max_tokens)
    rows = [{"picture": str(one), "caption": text} for one, text in zip(paths, said, strict=True)]
    return {"captions": rows, "model": model.name, "warnings": list(model.warnings)}


def _refuse_no_pictures(paths: list[Path]) -> None:
    """Refuse files that are no pictures, all at once, before a model is opened.

    Raises:
        BadInput: With every one of them.
    """
    from tastemaker.models.picture_files import looked_at

    faults: list[BadInput] = []
    for path in paths:
        try:
            looked_at(path)
        except BadInput as error:
            if len(paths) == 1 or "pip install" in error.fix:
                raise
            faults.append(error)
    if faults:
        what = "; ".join(f"{one.where}: {one.what.rstrip('.')}" for one in faults)
        fix = "Give whole JPEG, PNG or WebP files, or leave these out."
        raise BadInput(f"{what}.", ", ".join(one.where for one in faults), fix)


def _named(kind: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    """Options that a config calls the same."""
    return {one.name: given[one.name] for one in fields(kind) if one.name in given}


def _bad_rows(options: EncodeOptions | SearchOptions | CaptionOptions, beside: str) -> Path | None:
    """Where bad rows go that are to be left out; None: they are refused."""
    if options.on_bad_rows == "error":
        return None
    return Path(beside).with_name(f"{Path(beside).stem}-bad-rows.csv")


def _threads(options: EmbedTrainOptions) -> int:
    fresh = options.model == TINY and not options.language
    return threads_for(cores(), options.tiny.dim if fresh else _FOREIGN_WIDTH)


VERBS: dict[str, Verb | Later] = {
    "embed train": Verb(embed_train, EmbedTrainOptions, show_embedding, _threads),
    "embed encode": Verb(
        embed_encode, EncodeOptions, show_encoded, lambda asked: recorded(asked.model)
    ),
    "embed search": Verb(
        embed_search, SearchOptions, show_search, lambda asked: recorded(asked.model)
    ),
    "embed caption": Verb(
        embed_caption, CaptionOptions, show_captions, lambda asked: recorded(asked.model)
    ),
}
"""What `tastemaker embed` can be asked."""
