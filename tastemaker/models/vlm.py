"""A vision-language model of this machine: its states, its loss over answers, what it writes.

Rows are padded on the right; what stands beside a row, or pads it, changes none of its states by
more than rounding. A model without a chat template reads plain text, as `vlm_prompts` has it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.models.encode import within
from tastemaker.models.extras import quiet, transformers
from tastemaker.models.identity import model_identity
from tastemaker.models.library import guarded
from tastemaker.models.lora import adapted, worked_in
from tastemaker.models.packaged import locate, refuse_unsound
from tastemaker.models.picture_processor import PictureProcessor
from tastemaker.models.vision_library import vision_folder
from tastemaker.models.vlm_prompts import Prompts
from tastemaker.models.vlm_rows import Asked, Picture, Rows
from tastemaker.models.vlm_writing import Drawn, forget, left_padded

__all__ = ["Asked", "Picture", "Rows", "VisionModel", "open_vision_model"]

_WRITTEN = 32  # answers that are written together


class VisionModel(nn.Module):
    """A model with its processor.

    Args:
        model: A `*ForConditionalGeneration` of transformers.
        processor: Its processor.
        most_tokens: That it can read and write together.
        identity: Hex sha256 that names what it was made of.
        where: Its folder or name, for messages.

    Raises:
        BadInput: If its template takes no picture, or no token ends an answer.
    """

    def __init__(
        self, model: Any, processor: PictureProcessor, most_tokens: int, identity: str, where: str
    ) -> None:
        super().__init__()
        self.model, self.processor = model, processor
        self.most_tokens, self.identity, self._where = most_tokens, identity, where
        named = model.generation_config.eos_token_id
        ends = named if isinstance(named, list) else [named]
        self.prompts = Prompts(processor, ends, most_tokens, where)
        # Nothing else of what it came with shall decide how it answers.
        model.generation_config = transformers().GenerationConfig(
            eos_token_id=self.prompts.ends, pad_token_id=self.prompts.padding
        )
        text = model.config.get_text_config()
        self.dim: int = int(text.hidden_size)
        """d, width of a state"""
        self.mark: int = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
        """token that stands where a feature of a picture is put"""
        self.plain_head = True
        """whether its logits are its head's of its last states, and no more"""
        self._takes = set(inspect.signature(model.model.forward).parameters)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        weight: Tensor = self.model.get_input_embeddings().weight
        return weight.device

    @property
    def tower(self) -> nn.Module:
        """What reads pictures, without what carries its states over to the language model."""
        tower: nn.Module = self.model.get_encoder(modality="image")
        return tower

    @property
    def picture_side(self) -> int:
        """Pixels of a side that a square picture is best given in."""
        return self.processor.side

    @property
    def image_tokens(self) -> int:
        """Features, and so marks in a row, of a square picture of `picture_side`."""
        blank = np.zeros((self.picture_side, self.picture_side, 3), np.uint8)
        return self.processor.prepared([blank])[1][0].count(self.processor.image_token)

    def speak(self, template: str) -> None:
        """Take another template of chats; it is saved with the model."""
        self.processor.speak(template)
        self.prompts = Prompts(self.processor, self.prompts.ends, self.most_tokens, self._where)

    def rows(self, asked: Sequence[Asked], prompt_ends: bool = True) -> Rows:
        """Rows of turns, on this model's device.

        Args:
            asked: Turns; of those with an answer, it alone and the mark of its end are learned.
            prompt_ends: Whether a row without an answer ends in the mark after which the model
                answers.

        Raises:
            BadInput: If one is longer than the model reads; names the row and both numbers.
        """
        return self.prompts.rows(asked, prompt_ends).to(self.device)

    def features(self, rows: Rows) -> Any | None:
        """Features of the pictures of rows, to give to several forward passes.

        None: there are no pictures, or the model takes none that were made before.
        """
        if not rows.pictures or "mm_encoder_outputs" not in self._takes:
            return None
        pictures = self._moved(rows.pictures)
        made = self.model.model.get_image_features(**pictures, return_dict=True)
        return {"image": made}

    def inputs(self, rows: Rows, features: Any | None = None) -> dict[str, Any]:
        """Arguments of the model for rows, their pictures by features that were made before."""
        inputs = self._inputs(rows.tokens, rows.mask) | self._moved(rows.pictures)
        if features is not None:
            inputs.pop("pixel_values", None)
            inputs["mm_encoder_outputs"] = dict(features)
        return inputs | {"use_cache": False}

    def states(self, rows: Rows, features: Any | None = None) -> Tensor:
        """(B, L, d) last hidden states; those of padding mean nothing.

        Args:
            rows: B rows.
            features: Of their pictures, as `features` made them; None: they are made.
        """
        states: Tensor = self.model.model(**self.inputs(rows, features)).last_hidden_state
        return states

    def answer_loss(self, rows: Rows, features: Any | None = None) -> tuple[Tensor, Tensor]:
        """Sum of cross-entropies of the tokens that are learned, and their number.

        Logits are made where a token is learned, and nowhere else.

        Args:
            rows: B rows.
            features: Of their pictures, as `features` made them; None: they are made.
        """
        learned = rows.learned[:, 1:]
        if self.plain_head:
            logits = self._head(self.states(rows, features)[:, :-1][learned])  # (n, V)
        else:
            logits = self.model(**self.inputs(rows, features)).logits[:, :-1][learned]
        loss = F.cross_entropy(logits.float(), rows.tokens[:, 1:][learned], reduction="sum")
        return loss, learned.sum()

    @torch.no_grad()
    def says_plainly(self) -> bool:
        """Whether logits are its head's of its last states and no more: a small turn is read."""
        rows = self.rows([Asked("a", np.zeros((32, 32, 3), np.uint8))])
        logits = self.model(**self.inputs(rows)).logits
        said = self._head(self.states(rows))
        return torch.allclose(said, logits, rtol=0, atol=1e-4 * max(float(logits.abs().max()), 1.0))

    def _head(self, states: Tensor) -> Tensor:
        logits: Tensor = self.model.get_output_embeddings()(states)
        return logits

    def room(self, asked: Asked) -> int:
        """Tokens that can be written behind a turn."""
        return self.most_tokens - len(self.prompts.read([Asked(asked.text, asked.picture)])[0][0])

    def write(
        self, asked: Sequence[Asked], max_tokens: int = 64, temperature: float = 0.0, seed: int = 0
    ) -> list[str]:
        """An answer to each turn; it depends on no other.

        Args:
            asked: Turns; answers that stand there are not read.
            max_tokens: Of an answer.
            temperature: Of the softmax that is drawn from; 0: the likeliest token is taken.
            seed: Of what is drawn.

        Raises:
            BadInput: If a turn with `max_tokens` is longer than the model takes.
        """
        within("max_tokens", max_tokens, 1, self.most_tokens)
        bare = [Asked(one.text, one.picture) for one in asked]
        order = sorted(range(len(bare)), key=lambda row: len(bare[row].text))
        answers = [""] * len(bare)
        learning = self.model.training
        self.model.eval()
        try:
            for start in range(0, len(order), _WRITTEN):
                some = order[start : start + _WRITTEN]
                guide = Drawn([bare[row] for row in some], temperature, seed)
                prompts, _, pictures = self.prompts.read(
                    [bare[row] for row in some], True, max_tokens, some
                )
                said = self.continued(prompts, pictures, max_tokens, guide)
                for row, text in zip(some, said, strict=True):
                    answers[row] = text
        finally:
            self.model.train(learning)
        return answers

    @torch.no_grad()
    def continued(
        self,
        prompts: Sequence[Sequence[int]],
        pictures: Mapping[str, Tensor],
        max_tokens: int,
        guide: Drawn,
    ) -> list[str]:
        """What comes behind each of some prompts, as it stands: in evaluation mode or not.

        Args:
            prompts: Their tokens.
            pictures: Arguments of the model, in their order.
            max_tokens: Of an answer.
            guide: Chooses tokens.
        """
        tokens, mask = left_padded(prompts, self.prompts.padding)
        inputs = self._inputs(tokens.to(self.device), mask.to(self.device))
        held = self._moved(pictures)
        library, width = transformers(), tokens.shape[1]
        forget(self.model)
        with quiet():
            rows: Tensor = self.model.generate(
                **inputs, **held,
                generation_config=library.GenerationConfig(
                    do_sample=False, max_new_tokens=max_tokens, use_cache=True,
                    eos_token_id=self.prompts.ends, pad_token_id=self.prompts.padding,
                ),
                logits_processor=library.LogitsProcessorList([guide]),
            )  # fmt: skip
        said: list[str] = self.processor.tokenizer.batch_decode(
            rows[:, width:], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return said

    def _inputs(self, tokens: Tensor, mask: Tensor) -> dict[str, Any]:
        inputs: dict[str, Any] = {"input_ids": tokens, "attention_mask": mask.long()}
        if "mm_token_type_ids" in self._takes:
            inputs["mm_token_type_ids"] = (tokens == self.mark).long()
        return inputs

    def _moved(self, pictures: Mapping[str, Tensor]) -> dict[str, Any]:
        dtype = self.model.dtype
        return {
            name: one.to(self.device, dtype if one.is_floating_point() else one.dtype)
            for name, one in pictures.items()
        }

    def save(self, folder: Path) -> None:
        """Write the model, adapters worked in, and its processor, as transformers reads them."""
        with quiet():
            whole = {"state_dict": worked_in(self.model)} if adapted(self.model) else {}
            self.model.save_pretrained(folder, **whole)
        self.processor.save(folder)
        for path in folder.iterdir():
            path.chmod(0o644)


def open_vision_model(name: str | Path, dtype: torch.dtype = torch.float32) -> VisionModel:
    """A vision-language model of this machine, in evaluation mode.

    Args:
        name: What `packaged.locate` takes: a folder, or a name in the hub cache.
        dtype: Of its weights.

    Raises:
        BadInput: If it is not there, is of another kind, or cannot be read.
        ArtefactError: If weights are missing from its files, or it is of a run that has not ended
            or was changed.
    """
    folder = locate(name)
    refuse_unsound(folder)
    opened = vision_folder(folder, dtype)
    identity = model_identity(folder)
    with guarded(folder):
        model = VisionModel(
            opened.model, opened.processor, opened.most_tokens, identity, str(folder)
        ).eval()
        model.plain_head = model.says_plainly()
    return model
