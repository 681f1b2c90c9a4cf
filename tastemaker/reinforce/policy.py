"""The language model that learns: opened from this machine, asked, and written as a folder again.

With LoRA the model itself stays bit for bit, adapters alone learn, and both are written: the
adapters in peft's form, and the model with them worked in, which opens like any other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tastemaker.data.replies import Conversation
from tastemaker.errors import BadInput
from tastemaker.files import save_tensors, write_json
from tastemaker.models.extras import extra, quiet, transformers
from tastemaker.models.identity import model_identity
from tastemaker.models.library import writing_model
from tastemaker.models.lora import ALPHA, adapt
from tastemaker.models.packaged import locate

Turns = str | list[dict[str, str]]
"""A prompt as a model takes it: a conversation or, where it knows none, text."""


@dataclass(frozen=True)
class Policy:
    """A causal model that learns, and its tokenizer."""

    model: Any
    """a `PreTrainedModel` in float32; what has a gradient learns"""
    tokenizer: Any
    folder: Path
    """where it was opened"""
    identity: str
    """hex sha256 of its files"""
    most_tokens: int
    """that it can read and write together"""
    lora: int
    """rank of its adapters; 0: all of it learns"""

    @property
    def chats(self) -> bool:
        """Whether it has a chat template; else prompts are read as they stand."""
        return bool(self.tokenizer.chat_template)

    def turns(self, prompt: Conversation) -> Turns:
        """A prompt as the model takes it; no text in it can stand for a mark of the tokenizer."""
        marks = sorted(self.tokenizer.all_special_tokens, key=len, reverse=True)
        messages = [
            {"role": message["role"], "content": _unmarked(message["content"], marks)}
            for message in prompt
        ]
        if self.chats:
            return messages
        return "\n\n".join(message["content"] for message in messages) + "\n"

    def tokens(self, prompt: Conversation) -> list[int]:
        """Tokens of a prompt, as the trainer makes them.

        Raises:
            BadInput: If the chat template refuses the conversation.
        """
        turns = self.turns(prompt)
        if isinstance(turns, str):
            ids: list[int] = self.tokenizer(text=turns)["input_ids"]
            return ids
        try:
            made = self.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=True
            )
        except Exception as error:
            what = f"The chat template refuses a conversation: {error!s:.200}"
            fix = "Give the roles that the model knows, a user's message last."
            raise BadInput(what, str(self.folder), fix) from error
        ids = made["input_ids"]
        return ids

    def answers(
        self,
        prompts: Sequence[Conversation],
        n: int,
        temperature: float,
        max_tokens: int,
        seed: int,
    ) -> Iterator[list[str]]:
        """For each prompt in turn `n` answers; those of one depend on no other.

        Args:
            prompts: What is asked.
            n: Answers to each.
            temperature: Of the softmax that is drawn from; 0: the likeliest token is taken.
            max_tokens: Of an answer.
            seed: Of what is drawn.
        """
        device = next(self.model.parameters()).device
        devices = [device.index or 0] if device.type == "cuda" else []
        for prompt in prompts:
            ids = self.tokens(prompt)
            drawn = hashlib.sha256(f"{seed}\n{json.dumps(prompt)}".encode()).digest()
            with torch.random.fork_rng(devices), torch.no_grad(), quiet():
                torch.manual_seed(int.from_bytes(drawn[:7], "big"))
                rows = self._written(torch.tensor([ids], device=device), n, temperature, max_tokens)
            said: list[str] = self.tokenizer.batch_decode(
                rows[:, len(ids) :], skip_special_tokens=True
            )
            yield said if temperature else said * n

    def _written(self, ids: Tensor, n: int, temperature: float, max_tokens: int) -> Tensor:
        chosen: dict[str, object] = (
            {"do_sample": True, "temperature": temperature, "top_k": 0, "num_return_sequences": n}
            if temperature
            else {"do_sample": False}
        )
        learning = self.model.training
        self.model.eval()
        try:
            rows: Tensor = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=transformers().GenerationConfig(
                    **chosen,
                    max_new_tokens=max_tokens,
                    eos_token_id=self.model.generation_config.eos_token_id,
                    pad_token_id=self.model.generation_config.pad_token_id,
                ),
            )
        finally:
            self.model.train(learning)
        return rows

    def save(self, folder: Path) -> None:
        """Write the model with what it has learned, and its tokenizer, as any other opens."""
        whole = self.model
        if self.lora:
            whole = writing_model(self.folder).model
            with torch.no_grad():
                for name, layer in _adapters(self.model):
                    weight: Any = whole.get_submodule(name).weight
                    weight.add_(layer.get_delta_weight("default").to(weight))
        with quiet():
            whole.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        for path in folder.iterdir():
            path.chmod(0o644)

    def save_adapters(self, folder: Path) -> None:
        """Write the adapters in peft's form."""
        tensors = {
            "base_model.model." + name.replace(".default", ""): tensor
            for name, tensor in self.model.state_dict().items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        save_tensors(folder / "adapter_model.safetensors", tensors)
        told = {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": self.lora,
            "lora_alpha": round(ALPHA * self.lora), "lora_dropout": 0.0, "bias": "none",
            "target_modules": sorted({n.rpartition(".")[2] for n, _ in _adapters(self.model)}),
            "base_model_name_or_path": None, "inference_mode": True,
        }  # fmt: skip
        write_json(folder / "adapter_config.json", told)


def _unmarked(content: str, marks: Sequence[str]) -> str:
    content = content.encode(errors="replace").decode()  # no half surrogates
    for mark in marks:
        if len(mark) > 1:
            content = content.replace(mark, f"{mark[0]} {mark[1:]}")
    return content


def _adapters(model: Any) -> list[tuple[str, Any]]:
    """Names and layers that have adapters beside them."""
    with extra("llm"):
        from peft.tuners.lora import LoraLayer
    return [(name, part) for name, part in model.named_modules() if isinstance(part, LoraLayer)]


class Unadapted:
    """The model as it was before adapters learned, to be called like it."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, **inputs: Any) -> Any:
        """What the model says with its adapters left out; no gradient is kept."""
        layers = [layer for _, layer in _adapters(self._model)]
        for layer in layers:
            layer.enable_adapters(False)
        try:
            return self._model(**inputs)
        finally:
            for layer in layers:
                layer.enable_adapters(True)


def open_policy(name: str | Path, lora: int, seed: int) -> Policy:
    """A model of this machine, ready to learn.

    Args:
        name: What `packaged.locate` takes.
        lora: Rank of adapters; 0: all of the model learns.
        seed: Of the adapters.

    Raises:
        BadInput: If it is not there, cannot be read, or takes no adapters.
        ArtefactError: If weights are missing.
    """
    folder = locate(name)
    opened = writing_model(folder)
    model: Any = opened.model
    tokenizer: Any = opened.tokenizer
    named = model.generation_config.eos_token_id
    ends = [*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id]
    known = list(dict.fromkeys(int(end) for end in ends if end is not None))
    if not known:
        fix = "Give a model whose tokenizer names one."
        raise BadInput("No token of the model ends an answer.", str(folder), fix)
    if tokenizer.eos_token_id is None:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(known[0])
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    # Nothing else of what it came with shall decide how it answers.
    model.generation_config = transformers().GenerationConfig(
        eos_token_id=known, pad_token_id=tokenizer.pad_token_id
    )
    if lora:
        torch.manual_seed(seed)
        adapt(model, lora)
    tokenizer.padding_side = "left"
    identity = model_identity(folder)
    return Policy(model, tokenizer, folder, identity, opened.most_tokens, lora)
