"""What `tastemaker embed` can be asked: torch-free, so that help answers at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from tastemaker.errors import BadInput
from tastemaker.options import Count, Positional, check_run

Words = Literal["auto", "title", "text", "all"]
Side = Literal["picture", "text", "both"]
OnBadRows = Literal["error", "drop"]
TINY = "tiny"
MOST_SHARE = 0.45
"""Of the pictures that validate, or test."""


@dataclass(frozen=True)
class TinyOptions:
    """Shape of a fresh model."""

    side: int = 64
    """pixels of a side that a picture is scaled to, a multiple of 16"""
    vision_dim: int = 128
    """width of the tower conv"""
    dim: int = 128
    """width of the language model, and length of a vector"""
    layers: int = 3
    """of the language model"""
    heads: int = 4
    """of its attention"""
    vocabulary: int = 1024
    """most tokens that are made of the texts"""
    context: int = 256
    """most tokens of a picture and its text"""


@dataclass(frozen=True)
class EmbedTrainOptions:
    """Train one model that finds pictures and tells what they show, on any catalogue."""

    data: str = ""
    """folder with an items table, or such a table: item_id, image, and title or text"""
    model: str = TINY
    """tiny, a fresh one; else a vision-language model: a run of this command, a folder, or a name
    in the local Hugging Face cache"""
    tower: Literal["conv", "efficientnet-lite0"] = "conv"
    """what looks at pictures in a tiny model: fresh convolutions, or the packaged network"""
    language: str = ""
    """packaged language model of a tiny model, such as smollm2; empty: a fresh one"""
    out: str = ""
    """folder of the run; default: runs/embed-DATA"""
    text: Words = "auto"
    """what the vector of a text is made of: the title or else the text (auto), one of them, or all
    that is known of an item"""
    caption: Words = "auto"
    """what the model learns to write of a picture, likewise"""
    on_bad_rows: OnBadRows = "error"
    """refuse a catalogue with bad rows, or leave them out, say how many and write them to a file"""
    validation: float = 0.1
    """share of the different pictures that choose the weights"""
    test: float = 0.1
    """share of them that measures, before and after"""
    alpha_con: float = 1.0
    """weight of the contrastive loss, which makes vectors; 0: captions alone"""
    alpha_lm: float = 1.0
    """weight of the loss of captions; 0: vectors alone"""
    scale: float = 20.0
    """by which cosines are multiplied in the contrastive loss"""
    learnable_scale: bool = False
    """learn it"""
    symmetric: bool = True
    """tell texts by pictures as well as pictures by texts"""
    hardness_alpha: float = 0.0
    """above 0, wrong answers weigh more the nearer they are"""
    mask_equal: bool = True
    """items that share a text or a picture are no wrong answers to each other"""
    gradcache_chunk: int = 0
    """pairs that pass forward and backward together: bounds memory, whatever --batch; 0: all"""
    lora: int = 0
    """rank of adapters that learn in the model's stead; 0: all of the model learns"""
    vision_lr: float | None = None
    """part of the learning rate that the picture tower learns at, 0: it stays as it is; default: 1
    for a fresh tower, 0.5 for another"""
    pooling: Literal["last", "mean"] = "last"
    """token whose state becomes the vector: the last that is read, or the mean of all"""
    heads: bool = False
    """a linear map for each side on top"""
    picture_prompt: str = "Compress this image in one word:"
    """behind a picture, where its vector is made"""
    text_prompt: str = "Compress this sentence in one word:"
    """behind a text, likewise"""
    caption_prompt: str = "What is this?"
    """behind a picture, where its caption is written"""
    epochs: int = 30
    """most passes over the items; it stops early"""
    batch: int = 16
    """pairs of a step; each is told from all others of them"""
    lr: float | None = None
    """learning rate; default: 1e-3 for a tiny model, 1e-4 for adapters, 1e-5 for another model"""
    weight_decay: float = 0.0
    """AdamW's decay of weights"""
    warmup: int = 50
    """steps over which the learning rate rises"""
    patience: int = 8
    """validations without a gain before it stops; 0: never"""
    metric: Literal["auto", "recall@1", "likelihood", "joint"] = "auto"
    """what chooses the weights on validation: Recall@1 both ways, 1 / perplexity of captions, the
    mean of the two; auto: of what is trained"""
    checkpoint_every: int = 200
    """steps between checkpoints, beside one after each epoch"""
    written: int = 200
    """most captions of the test that are written and compared with the true ones"""
    seed: int = 0
    """of the parts, the weights and the order of pairs"""
    resume: bool = False
    """go on with the unfinished run in --out"""
    tiny: TinyOptions = field(default_factory=TinyOptions)

    def __post_init__(self) -> None:
        """Refuse what no run can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        check_run(self.out, "leave-one-out", self.seed)
        _check_data(self.data)
        for name in ("validation", "test"):
            if not 0 < vars(self)[name] <= MOST_SHARE:
                fix = f"Give a share above 0, at most {MOST_SHARE}, such as 0.1."
                raise BadInput(f"{name} = {vars(self)[name]} is no share.", f"--{name}", fix)
        for name in ("picture_prompt", "text_prompt", "caption_prompt"):
            if any("\ud800" <= one <= "\udfff" for one in vars(self)[name]):
                option = f"--{name.replace('_', '-')}"
                raise BadInput("The prompt is not UTF-8.", option, "Write it in UTF-8.")
        if self.written < 0:
            raise BadInput(f"written = {self.written}.", "--written", "Give 0 or more.")
        if self.batch < 2 and self.alpha_con:
            what, fix = "A single pair is told from no other.", "Give 2 or more; 16 is usual."
            raise BadInput(what, "--batch", fix)
        for name, plain in (("tower", "conv"), ("language", ""), ("tiny", TinyOptions())):
            if self.model != TINY and vars(self)[name] != plain:
                fix = f"Leave it out, or take --model {TINY}."
                what = f"--{name} shapes a fresh model, and {self.model!r} has its shape."
                raise BadInput(what, f"--{name}", fix)
        self._refuse_idle()

    def _refuse_idle(self) -> None:
        """Refuse sizes of a part that another one stands for."""
        fresh, plain = vars(self.tiny), vars(TinyOptions())
        idle: dict[str, tuple[str, ...]] = {}
        if self.language:
            idle["--language"] = ("dim", "layers", "heads", "vocabulary")
        if self.tower != "conv":
            idle["--tower"] = ("vision_dim",)
        for option, names in idle.items():
            for name in names:
                if fresh[name] != plain[name]:
                    where = f"--tiny.{name.replace('_', '-')}"
                    what = f"{where} changes nothing: what {option} names has its own size."
                    raise BadInput(what, where, "Leave it out.")


@dataclass(frozen=True)
class EncodeOptions:
    """Write the vectors of a catalogue to a file."""

    model: Positional
    """run of `tastemaker embed train`, or a folder with a vision-language model"""
    data: str = ""
    """folder with an items table, or such a table"""
    to: str = ""
    """Parquet file to write: item_id and vector"""
    side: Side = "picture"
    """what vectors are made of: pictures, texts, or the mean of both"""
    on_bad_rows: OnBadRows = "error"
    """refuse bad rows, or leave them out and write them beside the file"""

    def __post_init__(self) -> None:
        """Refuse what is not there.

        Raises:
            BadInput: Naming the option.
        """
        _check_data(self.data)
        _check_to(self.to, "vectors.parquet")


@dataclass(frozen=True)
class SearchOptions:
    """Find items by words or by a picture."""

    model: Positional
    """run of `tastemaker embed train`, or a folder with a vision-language model"""
    text: Positional = ""
    """what is looked for, in words"""
    image: str = ""
    """or a picture that is like it"""
    data: str = ""
    """folder with an items table, or such a table; default: the one that the run learned from"""
    side: Side = "picture"
    """what of an item is searched: its picture, its text, or the mean of both"""
    k: Count = 10
    """number of items, at least 1"""
    on_bad_rows: OnBadRows = "error"
    """refuse bad rows, or leave them out and write them to search-bad-rows.csv"""

    def __post_init__(self) -> None:
        """Refuse to search for nothing, or for two things.

        Raises:
            BadInput: Naming the option.
        """
        if bool(self.text.strip()) == bool(self.image):
            what = "Words and a picture are given." if self.image else "Nothing is looked for."
            fix = 'Give words, such as "a red shoe", or --image FILE.'
            raise BadInput(what, "--image" if self.image else "TEXT", fix)
        if isinstance(self.k, bool) or self.k < 1:
            raise BadInput(f"k = {self.k!r} items cannot be given.", "--k", "Give 1 or more.")


@dataclass(frozen=True)
class CaptionOptions:
    """Write what pictures show, by a model that has learned it."""

    images: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """files of pictures"""
    model: str = ""
    """run of `tastemaker embed train`, or a folder with a vision-language model"""
    data: str = ""
    """in place of files: folder with an items table, or such a table"""
    to: str = ""
    """with --data: file to write, .parquet, .csv or .jsonl: item_id and caption"""
    prompt: str = ""
    """what is asked of each picture; default: what the run learned to answer"""
    max_tokens: int = 48
    """most tokens of a caption"""
    on_bad_rows: OnBadRows = "error"
    """refuse bad rows of --data, or leave them out and write them beside the file"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            BadInput: Naming the option.
        """
        if not self.model:
            what = "No model that writes captions comes with a package."
            fix = (
                "Train one, `tastemaker embed train --data DIR --out RUN`, and give --model RUN; "
                "or give a folder with a vision-language model."
            )
            raise BadInput(what, "--model", fix)
        if bool(self.images) == bool(self.data):
            what = "Files and --data are given." if self.data else "No picture is given."
            raise BadInput(what, "--data", "Give files of pictures, or --data DIR --to FILE.")
        if self.data:
            _check_data(self.data)
            _check_to(self.to, "captions.csv")
        elif self.to:
            raise BadInput("--to goes with --data.", "--to", "Leave it out, or give --data.")


def _check_data(data: str) -> None:
    if not data:
        fix = "Give a folder with items.csv (item_id, image, title), or the table itself."
        raise BadInput("No catalogue is given.", "--data", fix)


def _check_to(to: str, like: str) -> None:
    if not to:
        raise BadInput("No file to write is given.", "--to", f"Give one, such as {like}.")
