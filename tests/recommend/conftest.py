"""A tiny causal model on disk, which reads bytes; made once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, with weights near enough to zero that what it says is not all but certain."""
    import torch
    import transformers

    from tests.models.conftest import save_chatty

    folder = save_chatty(tmp_path_factory.mktemp("talker"))
    torch.manual_seed(0)
    shape = transformers.LlamaConfig.from_pretrained(folder)
    shape.initializer_range = 0.2
    transformers.LlamaForCausalLM(shape).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose tokenizer knows eight words."""
    from tests.models.conftest import save_llama

    return save_llama(tmp_path_factory.mktemp("llama"))
