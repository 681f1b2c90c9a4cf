"""A sweep is resumed where it was stopped, and its table is what a law is fitted to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker import records
from tastemaker.embed.video_points import ALL, read_points
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.run import video_sweep
from tastemaker.run.video_sweep import RUNS, sweep_video
from tastemaker.worlds.clips import KINDS
from tests.embed.tiny_films import HELD, TINY, TRAIN


def test_what_was_stopped_goes_on_after_the_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    true = video_sweep.run_cell

    def counted(*words: Any) -> JsonObject:
        made.append(words[1:])
        if len(made) == 2:
            raise KeyboardInterrupt
        return true(*words)

    monkeypatch.setattr(video_sweep, "run_cell", counted)
    with pytest.raises(BaseException, match="Ctrl-C|Stopped|^$"):
        sweep_video(TINY, TRAIN, HELD, tmp_path)
    assert len(records.read(tmp_path / RUNS)) == 1
    results = sweep_video(TINY, TRAIN, HELD, tmp_path, resume=True)
    assert results["runs"] == 3 and len(made) == 4 and made[2] == made[1]
    points = read_points(Path(results["points"]))
    assert list(points.tasks) == [ALL, *KINDS] and len(points.tasks[ALL]) == 3
    assert f"--patches {results['cost']['patches']:.10g}" in results["fit"]
    more = sweep_video(replace(TINY, cells=4), TRAIN, HELD, tmp_path, resume=True)
    assert more["runs"] == 4 and len(made) == 5


def test_a_sweep_with_other_options_is_no_place_to_go_on(tmp_path: Path) -> None:
    sweep_video(replace(TINY, cells=1), TRAIN, HELD, tmp_path)
    with pytest.raises(BadInput, match="already"):
        sweep_video(TINY, TRAIN, HELD, tmp_path)
    with pytest.raises(BadInput, match="other options"):
        sweep_video(replace(TINY, epochs=2), TRAIN, HELD, tmp_path, resume=True)


def test_a_sweep_of_other_things_is_no_place_to_go_on(tmp_path: Path) -> None:
    """Garments are not seen by an encoder of shapes, nor counted among their runs."""
    one = replace(TINY, cells=1)
    sweep_video(one, TRAIN, HELD, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    others = replace(TRAIN, names=tuple(f"{name}s" for name in TRAIN.names))
    turned = replace(TRAIN, images=tuple(images[::-1] for images in TRAIN.images))
    for learned, held in ((others, HELD), (turned, HELD), (TRAIN, TRAIN)):
        with pytest.raises(BadInput, match="other things") as refused:
            sweep_video(replace(one, cells=2), learned, held, tmp_path, resume=True)
        assert "--garments" in refused.value.fix
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: after[name] for name in before} == before
    assert sweep_video(replace(one, cells=2), TRAIN, HELD, tmp_path, resume=True)["runs"] == 2


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"widths": (16, 0)}, "width 0"),
        ({"widths": (33,)}, "width 33"),
        ({"frames": (1, 17)}, "--frames"),
        ({"frames": (0,)}, "--frames"),
        ({"tokens": (1, 5)}, "5 tokens"),
        ({"tokens": (-4,)}, "tokens"),
        ({"examples": (0, 8)}, "--examples"),
        ({"epochs": 0}, "--epochs"),
        ({"test": 0}, "--test"),
        ({"first": 0}, "--first"),
        ({"seed": -1}, "--seed"),
        ({"cells": 0}, "no run"),
        ({"widths": ()}, "no run"),
    ],
)
def test_sizes_of_no_run_are_refused_before_the_encoder_is_trained(
    changed: dict[str, Any], word: str, tmp_path: Path
) -> None:
    config = replace(TINY, **{"cells": 40, **changed})
    with pytest.raises(BadInput, match=word):
        sweep_video(config, TRAIN, HELD, tmp_path / "sweep")
    assert not (tmp_path / "sweep").exists()


def test_a_size_that_is_named_twice_is_run_once(tmp_path: Path) -> None:
    config = replace(TINY, widths=(16, 16), frames=(1,), tokens=(1,), examples=(8,), cells=9)
    assert sweep_video(config, TRAIN, HELD, tmp_path)["runs"] == 1


def test_one_width_is_one_size_of_model_whatever_its_tokens(tmp_path: Path) -> None:
    config = replace(TINY, widths=(16,), frames=(1,), tokens=(1, 4), examples=(8,), cells=2)
    results = sweep_video(config, TRAIN, HELD, tmp_path)
    lines = records.read(tmp_path / RUNS)
    assert len({line["parameters"] for line in lines}) == 2
    sizes = read_points(Path(results["points"])).tasks[ALL].x[:, 0]
    assert len(sizes) == 2 and len(set(sizes)) == 1 and 0 < sizes[0] < lines[0]["parameters"]
