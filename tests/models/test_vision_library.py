"""Foreign vision-language models: nothing of them is run, and what is wrong is a typed error."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from tastemaker.errors import ArtefactError, BadInput, TastemakerError
from tastemaker.files import load_tensors, save_tensors
from tastemaker.models.vlm import Asked, open_vision_model
from tests.models.conftest import save_bert, save_llama
from tests.models.vision_models import picture, save_llava, save_qwen

AUTO = {kind: f"trap.{kind}" for kind in (
    "AutoConfig", "AutoModel", "AutoModelForImageTextToText", "AutoProcessor", "AutoImageProcessor",
    "AutoTokenizer", "AutoVideoProcessor",
)}  # fmt: skip


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection, and a cache of its own."""
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", None)
    monkeypatch.setattr(socket, "getaddrinfo", None)


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llava(tmp_path_factory.mktemp("llava"), "siglip")


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_qwen(tmp_path_factory.mktemp("qwen"))


def edited(source: Path, to: Path, file: str, **values: Any) -> Path:
    """A copy in which a JSON file says something else; a name may lead into it by dots."""
    shutil.copytree(source, to)
    held = json.loads((to / file).read_text()) if (to / file).exists() else {}
    for name, value in values.items():
        place, *path = held, *name.split("__")
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    (to / file).write_text(json.dumps(held))
    return to


@pytest.mark.parametrize("kind", ["llava", "qwen"])
@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"auto_map": AUTO}),
        ("config.json", {"vision_config__auto_map": AUTO, "text_config__auto_map": AUTO}),
        ("config.json", {"auto_map": AUTO, "model_type": "trap"}),
        ("processor_config.json", {"auto_map": AUTO}),
        ("processor_config.json", {"auto_map": AUTO, "processor_class": "Trap"}),
        ("processor_config.json", {"image_processor__auto_map": AUTO}),
        ("preprocessor_config.json", {"auto_map": AUTO, "image_processor_type": "Trap"}),
        ("tokenizer_config.json", {"auto_map": AUTO, "tokenizer_class": "Trap"}),
        ("video_preprocessor_config.json", {"auto_map": AUTO}),
    ],
    ids=str,
)  # fmt: skip
def test_code_beside_a_model_never_runs(
    kind: str, file: str, values: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = edited(request.getfixturevalue(kind), tmp_path / "model", file, **values)
    canary = tmp_path / "canary"
    for name in ("trap.py", "__init__.py", "custom_generate/generate.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"open({str(canary)!r}, 'w').close()\n")
    try:
        model = open_vision_model(folder)
    except BadInput as error:
        assert "trust_remote_code" not in str(error)
    else:
        model.write([Asked("a", picture())], 2)
    assert not canary.exists()


def test_text_models_and_unknown_types_are_refused(llava: Path, tmp_path: Path) -> None:
    folders = [save_bert(tmp_path / "bert"), save_llama(tmp_path / "llama")]
    for number, kind in enumerate([None, "", 3, "trap", "clip", "tastemaker_conv_tower"]):
        folders.append(edited(llava, tmp_path / str(number), "config.json", model_type=kind))
    for folder in folders:
        with pytest.raises(BadInput) as caught:
            open_vision_model(folder)
        assert caught.value.where == str(folder) and "pictures" in caught.value.what


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"vision_config__model_type": "trap"}),
        ("config.json", {"vision_config__hidden_size": 10**9}),
        ("config.json", {"vision_config__num_hidden_layers": 10**9}),
        ("config.json", {"vision_config__image_size": 10**9}),
        ("config.json", {"text_config__vocab_size": 10**12}),
        ("config.json", {"text_config__vocab_size": 200}),
        ("config.json", {"text_config__hidden_size": "wide"}),
        ("config.json", {"text_config__quantization_config": {"quant_method": "gptq"}}),
        ("config.json", {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
        ("config.json", {"vision_feature_layer": 77}),
        ("config.json", {"image_token_index": 10**6}),
        ("processor_config.json", {"patch_size": 4}),
        ("processor_config.json", {"patch_size": 0}),
        ("processor_config.json", {"image_processor__size": {"height": 64, "width": 64}}),
        ("processor_config.json", {"image_processor__size": {"height": 10**9, "width": 10**9}}),
        ("processor_config.json", {"image_processor__size": {"shortest_edge": 10**9}}),
        ("processor_config.json", {"image_processor__image_mean": [0.5]}),
        ("processor_config.json", {"image_processor__image_processor_type": "Trap"}),
        ("processor_config.json", {"image_token": "<nothing>"}),
    ],
    ids=str,
)
def test_what_does_not_fit_is_a_typed_error(
    llava: Path, tmp_path: Path, file: str, values: dict[str, Any]
) -> None:
    with pytest.raises(TastemakerError) as caught:
        open_vision_model(edited(llava, tmp_path / "model", file, **values))
    assert isinstance(caught.value, BadInput | ArtefactError)


@pytest.mark.parametrize(
    "values",
    [
        {"attn_implementation": "evil/kernel"},
        {"text_config___attn_implementation": "evil/kernel:attention"},
        {"vision_config__attn_implementation": "evil/kernel"},
        {"_name_or_path": "/elsewhere"},
    ],
    ids=str,
)
def test_what_names_kernels_or_files_is_not_read(
    llava: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    assert open_vision_model(edited(llava, tmp_path / "model", "config.json", **values)).dim == 32


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "processor_config.json", "config.json"]
)
def test_files_that_are_missing_or_cut_are_typed_errors(
    llava: Path, tmp_path: Path, name: str
) -> None:
    for number, content in enumerate([None, b"", b'{"a": ']):
        folder = tmp_path / str(number)
        shutil.copytree(llava, folder)
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        with pytest.raises(TastemakerError):
            open_vision_model(folder)


def test_weights_that_are_missing_or_can_run_code_are_named(llava: Path, tmp_path: Path) -> None:
    shutil.copytree(llava, tmp_path / "part")
    tensors = load_tensors(tmp_path / "part" / "model.safetensors")
    lost = next(name for name in tensors if "projector" in name)
    del tensors[lost]
    save_tensors(tmp_path / "part" / "model.safetensors", tensors)
    with pytest.raises(ArtefactError):
        open_vision_model(tmp_path / "part")
    shutil.copytree(llava, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "model.bin")
    with pytest.raises(BadInput) as caught:
        open_vision_model(tmp_path / "pickled")
    assert "safetensors" in caught.value.fix


def test_how_it_answers_is_not_its_files_to_say(qwen: Path, tmp_path: Path) -> None:
    """Sampling, penalties and lengths that come with a model change no greedy answer."""
    told = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 5.0, "max_length": 3}
    other = open_vision_model(edited(qwen, tmp_path / "model", "generation_config.json", **told))
    asked = [Asked("what?", picture())]
    assert other.write(asked, 5) == open_vision_model(qwen).write(asked, 5)


def test_pictures_that_were_answered_about_leave_nothing(qwen: Path) -> None:
    used, fresh = open_vision_model(qwen), open_vision_model(qwen)
    used.write([Asked("what?", picture(0, 64, 64)), Asked("and?", picture(1))], 3)
    with torch.no_grad():
        rows = used.rows([Asked("text")])
        torch.testing.assert_close(used.states(rows), fresh.states(rows), rtol=0, atol=1e-6)
    assert used.write([Asked("text")], 5) == fresh.write([Asked("text")], 5)


@pytest.mark.parametrize("missing", ["AutoImageProcessor", "image_token"])
def test_what_cannot_prepare_pictures_here_is_named(
    qwen: Path, llava: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ImportError("needs torchvision")

    if missing == "AutoImageProcessor":
        monkeypatch.setattr(transformers.AutoImageProcessor, "from_pretrained", broken)
        monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", broken)
        with pytest.raises(BadInput) as caught:
            open_vision_model(qwen)
        assert "Qwen2_5_VLProcessor" in caught.value.what and "torchvision" in caught.value.fix
        return
    monkeypatch.setattr(transformers.AutoProcessor, "from_pretrained", lambda *_, **__: object())
    with pytest.raises(BadInput) as caught:
        open_vision_model(llava)
    assert "'llava'" in caught.value.what
