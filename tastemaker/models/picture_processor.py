"""The processor of a vision-language model: pictures to tensors, and what stands for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from tastemaker.models.extras import quiet
from tastemaker.models.vlm_rows import Picture

_SIDE = 448


class PictureProcessor:
    """What `Prompts` needs of a processor of transformers.

    Args:
        whole: The processor.
    """

    def __init__(self, whole: Any) -> None:
        self.whole = whole
        self.tokenizer = whole.tokenizer
        self.image_processor = whole.image_processor
        self.image_token: str = whole.image_token
        """what stands for a picture in a text"""
        self.chat_template: str | None = whole.chat_template
        with quiet():
            made = whole._merge_kwargs(tokenizer_init_kwargs={}, return_tensors="pt")
        self._options: dict[str, Any] = made["images_kwargs"]
        self.side = _side(self.image_processor)
        """pixels of a side of a square picture that is not scaled, or 448 where none is fixed"""

    def prepared(self, pictures: Sequence[Picture]) -> tuple[dict[str, Tensor], list[str]]:
        """Tensors of P pictures, and what stands in the text for each.

        Args:
            pictures: (H, W, 3) bytes.
        """
        with quiet():
            made = self.image_processor([[one] for one in pictures], **self._options)
        spans = [
            self.whole.replace_image_token(made, image_idx=place) for place in range(len(pictures))
        ]
        return {name: value for name, value in made.items() if isinstance(value, Tensor)}, spans

    def save(self, folder: Path) -> None:
        """Write it into a folder, as transformers reads it."""
        with quiet():
            self.whole.save_pretrained(folder)


def _side(image_processor: Any) -> int:
    told = image_processor.to_dict()
    crop = told.get("crop_size") if told.get("do_center_crop") else None
    sizes = crop or told.get("size") or {}
    side = sizes.get("height") if isinstance(sizes, Mapping) else None
    return side if isinstance(side, int) else _SIDE
