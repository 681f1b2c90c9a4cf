"""A fresh model is warmed up once, and stands beside its run."""

from pathlib import Path

from tastemaker.models.vlm import open_vision_model
from tastemaker.reinforce.vtool_speaker import tool_schema
from tastemaker.reinforce.vtool_warm import WarmConfig
from tastemaker.run.vtool_start import START, started
from tests.run.visual import QUESTIONS, SHAPE


def test_it_is_made_once_and_whole(tmp_path: Path) -> None:
    (tmp_path / f"{START}.partial").mkdir()  # of a start that was killed
    config = WarmConfig(steps=1, rows=2)
    started(tmp_path, SHAPE, config, QUESTIONS)
    assert [path.name for path in tmp_path.iterdir()] == [START]
    vision = open_vision_model(tmp_path / START)
    assert vision.prompts.tells_of(tool_schema())
    before = (tmp_path / START / "model.safetensors").stat().st_mtime_ns
    started(tmp_path, SHAPE, config, QUESTIONS)
    assert (tmp_path / START / "model.safetensors").stat().st_mtime_ns == before
