"""Options of VRec."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, Self

from tastemaker.errors import BadInput

IDS = "semantic-ids.arrow"
"""File of a run that its semantic ids stand in."""
TITLES = "titles.safetensors"
"""File of a run that the tokens of its titles stand in."""
VERIFIERS = tuple(f"verifier-{number}.arrow" for number in range(16))
"""Files of a run that the groups of its verifiers stand in; there are no more of them."""
LANGUAGE = "language.json"
"""File of a run that says which model its adapters belong to."""
AUTO = "auto"
"""Verifiers that suit the data."""
NONE = "none"
"""No verifier, where a list cannot be empty."""
TEXT, CHOSEN = "text", "collaborative"
"""Groups of items whose texts are alike, and of those that the same users chose."""
CODES = "codes"
"""The language of semantic ids."""
_OF_CODES = ("dim", "layers", "heads", "dropout", "codes", "levels", "size")
"""Options of a model that is made for semantic ids; any other comes with its own sizes."""
_OF_TITLES = ("lora", "title_tokens", "language_lr")
"""Options of a model that was trained before, and reads titles."""


@dataclass(frozen=True)
class VRecConfig:
    """The language model, how it thinks, what checks it, and how it answers.

    Sizes are ours, for a CPU: the paper fine-tunes a language model of 1.5 billion parameters with
    one thought and two verifiers of 25 classes.
    """

    language: str = CODES
    """what is read and said: `codes`, semantic ids by a fresh model; or titles, by the causal
    language model of this name or path, such as smollm2"""
    lora: int = 0
    """rank of LoRA adapters beside such a model, which stays as it is; 0: all of it is trained"""
    title_tokens: int = 16
    """tokens of a title that such a model reads and says, at most."""
    language_lr: float = 0.1
    """such a model's part of the learning rate."""
    dim: int = 128
    """width D of the fresh model; like all down to `dropout`, `codes`, `levels` and `size`, for
    the language `codes` alone."""
    layers: int = 2
    """its blocks."""
    heads: int = 2
    """its attention heads; divides `dim`."""
    dropout: float = 0.5
    """share of what is read that is dropped in training."""
    history: int = 20
    """newest events of a user that are read."""
    targets: int = 20
    """events of a user that an epoch learns from, drawn anew in each; 0: all."""
    codes: str = "auto"
    """what semantic ids are made of: `words` (learnt from the catalogue's words), `events` (who was
    chosen with what), or the path of a JSON file of given codes; auto: words where there are any"""
    levels: int = 3
    """codes of an item; items that share all get one more."""
    size: int = 64
    """codes on each level."""
    thoughts: int = 2
    """N, thoughts before an answer; 0: none, and so nothing is checked."""
    thinking: Literal["attention", "constant"] = "attention"
    """what thoughts are: attention over what was read, or learnt vectors as a control"""
    newest: int = 0
    """columns that a thought reads; 0: all."""
    verifiers: tuple[str, ...] = (AUTO,)
    """groups that verifiers say: text, collaborative (chosen alike), random, or what the ground
    groups items by, such as category; auto: text, where items have any, and collaborative; `none`
    alone: thoughts are not checked"""
    classes: int = 25
    """clusters of text, collaborative and random, at most."""
    feedback: bool = True
    """draw thoughts to the prototypes of the groups; else verifiers only learn beside."""
    prototypes: bool = True
    """without them, an uncertain thought only shrinks."""
    beta: float = 1.0
    """β, weight of all that verifiers learn in the last stage."""
    gamma: float = 1.0
    """γ, weight of growing certainty in it, from one thought to the next."""
    verify_epochs: int = 10
    """epochs of the second stage, in which verifiers alone learn."""
    verify_lr: float = 1e-3
    """its learning rate."""
    joint_epochs: int = 15
    """epochs of the last stage, in which everything learns."""
    joint_lr: float = 3e-4
    """its learning rate."""
    beams: int = 50
    """beams by which a user's items are found, others standing below; 0: all items are scored."""
    certain: int = 0
    """first places, of as many as there are beams, that are surely those of all items: beams are
    doubled until they are."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        for name in ("dim", "layers", "heads", "history", "levels", "size", "classes",
                     "verify_epochs", "joint_epochs"):  # fmt: skip
            self._whole(name, 2 if name == "classes" else 1)
        for name in ("thoughts", "newest", "targets", "beams", "certain"):
            self._whole(name, 0)
        if self.dim % (2 * self.heads):
            self._refuse("dim", f"Choose a multiple of {2 * self.heads}, twice the heads.")
        self._whole("lora", 0, 1024)
        self._whole("title_tokens", 1, 512)
        self._own()
        if self.thinking not in ("attention", "constant"):
            self._refuse("thinking", "Known: attention, constant.")
        if not 0 <= self.dropout < 1:
            self._refuse("dropout", "Give a number from 0 to below 1.")
        for name in ("beta", "gamma", "verify_lr", "joint_lr", "language_lr"):
            if not 0 <= vars(self)[name] < math.inf:
                self._refuse(name, "Give 0 or a number above it.")
        self._checkable()

    def _checkable(self) -> None:
        """Refuse verifiers that cannot be meant."""
        given: object = self.verifiers  # whatever a caller gave
        if isinstance(given, str):
            self._refuse("verifiers", "Give a list of names.")
        if self.verifiers == (NONE,):
            object.__setattr__(self, "verifiers", ())
        if len(self.verifiers) > len(VERIFIERS):
            self._refuse("verifiers", f"Name at most {len(VERIFIERS)}.")
        if len(set(self.verifiers)) < len(self.verifiers):
            self._refuse("verifiers", "Name each of them once.")
        if len(self.verifiers) > 1 and not {AUTO, NONE}.isdisjoint(self.verifiers):
            self._refuse("verifiers", f"Give {AUTO} or {NONE} alone, or name them all.")

    def checks(self, texts: bool) -> tuple[str, ...]:
        """Verifiers that have something to check, where items have texts or not."""
        if not self.thoughts or self.verifiers != (AUTO,):
            return self.verifiers if self.thoughts else ()
        return (TEXT, CHOSEN) if texts else (CHOSEN,)

    def _whole(self, name: str, least: int, most: int = 0) -> None:
        """Refuse a size below the least, or so large that no machine holds the model."""
        most = most or (65_536 if name in ("dim", "heads", "size") else 1_000_000)
        value = vars(self)[name]
        if type(value) is not int or not least <= value <= most:
            self._refuse(name, f"Give a whole number from {least} to {most:,}.")

    def _own(self) -> None:
        """Refuse options that are set for the other language, where they would do nothing."""
        usual = {one.name: one.default for one in fields(self)}
        for name in _OF_TITLES if self.language == CODES else _OF_CODES:
            if vars(self)[name] != usual[name]:
                what = f"{name} = {vars(self)[name]} does nothing for language = {self.language}."
                raise BadInput(what, "model options", "Leave it out, or choose another language.")

    def _refuse(self, name: str, fix: str) -> None:
        what = f"{name} = {vars(self)[name]} cannot be built."
        raise BadInput(what, "model options", fix)

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same: no option depends on the size of a catalogue."""
        return self

    def foreign(self) -> dict[str, str]:
        """Option → the language model on this machine that it names."""
        return {} if self.language == CODES else {"language": self.language}
