"""Processors: marks as many as features, with torchvision and without."""

from pathlib import Path
from typing import Any

import pytest
import transformers

from tastemaker.errors import BadInput
from tastemaker.models.picture_processor import PictureProcessor, processor_files, without_video
from tests.models.vision_models import picture, save_llava, save_onevision, save_qwen, tiny


def test_each_picture_has_its_marks() -> None:
    processor = tiny(side=64).processor
    tensors, spans = processor.prepared([picture(0), picture(1, 7, 300)])
    assert tensors["pixel_values"].shape == (2, 3, 64, 64)
    assert spans == ["<image>" * 16] * 2 and processor.side == 64


@pytest.mark.parametrize("save", [save_qwen, save_onevision])
def test_a_processor_of_videos_takes_pictures_without_torchvision(
    save: Any, tmp_path: Path
) -> None:
    folder = save(tmp_path / "model")
    words = transformers.AutoTokenizer.from_pretrained(folder)
    pictures = transformers.AutoImageProcessor.from_pretrained(folder)
    kind: Any = (
        transformers.Qwen2_5_VLProcessor if save is save_qwen
        else transformers.LlavaOnevisionProcessor
    )  # fmt: skip
    files = processor_files(folder)
    processor = PictureProcessor(without_video(kind, folder, words, pictures), files)
    _, spans = processor.prepared([picture(0, 32, 32), picture(1, 64, 32)])
    counts = [span.count(processor.image_token) for span in spans]
    assert 0 < counts[0] < counts[1] and processor.chat_template
    processor.save(tmp_path / "saved")
    assert processor_files(tmp_path / "saved") == files


def test_the_side_is_that_of_the_crop(tmp_path: Path) -> None:
    whole = transformers.AutoProcessor.from_pretrained(save_llava(tmp_path / "model", "clip"))
    assert PictureProcessor(whole).side == 32
    whole.image_processor.crop_size = {"height": 10**6, "width": 10**6}
    with pytest.raises(BadInput):
        PictureProcessor(whole)
