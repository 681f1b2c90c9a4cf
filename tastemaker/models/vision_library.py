"""Vision-language models that are on this machine, opened under the guards of `library`.

Any image-text-to-text model of transformers whose processor works here: nothing needs torchvision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tastemaker.errors import BadInput
from tastemaker.files import read_json
from tastemaker.models.extras import transformers
from tastemaker.models.library import guarded, opened_model, refuse_own_tokenizer, tokenizer_of
from tastemaker.models.picture_processor import (
    PictureProcessor,
    processor_files,
    without_video,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class VisionFolder:
    """What a folder holds."""

    model: PreTrainedModel
    """a `*ForConditionalGeneration`, in evaluation mode"""
    processor: PictureProcessor
    most_tokens: int
    """tokens that it can read and write together"""


def vision_folder(folder: Path, dtype: torch.dtype = torch.float32) -> VisionFolder:
    """A vision-language model and its processor.

    Raises:
        BadInput: If it is of another kind, or cannot be read.
        ArtefactError: If weights are missing.
    """
    register_towers()
    refuse_own_tokenizer(folder)
    _refuse_others(folder)
    model = opened_model(folder, transformers().AutoModelForImageTextToText, dtype)
    tokenizer, most = tokenizer_of(folder, model)
    return VisionFolder(model, _processor(folder, tokenizer, model.config.model_type), most)


def _processor(folder: Path, tokenizer: Any, kind: str) -> PictureProcessor:
    """The processor of a folder, without its videos where they would need torchvision."""
    with guarded(folder):
        try:
            return PictureProcessor(_opened(folder, transformers().AutoProcessor))
        except ImportError:
            own = _processor_kind(kind)
        except AttributeError as error:
            what = f"How models of type {kind!r} stand for pictures in a text is not known here."
            fix = "Give a model of another type, such as llava, smolvlm or qwen2_5_vl."
            raise BadInput(what, str(folder), fix) from error
        try:
            pictures = _opened(folder, transformers().AutoImageProcessor)
        except ImportError as error:
            what = f"The pictures of {own.__name__} cannot be prepared without torchvision."
            fix = "Install torchvision beside your torch, or give a model of another type."
            raise BadInput(what, str(folder), fix) from error
        whole = without_video(own, folder, tokenizer, pictures)
        return PictureProcessor(whole, processor_files(folder))


def _opened(folder: Path, kind: Any) -> Any:
    """A part of a folder by one of the library's openers; code that came with it stays unread."""
    try:
        return kind.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except ValueError as error:
        if "custom code" not in str(error):
            raise
        what = "The processor needs code that comes with it, which is never run."
        fix = "Give a model whose processor transformers has itself."
        raise BadInput(what, str(folder), fix) from error


def _processor_kind(kind: str) -> Any:
    """The class of the processor of a type of model."""
    from transformers.models.auto import processing_auto

    return getattr(transformers(), vars(processing_auto)["PROCESSOR_MAPPING_NAMES"][kind])


def _refuse_others(folder: Path) -> None:
    """Refuse models that do not answer about pictures."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as KINDS,
    )

    kind = read_json(folder / "config.json").get("model_type")
    if not isinstance(kind, str) or kind not in KINDS:
        what = f"Models of type {kind!r} do not answer about pictures here."
        fix = "Give an image-text-to-text model of a type that transformers has itself, such as "
        raise BadInput(what, str(folder), f"{fix}llava or smolvlm; code that comes with a model is "
                       "never run.")  # fmt: skip


def register_towers() -> None:
    """Make the towers of this package known to transformers."""
    from tastemaker.models import vision_towers as towers

    library = transformers()
    for config, tower in (
        (towers.ConvTowerConfig, towers.ConvTower),
        (towers.EfficientNetTowerConfig, towers.EfficientNetTower),
    ):
        library.AutoConfig.register(config.model_type, config, exist_ok=True)
        library.AutoModel.register(config, tower, exist_ok=True)
