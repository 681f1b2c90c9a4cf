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
    library = transformers()
    safe: Any = {"local_files_only": True}
    with guarded(folder):
        try:
            whole = library.AutoProcessor.from_pretrained(folder, trust_remote_code=False, **safe)
            return PictureProcessor(whole)
        except ImportError:
            pictures = library.AutoImageProcessor.from_pretrained(
                folder, trust_remote_code=False, **safe
            )
        own = _processor_kind(kind)
        whole = without_video(own, folder, tokenizer, pictures)
        return PictureProcessor(whole, processor_files(folder))


def _processor_kind(kind: str) -> Any:
    """The class of the processor of a type of model."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    return getattr(transformers(), PROCESSOR_MAPPING_NAMES[kind])


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
