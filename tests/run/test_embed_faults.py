"""What goes wrong in a training of pictures and texts ends it in words, and nothing is lost."""

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker import artifacts
from tastemaker.data.item_pictures import Wanted
from tastemaker.errors import ArtefactError, BadInput, NumericFault, OutOfResources
from tastemaker.files import sha256_file
from tastemaker.models.vlm import VisionModel
from tastemaker.run import embed as job
from tastemaker.run.embed import embed_train
from tastemaker.run.folder import only_writer
from tastemaker.train.stopping import Stopped
from tests.run.embedded import small_config, squares


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than the training."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squares(tmp_path_factory.mktemp("squares"), 20)


def weights(run: Path) -> str:
    return sha256_file(run / "model" / "model.safetensors")


def test_a_request_to_stop_is_followed_and_the_rest_made_up_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = small_config(3, patience=0), tmp_path / "run"
    measure, calls = job.validated, []

    def stopping(*given: Any) -> dict[str, float]:
        calls.append(given)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return measure(*given)

    monkeypatch.setattr(job, "validated", stopping)
    with pytest.raises(Stopped) as stop:
        embed_train(config, folder, str(run))
    assert stop.value.exit_code == 128 + signal.SIGTERM
    assert not (run / artifacts.MANIFEST).exists()
    monkeypatch.setattr(job, "validated", measure)
    embed_train(config, folder, str(run), resume=True)
    embed_train(config, folder, str(tmp_path / "whole"))
    assert weights(run) == weights(tmp_path / "whole")


def test_a_full_disk_at_the_end_leaves_what_was_learned(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = small_config(1), tmp_path / "run"
    save = VisionModel.save

    def full(model: VisionModel, place: Path) -> None:
        save(model, place)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(VisionModel, "save", full)
    with pytest.raises(OutOfResources) as fault:
        embed_train(config, folder, str(run))
    assert fault.value.where == str(run / "model") and "byte" in fault.value.what
    assert not (run / artifacts.MANIFEST).exists()
    monkeypatch.setattr(VisionModel, "save", save)
    trained: list[int] = []
    loss = job.CAFe.loss

    def counted(model: Any, step: Any) -> Any:
        trained.append(1)
        return loss(model, step)

    monkeypatch.setattr(job.CAFe, "loss", counted)
    assert embed_train(config, folder, str(run), resume=True)["training"]["epochs"] == 1
    assert not trained


def test_a_loss_that_is_no_number_ends_it(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(NumericFault):
        embed_train(small_config(20, lr=1e30, warmup=0, patience=0), folder, str(run))
    assert not (run / artifacts.MANIFEST).exists()


@pytest.mark.parametrize("change", ["picture", "text", "prompt"])
def test_another_training_is_not_gone_on_with(folder: Path, tmp_path: Path, change: str) -> None:
    config, run = small_config(1), tmp_path / "run"
    embed_train(config, folder, str(run))
    data = folder
    if change == "picture":
        data = squares(tmp_path / "other", 21)
    changes: dict[str, dict[str, Any]] = {
        "text": {"wanted": Wanted(text="title")},
        "prompt": {"caption_prompt": "Which colour?"},
    }
    with pytest.raises(ArtefactError) as fault:
        embed_train(replace(config, **changes.get(change, {})), data, str(run), resume=True)
    names = {"picture": "data_sha256", "text": "wanted", "prompt": "caption_prompt"}
    assert names[change] in str(fault.value)


def test_a_damaged_checkpoint_is_refused(folder: Path, tmp_path: Path) -> None:
    config, run = small_config(2, patience=0), tmp_path / "run"
    embed_train(config, folder, str(run))
    (run / artifacts.MANIFEST).unlink()
    for path in run.glob("checkpoints/step-*/*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtefactError, match="checkpoints"):
        embed_train(config, folder, str(run), resume=True)


def test_a_folder_has_one_writer_and_nothing_to_resume_is_said(
    folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with only_writer(run), pytest.raises(BadInput, match="Another process"):
        embed_train(small_config(1), folder, str(run))
    with pytest.raises(BadInput, match="nothing to resume"):
        embed_train(small_config(1), folder, str(tmp_path / "none"), resume=True)
    (run / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="something already"):
        embed_train(small_config(1), "nowhere", str(run))  # before any data is looked for


def test_prompts_and_pictures_that_leave_no_room_are_refused_before_training(
    folder: Path, tmp_path: Path
) -> None:
    config = small_config(1)
    with pytest.raises(BadInput) as fault:
        embed_train(replace(config, caption_prompt="why " * 60), folder, str(tmp_path / "run"))
    assert fault.value.where == "--tiny.context"
    assert not (tmp_path / "run").exists()


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="too few"):
        embed_train(small_config(1), squares(tmp_path / "few", 2), str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
