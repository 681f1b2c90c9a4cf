"""The processor of a vision-language model: pictures to tensors, and what stands for them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.files import read_json
from tastemaker.models.extras import quiet, transformers
from tastemaker.models.vlm_rows import Picture

_SIDE, _MOST_SIDE = 448, 8192
_QWEN = "<|image_pad|>"  # the mark of the kinds whose files name none
_FILE = "processor_config.json"
_FILES = (
    _FILE, "preprocessor_config.json", "video_preprocessor_config.json", "chat_template.jinja",
    "chat_template.json",
)  # fmt: skip


class PictureProcessor:
    """What `Prompts` needs of a processor of transformers.

    Args:
        whole: The processor.
        files: Files that it was read from, by name, where it cannot write itself.

    Raises:
        AttributeError: If it takes no pictures in texts.
        BadInput: If it makes pictures larger than any model reads.
    """

    def __init__(self, whole: Any, files: Mapping[str, bytes] | None = None) -> None:
        if whole.replace_image_token.__func__ is transformers().ProcessorMixin.replace_image_token:
            raise AttributeError("it says not how often the mark of a picture stands in a text")
        self._whole, self._files = whole, files
        self.tokenizer = whole.tokenizer
        self.image_processor = whole.image_processor
        self.image_token: str = whole.image_token
        """what stands for a picture in a text"""
        self.chat_template: str | None = whole.chat_template
        self._options: dict[str, Any] = {**_picture_options(whole), "return_tensors": "pt"}
        self.side = _side(self.image_processor)
        """pixels of a side of a square picture that is not scaled, or 448 where none is fixed"""

    def prepared(self, pictures: Sequence[Picture]) -> tuple[dict[str, Tensor], list[str]]:
        """Tensors of P pictures, and what stands in the text for each.

        Args:
            pictures: (H, W, 3) bytes.
        """
        made = self.image_processor([[one] for one in pictures], **self._options)
        spans = [
            self._whole.replace_image_token(made, image_idx=place) for place in range(len(pictures))
        ]
        return {name: value for name, value in made.items() if isinstance(value, Tensor)}, spans

    @property
    def whole(self) -> Any:
        """The processor of transformers."""
        return self._whole

    def speak(self, template: str) -> None:
        """Take another template of chats, which is written with it from now on."""
        self._whole.chat_template = self.tokenizer.chat_template = self.chat_template = template
        if self._files is not None:
            kept = {name: one for name, one in self._files.items() if name != "chat_template.json"}
            self._files = kept | {"chat_template.jinja": template.encode()}

    def save(self, folder: Path) -> None:
        """Write it into a folder, as transformers reads it."""
        with quiet():
            if self._files is None:
                self._whole.save_pretrained(folder)
                return
            self.tokenizer.save_pretrained(folder)
        for name, content in self._files.items():
            (folder / name).write_bytes(content)


def without_video(kind: Any, folder: Path, tokenizer: Any, image_processor: Any) -> Any:
    """A processor of that kind for pictures alone.

    Those that also take videos cannot be built where torchvision is missing. All that pictures
    need stands in the kind's own methods and in what its file says.

    Args:
        kind: Class of the processor.
        folder: Where its files are.
        tokenizer: Of the model.
        image_processor: Of the model.
    """
    whole = kind.__new__(kind)
    defaults = {
        name: one.default
        for name, one in inspect.signature(kind.__init__).parameters.items()
        if one.kind == one.POSITIONAL_OR_KEYWORD and one.default is not one.empty
    }
    told = read_json(folder / _FILE) if (folder / _FILE).is_file() else {}
    values = defaults | {name: value for name, value in told.items() if name in defaults}
    mark = tokenizer.special_tokens_map.get("image_token") or values.get("image_token", _QWEN)
    template = folder / "chat_template.jinja"
    values |= {
        "tokenizer": tokenizer, "image_processor": image_processor, "image_token": mark,
        "chat_template": template.read_text() if template.is_file() else tokenizer.chat_template,
    }  # fmt: skip
    vars(whole).update(values)
    return whole


def processor_files(folder: Path) -> dict[str, bytes]:
    """The files of a processor, by name."""
    paths = [folder / name for name in _FILES]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _picture_options(whole: Any) -> dict[str, Any]:
    """What a processor tells its own processor of pictures."""
    kind = type(whole)
    own: dict[str, Any] = dict(vars(kind).get("images_kwargs") or {})
    return own


def _side(image_processor: Any) -> int:
    """Pixels of a side that is fixed; sizes that no memory holds are refused."""
    told = image_processor.to_dict()
    in_pixels = "merge_size" in told  # where edges are numbers of pixels, and not of a side
    for name in ("size", "crop_size", "max_image_size"):
        for edge, value in (told.get(name) or {}).items():
            most = _MOST_SIDE**2 if in_pixels and edge.endswith("_edge") else _MOST_SIDE
            if value is not None and not (isinstance(value, int) and 0 < value <= most):
                what = f"Its processor makes pictures whose {edge} is {value!r:.40}."
                raise BadInput(what, name, f"Give a processor of 1 to {most:,}.")
    crop = told.get("crop_size") if told.get("do_center_crop") else None
    side = (crop or told.get("size") or {}).get("height")
    return side if isinstance(side, int) else _SIDE
