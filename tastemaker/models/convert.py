"""Weights as their packages ship them, written once as config.json and safetensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from tastemaker.errors import BadInput
from tastemaker.files import save_tensors, write_json

WEIGHTS = "model.safetensors"


def smollm2(weights: Path, folder: Path) -> None:
    """A 4-bit GGUF file of SmolLM2 as a plain, trainable `LlamaForCausalLM` in bfloat16.

    Args:
        weights: The GGUF file.
        folder: Empty folder; gets config, generation config, tokenizer and weights.

    Raises:
        BadInput: If transformers or gguf is not installed.
    """
    drawn = redirect_stderr(StringIO())  # the bar of the reader of GGUF has no switch
    with extra("llm"), quiet(), drawn:
        import gguf  # noqa: F401 - transformers reads the file with it
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

        source: Any = {"gguf_file": weights.name, "local_files_only": True}
        model: Any = AutoModelForCausalLM.from_pretrained(weights.parent, **source)
        tokenizer: Any = AutoTokenizer.from_pretrained(weights.parent, **source)
    kept = model.config.to_diff_dict()
    for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        kept.pop(name, None)
    config = LlamaConfig(**kept | {"dtype": "bfloat16", "architectures": ["LlamaForCausalLM"]})
    config.save_pretrained(folder)
    generation = model.generation_config
    generation.eos_token_id = generation.pad_token_id = 2
    generation.save_pretrained(folder)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    tensors = {name: t.to(torch.bfloat16) for name, t in model.state_dict().items()}
    tensors.pop("lm_head.weight", None)  # tied to the embedding
    save_tensors(folder / WEIGHTS, tensors)


def efficientnet_lite0(weights: Path, folder: Path) -> None:
    """The ImageNet weights of EfficientNet-Lite0, from a `.pth` whose sha256 was checked.

    The file is read by the package's own loader, which takes tensors and nothing that runs.

    Args:
        weights: The `.pth` file.
        folder: Empty folder; gets config and weights.

    Raises:
        BadInput: If efficientnet-lite-pytorch is not installed.
    """
    with extra("vision"), redirect_stdout(StringIO()):  # it prints that it loaded
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights))
    size = EfficientNet.get_image_size("efficientnet-lite0")
    config = {"model_type": "efficientnet-lite0", "image_size": size, "hidden_size": 1280}
    write_json(folder / "config.json", config)
    save_tensors(folder / WEIGHTS, model.state_dict())


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Turn an import that fails inside into the extra that brings it.

    Raises:
        BadInput: With the command that installs it.
    """
    try:
        yield
    except ImportError as error:
        fix = f"Run `pip install 'tastemaker[{name}]'`."
        raise BadInput(f"A library is missing: {error}.", f"the extra {name!r}", fix) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing progress bars and logging warnings inside."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
