"""SmolLM2-135M with LoRA learns from its own answers, and what it learned opens again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.cli import main
from tastemaker.models.generate import LocalLLM
from tests.models.conftest import installed


@pytest.mark.slow
def test_a_packaged_model_learns_and_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed("smollm2")
    torch.set_num_threads(2)
    prompts, held = tmp_path / "prompts.jsonl", tmp_path / "held.jsonl"

    def asked(a: int, b: int) -> dict[str, Any]:
        return {"prompt": f"How much is {a} + {b}? End with the number.", "kind": "number"}

    prompts.write_text("".join(json.dumps(asked(a, 4)) + "\n" for a in (1, 2)))
    held.write_text(json.dumps(asked(2, 3) | {"gold": "5"}) + "\n")
    out, named = tmp_path / "run", ["--prompts", str(prompts), "--held-out", str(held)]
    words = ["reinforce", "restrain", "--model", "smollm2", *named, "--out", str(out)]
    small = ["--n", "4", "--prompts-per-step", "1", "--steps", "2", "--max-tokens", "16"]
    more = ["--base-n", "4", "--lora", "4", "--lr", "1e-4", "--json"]
    assert main([*words, *small, *more]) == 0
    results = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert all(line["advantage_seconds"] < 0.02 * line["seconds"] for line in lines)
    assert lines[1]["kl"] > 0
    assert results["kept"] in ("yes", "no")
    if results["kept"] == "yes":
        said = LocalLLM(out / "model")([[{"role": "user", "content": "Hello"}]], 1, 0.0, 4, 0)
        assert said[0][0].text
