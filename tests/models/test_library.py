"""Foreign folders: nothing in them runs, nothing is asked, and what is wrong is a typed error."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput, TastemakerError
from tastemaker.files import load_tensors, read_json
from tastemaker.models.library import blank_model, description_of, language_model, text_model

KINDS = ("AutoConfig", "AutoModel", "AutoModelForCausalLM", "AutoTokenizer")


def edited(source: Path, to: Path, file: str = "config.json", **values: Any) -> Path:
    """A copy in which a JSON file says something else."""
    shutil.copytree(source, to)
    held = json.loads((to / file).read_text())
    (to / file).write_text(json.dumps(held | values))
    return to


def trapped(source: Path, to: Path, canary: Path, where: str, **values: Any) -> Path:
    """A copy whose config or tokenizer names a module that writes a canary."""
    auto = {kind: f"trap.{kind}" for kind in KINDS}
    if where == "config":
        edited(source, to, auto_map=auto, **values)
    else:
        own = {"auto_map": {"AutoTokenizer": ["trap.AutoTokenizer", "trap.AutoTokenizer"]}}
        edited(source, to, "tokenizer_config.json", **own, tokenizer_class="Trap")
    for name in ("trap.py", "configuration_trap.py", "__init__.py", "custom_generate/generate.py"):
        (to / name).parent.mkdir(exist_ok=True)
        (to / name).write_text(f"open({str(canary)!r}, 'w').close()\n")
    return to


OPEN = """
import socket, sys
from pathlib import Path
socket.socket.connect = socket.getaddrinfo = None
from tastemaker.errors import TastemakerError
from tastemaker.models.library import text_model
try:
    text_model(Path(sys.argv[1]))
except TastemakerError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("kind", ["bert", "llama"])
@pytest.mark.parametrize(
    ("where", "values", "code"),
    [("config", {"model_type": "trap"}, 2), ("config", {}, 0), ("tokenizer", {}, 2)],
)
def test_code_beside_a_model_never_runs(
    kind: str,
    where: str,
    values: dict[str, Any],
    code: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """With yes to every question on standard input; a known type opens by the library's classes."""
    canary = tmp_path / "canary"
    folder = trapped(request.getfixturevalue(kind), tmp_path / "model", canary, where, **values)
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)],
        input="y\n" * 50, capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, ""), done.stdout
    assert not canary.exists()
    assert code == 0 or "never run" in done.stdout


@pytest.mark.parametrize("model_type", [None, "", 3, ["bert"], {}, "efficientnet-lite0"], ids=str)
def test_only_types_that_the_library_has_are_opened(
    bert: Path, model_type: Any, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="encode no text") as caught:
        text_model(edited(bert, tmp_path / "model", model_type=model_type))
    assert caught.value.where == str(tmp_path / "model")


def test_the_commands_run_no_code_of_a_model(bert: Path, small_data: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    folder = trapped(bert, tmp_path / "model", canary, "config", model_type="trap")
    command = [sys.executable, "-m", "tastemaker.cli", "train", "hllm", "--data", str(small_data)]
    for option in ("item-model", "user-model"):
        done = subprocess.run(
            [*command, "--out", str(tmp_path / option), f"--model.{option}", str(folder),
             "--model.missing-text", "nothing"],
            input="y\n" * 50, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        assert str(folder) in done.stderr.replace("\n", "").replace(" ", "")
        assert not canary.exists()


def test_a_known_model_gives_the_vectors_it_would_without_its_code(
    bert: Path, tmp_path: Path
) -> None:
    folder = trapped(bert, tmp_path / "model", tmp_path / "canary", "config")
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        states = [language_model(one)(ids).last_hidden_state for one in (bert, folder)]
    torch.testing.assert_close(*states)
    assert text_model(folder).tokenizer("red shoe")["input_ids"] == [2, 4, 7, 3]


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"attn_implementation": "evil/kernel"}),
        ("config.json", {"_attn_implementation": "evil/kernel:attention"}),
        ("config.json", {"_attn_implementation_internal": "evil/kernel"}),
        ("config.json", {"transformers_weights": "../../elsewhere.safetensors"}),
        ("config.json", {"_name_or_path": "/elsewhere"}),
        ("tokenizer_config.json", {"tokenizer_class": "NoSuchTokenizer"}),
    ],
    ids=str,
)
def test_what_names_files_or_kernels_is_not_read(
    bert: Path, tmp_path: Path, file: str, values: dict[str, Any]
) -> None:
    opened = text_model(edited(bert, tmp_path / "model", file, **values))
    assert opened.dim == 16 and opened.most_tokens == 64


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("config.json", {"model_type": "t5", "is_encoder_decoder": True}),
        ("config.json", {"model_type": "vit"}),
        ("config.json", {"model_type": "clip"}),
        ("config.json", {"quantization_config": {"quant_method": "gptq", "bits": 4}}),
        ("config.json", {"hidden_size": "wide"}),
        ("config.json", {"hidden_size": -1}),
        ("config.json", {"hidden_size": 10**9}),
        ("config.json", {"hidden_size": 15}),
        ("config.json", {"vocab_size": 10**12}),
        ("config.json", {"vocab_size": 13}),
        ("config.json", {"num_hidden_layers": 10**9}),
        ("config.json", {"max_position_embeddings": 10**12}),
        ("config.json", {"num_attention_heads": 0}),
        ("tokenizer_config.json", {"model_max_length": "long"}),
        ("tokenizer.json", {"model": {"type": "none"}}),
        ("tokenizer.json", {"model": 3}),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_a_typed_error(
    bert: Path, tmp_path: Path, file: str, values: dict[str, Any], capfd: Any
) -> None:
    folder = edited(bert, tmp_path / "model", file, **values)
    with pytest.raises(TastemakerError) as caught:
        text_model(folder)
    assert caught.value.exit_code in (2, 3)
    assert str(folder) in caught.value.where and caught.value.fix
    assert capfd.readouterr() == ("", "")


def test_a_tokenizer_of_another_model_is_refused(bert: Path, tmp_path: Path) -> None:
    shutil.copytree(bert, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    held = json.loads(path.read_text())
    held["model"]["vocab"]["more"] = 12
    path.write_text(json.dumps(held))
    with pytest.raises(BadInput, match="13 tokens, the model 12"):
        text_model(tmp_path / "model")


def test_weights_that_are_not_all_there(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    shutil.copytree(bert, tmp_path / "model")
    tensors = load_tensors(bert / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ArtefactError, match=r"encoder\.layer\.1\.output"):
        language_model(tmp_path / "model")


def test_a_shape_is_kept_and_built_again(llama: Path, tmp_path: Path) -> None:
    model = language_model(llama)
    kept = json.loads(json.dumps(description_of(model)))
    assert str(llama) not in json.dumps(kept)
    again = blank_model(kept, tmp_path, len(model.state_dict()))
    again.load_state_dict(model.state_dict())
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).last_hidden_state, again(ids).last_hidden_state)
    with pytest.raises(ArtefactError, match="layers"):
        blank_model(kept | {"num_hidden_layers": 10**6}, tmp_path, 21)
    with pytest.raises(BadInput, match="trap"):
        blank_model(kept | {"model_type": "trap"}, tmp_path, 21)


def test_opening_draws_and_says_nothing(bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text_model(bert)
    assert capfd.readouterr() == ("", "")


def test_a_config_that_is_no_object(bert: Path, tmp_path: Path) -> None:
    shutil.copytree(bert, tmp_path / "model")
    for text in ("", "[]", "{", "[" * 100_000):
        (tmp_path / "model" / "config.json").write_text(text)
        with pytest.raises(ArtefactError):
            text_model(tmp_path / "model")
    assert read_json(bert / "config.json")["model_type"] == "bert"
