"""The one place that opens a foreign model: guarded, quiet, with typed errors.

A folder that others wrote is data. Nothing in it is run, whatever its `auto_map` names: a model is
one of transformers' own kinds, by its own classes; weights are safetensors; what a config says of
files, kernels or code is not read; sizes are compared with the weights before anything is built.
No connection is opened, and nothing is asked on standard input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tastemaker.counts import counted
from tastemaker.errors import ArtefactError, BadInput, TastemakerError
from tastemaker.files import JsonObject, read_json
from tastemaker.models.extras import extra, quiet, transformers
from tastemaker.models.shards import weight_sizes

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_SAFE = {"local_files_only": True, "trust_remote_code": False}
_UNREAD = {
    "auto_map", "custom_pipelines", "transformers_weights", "_name_or_path", "name_or_path",
    "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
    "experts_implementation", "_experts_implementation", "_experts_implementation_internal",
    "dtype", "torch_dtype",
}  # fmt: skip
"""Keys of a config that name code, kernels or other files, or that are decided here."""
_FIX = "Give a folder that transformers' save_pretrained wrote, its tokenizer or processor too."
_SLACK = 1_000_000
"""Values that a model may have beside those of its file: positions, a head that is left out."""


@dataclass(frozen=True)
class TextModel:
    """A model that reads text, with its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    """in float32, in evaluation mode, without head and pooler"""
    dim: int
    """D, the width of a state"""
    most_tokens: int
    """tokens that it can read"""


@dataclass(frozen=True)
class WritingModel:
    """A causal model with its head, and its tokenizer."""

    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    """in evaluation mode"""
    most_tokens: int
    """tokens that it can read and write together"""


def text_model(folder: Path) -> TextModel:
    """An encoder or a causal model, and its tokenizer.

    Raises:
        BadInput: If it is of another kind, cannot be read, or its tokenizer is another's.
        ArtefactError: If weights are missing.
    """
    refuse_own_tokenizer(folder)
    model = language_model(folder)
    tokenizer, most = tokenizer_of(folder, model)
    with guarded(folder), torch.no_grad():
        probe = torch.zeros(1, 1, dtype=torch.long)
        states: Tensor = model(input_ids=probe, attention_mask=probe + 1).last_hidden_state
    return TextModel(tokenizer, model, states.shape[-1], most)


def writing_model(folder: Path, dtype: torch.dtype = torch.float32) -> WritingModel:
    """A causal model that writes, and its tokenizer.

    Raises:
        BadInput: If it is of another kind, cannot be read, or its tokenizer is another's.
        ArtefactError: If weights are missing, those of its head included.
    """
    refuse_own_tokenizer(folder)
    model = opened_model(folder, transformers().AutoModelForCausalLM, dtype)
    tokenizer, most = tokenizer_of(folder, model)
    return WritingModel(tokenizer, model, most)


def refuse_own_tokenizer(folder: Path) -> None:
    """Refuse a folder whose tokenizer is code.

    Raises:
        BadInput: If it is.
    """
    named = folder / "tokenizer_config.json"
    if named.is_file() and read_json(named).get("auto_map"):
        what = "The tokenizer needs code that comes with it, which is never run."
        raise BadInput(what, str(named), "Give a model whose tokenizer transformers has itself.")


def tokenizer_of(folder: Path, model: PreTrainedModel) -> tuple[PreTrainedTokenizerBase, int]:
    """The tokenizer of a model, and how many tokens the two can take.

    Raises:
        BadInput: If it cannot be read, or is another model's.
    """
    with guarded(folder):
        opener = transformers().AutoTokenizer
        tokenizer: PreTrainedTokenizerBase = opener.from_pretrained(
            folder, config=model.config, **_SAFE
        )
        known = max(tokenizer.get_vocab().values(), default=0)
        rows: Any = model.get_input_embeddings().num_embeddings
        values = model.config.get_text_config().to_dict()
        positions = values.get("max_position_embeddings") or values.get("n_positions") or 2**31
        most = min(int(tokenizer.model_max_length), int(positions))
    if known >= rows:
        what = f"The tokenizer has {known + 1:,} tokens, the model {rows:,}."
        raise BadInput(what, str(folder), "Put the tokenizer there that the model came with.")
    return tokenizer, most


def language_model(folder: Path) -> PreTrainedModel:
    """A model in float32 without head and pooler, in evaluation mode.

    Raises:
        BadInput: If it is of another kind, or cannot be read.
        ArtefactError: If weights are missing.
    """
    model: Any = opened_model(folder, transformers().AutoModel, torch.float32)
    if "pooler" in dict(model.named_children()):
        model.pooler = None
    ready: PreTrainedModel = model
    return ready


def opened_model(folder: Path, kind: Any, dtype: torch.dtype) -> PreTrainedModel:
    """A model by one of the library's openers, in evaluation mode.

    Raises:
        BadInput: If it is of another kind, or cannot be read.
        ArtefactError: If weights are missing.
    """
    values = read_json(folder / "config.json")
    _refuse_unknown(values, folder)
    sizes = weight_sizes(folder)
    config = _config(values, folder, len(sizes))
    with guarded(folder):
        with torch.device("meta"):
            blank = kind.from_config(config, trust_remote_code=False)
        tensors = [*blank.parameters(), *blank.buffers()]
    needed, held = sum(tensor.numel() for tensor in tensors), sum(sizes.values())
    if needed > 2 * held + _SLACK:
        what, got = "The config is of a larger model than the weights", counted(held, "value")
        raise ArtefactError(str(folder), what, counted(needed, "value"), got, "Download it again.")
    options: Any = {"config": config, "use_safetensors": True, "output_loading_info": True}
    with guarded(folder):
        model, report = kind.from_pretrained(folder, **_SAFE, **options, dtype=dtype)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        fix = "Download or convert the model again."
        got = f"none for {', '.join(missing[:3])}"
        raise ArtefactError(str(folder), "Weights are incomplete", "all of them", got, fix)
    ready: PreTrainedModel = model.eval()
    return ready


def description_of(model: PreTrainedModel) -> JsonObject:
    """The shape of a language model as JSON values, from which `blank_model` builds it."""
    values: JsonObject = model.config.to_diff_dict()
    return {name: value for name, value in values.items() if name not in _UNREAD}


def blank_model(description: JsonObject, where: Path, tensors: int) -> PreTrainedModel:
    """A model of that shape whose weights are still to be loaded, in evaluation mode.

    Args:
        description: What `description_of` gave.
        where: File it comes from, for messages.
        tensors: How many tensors its weights are at most, and so its layers.

    Raises:
        BadInput: If it is of a kind that transformers does not know, or cannot be built.
    """
    config = _config(description, where, tensors)
    with guarded(where):
        model = transformers().AutoModel.from_config(config, trust_remote_code=False)
    ready: PreTrainedModel = model.float().eval()
    return ready


def gguf_model(weights: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Causal model and tokenizer of a GGUF file.

    Raises:
        BadInput: If it cannot be read, or transformers or gguf is not installed.
    """
    with extra("llm"):
        import gguf  # noqa: F401 - transformers reads the file with it
    library = transformers()
    with guarded(weights), redirect_stderr(StringIO()):  # the bar of its reader has no switch
        kinds = (library.AutoModelForCausalLM, library.AutoTokenizer)
        model, tokenizer = (
            kind.from_pretrained(weights.parent, gguf_file=weights.name, **_SAFE) for kind in kinds
        )
    return model, tokenizer


def efficientnet(weights: Path | None = None) -> Any:
    """EfficientNet-Lite0 with fresh weights, or with those of its package's `.pth` file.

    The file is read by the package's own loader, which takes tensors and nothing that runs.

    Raises:
        BadInput: If efficientnet-lite-pytorch is not installed.
    """
    with extra("vision"), redirect_stdout(StringIO()):  # it prints what it builds and loads
        from efficientnet_lite_pytorch import EfficientNet

        if weights is None:
            return EfficientNet.from_name("efficientnet-lite0")
        return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights))


@contextmanager
def guarded(where: Path) -> Iterator[None]:
    """Quiet, and whatever the library raises over a foreign file becomes one typed error."""
    with quiet():
        try:
            yield
        except (TastemakerError, MemoryError):
            raise
        except Exception as error:
            what = f"The model cannot be read: {type(error).__name__}: {error!s:.300}"
            raise BadInput(what, str(where), _FIX) from error


def _refuse_unknown(values: JsonObject, where: Path) -> None:
    """Refuse the config of a model that would need code of its own, or encodes no text."""
    kind = values.get("model_type")
    known = isinstance(kind, str) and kind in transformers().CONFIG_MAPPING
    if not known or values.get("is_encoder_decoder"):
        what = f"Models of type {kind!r} encode no text here."
        fix = "Give an encoder or a causal model of a type that transformers has itself; code "
        raise BadInput(what, str(where), f"{fix}that comes with a model is never run.")
    if values.get("quantization_config"):
        fix = "Give the model in float32 or bfloat16."
        raise BadInput("Weights that are quantised are not read.", str(where), fix)


def _config(values: JsonObject, where: Path, tensors: int) -> PreTrainedConfig:
    """The config object of one of the library's own kinds, without what it must not say."""
    _refuse_unknown(values, where)
    readable = _read(values, where, tensors)
    with guarded(where):
        kind = transformers().CONFIG_MAPPING[values["model_type"]]
        config: PreTrainedConfig = kind.from_dict(readable)
    return config


def _read(values: Mapping[str, object], where: Path, tensors: int) -> JsonObject:
    """What is read of a config, at every depth; more layers than tensors are refused."""
    readable = {}
    for name, value in values.items():
        if "layer" in name and isinstance(value, int) and value > tensors:
            what, got = f"{name} is more than the weights hold", counted(tensors, "tensor")
            raise ArtefactError(
                str(where), what, counted(value, "layer"), got, "Download it again."
            )
        if name not in _UNREAD:
            readable[name] = _read(value, where, tensors) if isinstance(value, Mapping) else value
    return readable
