"""A catalogue with pictures becomes a run: measured, resumed to the bit, refused with reasons."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker import artifacts
from tastemaker.data.problems import BadData
from tastemaker.embed.cafe import CAFeConfig
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import sha256_file
from tastemaker.run import embed as job
from tastemaker.run.embed import embed_train
from tastemaker.run.embed_folder import KIND
from tests.data.pictured import save_items, save_noise
from tests.run.embedded import of_model, small_config, squares

ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than the training."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def weights(run: Path) -> str:
    return sha256_file(run / "model" / "model.safetensors")


def test_a_run_finds_and_tells_what_it_did_not_see(embedded: tuple[Path, Path]) -> None:
    _, run = embedded
    results = json.loads((run / "results.json").read_text())
    artifacts.verify(run, KIND)
    before, after, chance = (results[name] for name in ("before", "after", "chance"))
    for way in ("t2i_recall@1", "i2t_recall@1"):
        assert after[way]["mean"] == 1 > before[way]["mean"] and 0 < chance[way] < 0.5
    assert after["exact"]["mean"] == 1 and before["exact"]["mean"] == 0
    assert after["perplexity"]["mean"] < 2 < 50 < before["perplexity"]["mean"]
    data = results["data"]
    assert (data["train"], data["validation"], data["test"]) == (18, 6, 6)
    assert data["doubles"] == {"texts": 30, "pictures": 0}
    assert any("30 items share a text" in one for one in results["warnings"])
    shown = results["examples"]["captions"][0]
    assert shown["written"] == shown["right"] and shown["rank"] == 1
    page = (run / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= 6 and "img-src data:" in page


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path, no_page: None) -> None:
    folder = squares(tmp_path / "squares")
    config = small_config(3, checkpoint_every=1, patience=0)
    embed_train(config, folder, str(tmp_path / "whole"))
    code = (
        "import sys\nfrom tastemaker.run import embed\nfrom tests.run.embedded import *\n"
        "embed.write_page = lambda run: (run / 'report.html').write_text('')\n"
        "config = small_config(3, checkpoint_every=1, patience=0)\n"
        "embed.embed_train(config, sys.argv[1], sys.argv[2])"
    )
    run = tmp_path / "cut"
    command = [sys.executable, "-c", code, str(folder), str(run)]
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    for _ in range(1200):
        if (run / "checkpoints" / "latest").exists() or child.poll() is not None:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with pytest.raises(BadInput, match="something already"):
        embed_train(config, folder, str(run))
    assert embed_train(config, folder, str(run), resume=True)["run"] == str(run)
    assert weights(run) == weights(tmp_path / "whole")
    assert (run / "before.json").read_bytes() == (tmp_path / "whole/before.json").read_bytes()
    again = embed_train(config, folder, str(run), resume=True)
    assert again["training"]["steps"] == 6
    with pytest.raises(ArtefactError):
        embed_train(small_config(3, seed=1), folder, str(run), resume=True)


@pytest.mark.parametrize(
    ("cafe", "named"),
    [
        ({"alpha_lm": 0.0}, "Captions were not learned"),
        ({"alpha_con": 0.0}, "Vectors were not learned"),
        ({"lora": 2, "gradcache_chunk": 3}, ""),
    ],
)
def test_what_was_not_learned_is_said(
    tmp_path: Path, no_page: None, cafe: dict[str, Any], named: str
) -> None:
    metric = {"alpha_lm": "recall@1", "alpha_con": "likelihood"}.get(next(iter(cafe)), "joint")
    config = small_config(1, CAFeConfig(**cafe), metric=metric)
    results = embed_train(config, squares(tmp_path / "squares"), str(tmp_path / "run"))
    assert any(named in one for one in results["warnings"])
    assert all("not learned" not in one for one in results["warnings"] if not named)


def test_a_trained_model_is_trained_on(
    tmp_path: Path, no_page: None, embedded: tuple[Path, Path]
) -> None:
    squares, run = embedded
    results = embed_train(of_model(str(run), epochs=1), squares, str(tmp_path / "more"))
    assert results["before"]["exact"]["mean"] == 1
    with pytest.raises(BadInput):
        embed_train(of_model("nowhere"), squares, str(tmp_path / "other"))


def test_bad_rows_stop_it_or_are_left_out_and_written_down(tmp_path: Path, no_page: None) -> None:
    folder = squares(tmp_path / "squares")
    (folder / "3.png").write_bytes(b"no picture")
    (folder / "4.png").unlink()
    (folder / "5.png").write_bytes(b"")
    run = tmp_path / "run"
    with pytest.raises(BadData) as fault:
        embed_train(small_config(1), folder, str(run))
    assert sorted(problem.row or 0 for problem in fault.value.problems) == [4, 5, 6]
    assert not run.exists()
    results = embed_train(small_config(1), folder, str(run), drop=True)
    assert results["data"]["items"] == 27 and results["data"]["dropped"] == 3
    assert "3 bad rows were left out." in results["warnings"]
    assert (tmp_path / "run-bad-rows.csv").read_text().count("\n") == 4


def test_long_texts_are_cut_and_counted_and_equal_pictures_stand_together(
    tmp_path: Path, no_page: None
) -> None:
    folder = squares(tmp_path / "squares")
    rows = (folder / "items.csv").read_text().splitlines()
    rows[1] = f"i0,0.png,{'red square and more ' * 40}"
    (folder / "31.png").write_bytes((folder / "1.png").read_bytes())
    rows.append("i31,31.png,another square")
    (folder / "items.csv").write_text("\n".join(rows) + "\n")
    results = embed_train(small_config(1), folder, str(tmp_path / "run"))
    assert results["data"]["cut"] == {"texts": 1, "captions": 1}
    assert results["data"]["doubles"]["pictures"] == 2
    assert sum("longer than the model reads" in one for one in results["warnings"]) == 2


def test_a_catalogue_of_every_mode_trains(tmp_path: Path, no_page: None) -> None:
    modes = ["L", "P", "RGBA", "CMYK", "1", "LA", "RGB"] * 2
    for n, mode in enumerate(modes):
        save_noise(tmp_path / f"{n}.tif" if mode == "CMYK" else tmp_path / f"{n}.png", n, mode)
    images = [f"{n}.tif" if mode == "CMYK" else f"{n}.png" for n, mode in enumerate(modes)]
    folder = save_items(tmp_path, {"image": images, "title": [f"noise {n}" for n in images]})
    results = embed_train(small_config(1, batch=4), folder, str(tmp_path / "run"))
    assert results["data"]["items"] == len(modes)
