"""A run keeps what opening its language needs: all of a model, or what its adapters belong to."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tastemaker import files
from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_code_language import CodeLanguage
from tastemaker.recommend.vrec_shape import IDS, LANGUAGE, TITLES
from tastemaker.recommend.vrec_title_language import TitleLanguage
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig
from tests.contracts import ITEMS, some_contexts
from tests.recommend import small_vrec
from tests.recommend.small_titles import config, model

ADAPTED = {"lora": 2, "verifiers": ("random",)}


def shaken(net: VRec) -> VRec:
    """All that learns is moved, as by a training."""
    torch.manual_seed(7)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return net


def changed(folder: Path) -> None:
    """One tensor of a model on disk is another."""
    tensors = files.load_tensors(folder / "model.safetensors")
    first = min(tensors)
    other = tensors | {first: tensors[first] + 1}
    save_file(other, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_options_name_the_language(talker: Path) -> None:
    assert isinstance(small_vrec.model().language, CodeLanguage)
    assert isinstance(model(talker).language, TitleLanguage)
    with pytest.raises(BadInput, match="no model"):
        model(talker / "nothing")


def test_codes_stand_where_they_stood(tmp_path: Path) -> None:
    net = small_vrec.model().eval()
    net.save(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {IDS, "model.safetensors", "verifier-0.arrow", "verifier-1.arrow"}


@pytest.mark.parametrize("lora", [0, 2])
def test_opened_it_scores_as_it_was_saved(lora: int, talker: Path, tmp_path: Path) -> None:
    folder, contexts = Path(shutil.copytree(talker, tmp_path / "model")), some_contexts(5)
    net = shaken(model(folder, lora=lora))
    (run := tmp_path / "run").mkdir()
    net.save(run)
    beside = {LANGUAGE} if lora else {"user_model.json"}
    verifiers = {"verifier-0.arrow", "verifier-1.arrow"}
    names = {path.name for path in run.iterdir()}
    assert names == {"model.safetensors", TITLES, *beside, *verifiers}
    if not lora:
        shutil.rmtree(folder)  # all that is needed stands in the run
    again = VRec.open(net.config, Ground(ITEMS), run).eval()
    assert torch.equal(again.score(contexts), net.score(contexts))
    assert not torch.equal(model(talker, lora=lora).score(contexts), net.score(contexts))
    with pytest.raises(ArtefactError):
        VRec.open(net.config, Ground(ITEMS + 1), run)
    with pytest.raises(ArtefactError):
        VRec.open(replace(net.config, verifiers=("random",)), Ground(ITEMS), run)
    with pytest.raises(ArtefactError):
        VRec.open(replace(net.config, lora=2 - lora), Ground(ITEMS), run)


def test_adapters_are_small_and_belong_to_one_model(talker: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(talker, tmp_path / "model"))
    net = model(folder, **ADAPTED)
    net.save(tmp_path)
    saved = files.load_tensors(tmp_path / "model.safetensors")
    ours = [name for name in saved if name.startswith("language.")]
    assert all("lora_" in name or name == "language.slot" for name in ours)
    whole = sum(p.numel() for p in model(talker).language.parameters())
    assert sum(saved[name].numel() for name in ours) < 0.3 * whole
    changed(folder)
    with pytest.raises(ArtefactError, match="not the one"):
        VRec.open(net.config, Ground(ITEMS), tmp_path)
    shutil.rmtree(folder)
    with pytest.raises(BadInput, match="no model"):
        VRec.open(net.config, Ground(ITEMS), tmp_path)


@pytest.mark.parametrize("wrong", [{"num_hidden_layers": 10**6}, {"hidden_size": 10**9}])
def test_a_kept_shape_must_be_that_of_the_weights(
    wrong: dict[str, int], talker: Path, tmp_path: Path
) -> None:
    net = model(talker)
    net.save(tmp_path)
    path = tmp_path / "user_model.json"
    files.write_json(path, files.read_json(path) | wrong)
    with pytest.raises(ArtefactError):
        VRec.open(net.config, Ground(ITEMS), tmp_path)


def test_titles_in_tokens_that_the_model_lacks_are_refused(talker: Path, tmp_path: Path) -> None:
    net = model(talker)
    net.save(tmp_path)
    tensors = files.load_tensors(tmp_path / TITLES)
    tokens = tensors["tokens"].clone()
    tokens[0, 0] = 10**6
    files.save_tensors(tmp_path / TITLES, tensors | {"tokens": tokens})
    with pytest.raises(ArtefactError, match="another language"):
        VRec.open(net.config, Ground(ITEMS), tmp_path)


def test_a_run_recommends_by_titles_and_does_not_go_on_with_another_model(
    small_data: Path, talker: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(talker, tmp_path / "model"))
    shape = config(folder, **ADAPTED)
    options = RunOptions(data=str(small_data), out=str(tmp_path / "run"), resume=True)
    results = run_recommender(options, shape, FitConfig(epochs=1))
    assert "vrec" in results["models"]
    saved = open_run(tmp_path / "run")
    user = saved.interactions.user_ids[0]
    assert saved.recommend(user, 3, model="vrec").items
    manifest = files.read_json(tmp_path / "run" / "manifest.json")
    assert {TITLES, LANGUAGE} <= manifest["files"].keys()
    changed(folder)
    with pytest.raises(ArtefactError, match="foreign_models.language differs"):
        run_recommender(options, shape, FitConfig(epochs=2))
