"""How much faster replies come in batches than one by one, by a model of SmolLM2-135M's shape.

Weights are fresh, which costs the same, and every reply is as long as it may be. One thread; each
arm is warmed up, and both run in turns, three times: median CPU-seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from tastemaker import files
from tastemaker.config import environment
from tastemaker.models.local_llm import LocalLLM

ROOT = Path(__file__).parents[1]
BATCH, REPLIES, TOKENS, REPEATS, BAR = 16, 16, 32, 3, 3.0
CHAT = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}\n{% endfor %}"


def save(folder: Path) -> Path:
    """A Llama of SmolLM2-135M's shape, whose tokens are bytes; none of them ends a reply."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer: Any = Tokenizer(models.BPE({letter: n for n, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", bos_token="<|im_start|>"
    )
    wrapped.chat_template = CHAT
    wrapped.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=49_152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192,
        tie_word_embeddings=True, eos_token_id=wrapped.eos_token_id,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return folder


def cpu_seconds(model: LocalLLM) -> float:
    """Of all replies to prompts of several lengths."""
    asked = [[{"role": "user", "content": "films " * (4 + n)}] for n in range(REPLIES)]
    begun = time.process_time()
    replies = model(asked, 1, 0.0, TOKENS, 0)
    seconds = time.process_time() - begun
    assert all(reply.tokens == TOKENS for [reply] in replies)
    return seconds


def main() -> None:
    """Measure, print and write `results/bench-generate.json`."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        place = save(Path(folder) / "model")
        together, alone = LocalLLM(place, batch=BATCH), LocalLLM(place, batch=1)
        cpu_seconds(together)
        times = [(cpu_seconds(together), cpu_seconds(alone)) for _ in range(REPEATS)]
        batched, looped = (statistics.median(column) for column in zip(*times, strict=True))
        made, title = REPLIES * TOKENS, f"tokens a CPU-second: {BATCH} together, and one by one"
        rows = [row(title, made / batched, made / looped, looped / batched, BAR)]
    results = {"name": "generate", "rows": rows, **environment()}
    files.write_json(ROOT / "results" / "bench-generate.json", results)
    print(*rows, sep="\n")


def row(
    what: str, ours: float, peer: float | None, ratio: float | None, bar: float | None
) -> dict[str, object]:
    """A row of the table; the bar is the least ratio that is good."""
    met = None if bar is None or ratio is None else ratio >= bar
    target = None if bar is None else f"≥ {bar:g}×"
    shown = [None if value is None else round(value, 2) for value in (ours, peer, ratio)]
    keys = ("what", "ours", "peer", "ratio", "target", "met")
    return dict(zip(keys, (what, *shown, target, met), strict=True))


if __name__ == "__main__":
    main()
