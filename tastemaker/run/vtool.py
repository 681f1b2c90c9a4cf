"""Visual tool use from questions to a run directory: boxes, a measure, training, a measure, a page.

The folder is an artefact once `manifest.json` stands in it: until then it holds `config.json` and
checkpoints, from which `resume` goes on. A model that answers the held-out questions worse than
before is not kept.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tastemaker import artifacts, files, records
from tastemaker.config import environment, to_json
from tastemaker.files import JsonObject
from tastemaker.models.lora import adapt
from tastemaker.models.packaged import within_run
from tastemaker.models.tiny_tool_vlm import TinyTool, check_shape
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.reinforce.journal import METRICS, Journal
from tastemaker.reinforce.sandbox import Sandbox, open_sandbox
from tastemaker.reinforce.vtool import Beside, VToolConfig, room_for, speaking, teach
from tastemaker.reinforce.vtool_speaker import Speech, VisionSpeaker
from tastemaker.reinforce.vtool_warm import WarmConfig
from tastemaker.report.visual import write_page
from tastemaker.run.beginning import begin
from tastemaker.run.folder import RESULTS, only_writer
from tastemaker.run.reinforce import LIBRARIES
from tastemaker.run.reinforce_refusals import refuse_parted
from tastemaker.run.reinforce_results import verdict
from tastemaker.run.vtool_folder import BEFORE, BOXES, KIND, MODEL, TINY, WRITTEN, beside, finished
from tastemaker.run.vtool_questions import Asked, QuestionConfig, boxed, chosen
from tastemaker.run.vtool_results import (
    EXAMPLES,
    TOOL_MONITORS,
    asked,
    examples_of,
    mean,
    measured,
    warnings_of,
)
from tastemaker.run.vtool_start import START, started
from tastemaker.train.journal import LOG
from tastemaker.train.processes import processes
from tastemaker.train.stopping import Listener, listening

NAMES = {
    "step": "step",
    "loss": "loss",
    "reward": "reward",
    "visual/used": "used",
    "visual/unchanged": "unchanged",
    "visual/failed": "failed",
    "visual/rolled_back": "rolled_back",
    "kl": "kl",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "cut",
    "entropy": "entropy",
    "grad_norm": "gradient",
    "learning_rate": "lr",
    "step_time": "seconds",
}
"""The trainer's names → those of a line of `metrics.jsonl`."""


@dataclass(frozen=True)
class VisualConfig:
    """Everything that decides what a model learns."""

    model: str = TINY
    lora: int = 16
    """rank of adapters; 0: all of the model learns"""
    vtool: VToolConfig = field(default_factory=VToolConfig)
    questions: QuestionConfig = field(default_factory=QuestionConfig)
    tiny: TinyTool = field(default_factory=TinyTool)
    warm: WarmConfig = field(default_factory=WarmConfig)


def reinforce_vtool(config: VisualConfig, out: str = "", resume: bool = False) -> JsonObject:
    """Let a vision-language model learn when to edit an image, and write a run directory.

    Args:
        config: Which model, from what, and how.
        out: Folder; empty: `runs/vtool-MODEL`.
        resume: Go on with what was begun there.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    folder = Path(out or f"runs/vtool-{Path(config.model).name}")
    refuse_parted()
    if config.model == TINY:
        check_shape(config.tiny)
    opened = None if config.model == TINY else open_vision_model(within_run(config.model))
    if opened:
        speaking(opened, config.model)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(str(folder)))
        sandbox = stack.enter_context(open_sandbox(config.vtool.sandbox))
        if processes().is_main_process:
            stack.enter_context(only_writer(folder))
        job = _Job(config, folder, sandbox, opened)
        job.begin(resume)
        return job.run(listener)


class _Job:
    """One run, from its folder to its manifest."""

    def __init__(
        self, config: VisualConfig, folder: Path, sandbox: Sandbox, opened: VisionModel | None
    ) -> None:
        self.config, self.folder, self.sandbox, self.opened = config, folder, sandbox, opened
        self.state = processes()
        self.settled: JsonObject = {
            **to_json(config), "model_sha256": opened.identity if opened else TINY,
        }  # fmt: skip
        self.questions = Asked([], [])

    def begin(self, resume: bool) -> None:
        """Read the questions, then take the folder, or go on with it."""
        if not (self.folder / artifacts.MANIFEST).exists():
            self.questions = chosen(self.config.questions)
        begin(self.folder, self.settled, resume, lambda: environment(*LIBRARIES))

    def run(self, listener: Listener) -> JsonObject:
        """Train and measure, or say what was measured already."""
        if (self.folder / artifacts.MANIFEST).exists():
            return finished(self.folder)
        begun, config = time.monotonic(), self.config
        with self.state.main_process_first():
            told = _teller("read")
            self.questions = boxed(self.questions, config.questions, self.folder / BOXES, told)
            vision = self._model()
            before, shares = self._before(vision)
        self._train(vision, listener)
        if not self.state.is_main_process:
            return {"run": str(self.folder)}
        after, rights, shown = self._asked(vision, "after")
        lines = records.read(self.folder / METRICS)
        results: JsonObject = {
            "kind": KIND,
            "model": self._told_of(vision),
            "data": self._told_of_data(),
            "vtool": to_json(config.vtool),
            "before": before,
            "after": after,
            "training": {name: mean(lines, name) for name in TOOL_MONITORS},
            **verdict(shares, rights, "questions"),
            "examples": shown,
            **environment(*LIBRARIES),
            "seconds": round(time.monotonic() - begun, 1),
        }
        results["warnings"] = warnings_of(results, lines)
        self._keep(vision, results)
        return results | {"run": str(self.folder)}

    def _model(self) -> VisionModel:
        """The model that learns; of a tiny one what it was before is kept beside the run."""
        vision = self.opened
        if vision is None:
            config = self.config
            started(self.folder, config.tiny, config.warm, config.questions)
            vision = open_vision_model(self.folder / START)
        if self.config.lora:
            torch.manual_seed(self.config.vtool.learning.seed)
            adapt(vision.model, self.config.lora)
        vision.to(self.state.device)
        both = [*self.questions.train, *self.questions.held_out]
        room_for(vision, both, self.config.vtool.learning.max_tokens)
        return vision

    def _before(self, vision: VisionModel) -> tuple[JsonObject, list[float] | None]:
        """What the model can before; kept, since a resumed run tells it too."""
        if not self.state.is_main_process:
            return {}, None
        path = self.folder / BEFORE
        if not path.is_file():
            told, rights, _ = self._asked(vision, "before")
            files.write_json(path, {"told": told, "shares": rights})
        kept = files.read_json(path)
        return kept["told"], kept["shares"]

    def _asked(
        self, vision: VisionModel, when: str
    ) -> tuple[JsonObject, list[float] | None, list[JsonObject]]:
        config, held_out = self.config.vtool, self.questions.held_out
        if not held_out:
            return measured([]), None, []
        speech = Speech(config.learning.max_tokens, longest=0)
        speaker = VisionSpeaker(vision, speech)
        made, said = asked(
            speaker, held_out, self.sandbox, config.rollouts, config.rule, _teller(f"asked {when}")
        )
        told, rights = measured(said), [float(one.right) for one in said]
        LOG.info("accuracy %s: %.3f, tools in %.0f %%", when, told["accuracy"],
                 100 * told["tool_rate"])  # fmt: skip
        shown = []
        if when == "after":
            shown = examples_of(made, held_out, said, self.folder / EXAMPLES)
        return told, rights, shown

    def _train(self, vision: VisionModel, listener: Listener) -> None:
        from tastemaker.reinforce.checkpoints import TrainerCheckpoints, load_policy

        learning = self.config.vtool.learning
        kept = TrainerCheckpoints(self.folder, {"config": self.settled})
        total = learning.steps * learning.iterations
        shown = self.state.is_main_process
        journal = Journal(self.folder, total, shown, NAMES, ("reward", "used", "loss"))
        newest = kept.newest()
        journal.start(newest[1] if newest else 0)
        if newest and newest[1] == total:
            load_policy(vision, newest[0])
            return
        start = newest[0] if newest else None
        watched = Beside(self.folder, kept, start, journal.watch, lambda: listener.asked > 0)
        with journal, listener.patient():
            teach(vision, self.questions.train, self.sandbox, self.config.vtool, watched)

    def _told_of(self, vision: VisionModel) -> JsonObject:
        config = self.config
        return {
            "name": config.model,
            "sha256": vision.identity,
            "lora": config.lora,
            "tiny": config.model == TINY,
            "weights": sum(one.numel() for one in vision.parameters()),
        }

    def _told_of_data(self) -> JsonObject:
        asked = self.questions
        return {
            "name": self.config.questions.data,
            "train": len(asked.train),
            "held_out": len(asked.held_out),
            "boxed": asked.boxed,
        }

    def _keep(self, vision: VisionModel, results: JsonObject) -> None:
        """Write what was learned, if it is to be kept, the results and the page; then seal."""
        shutil.rmtree(self.folder / MODEL, ignore_errors=True)
        if results["kept"] != "no":
            files.make_folder(self.folder / MODEL)
            vision.save(self.folder / MODEL)
        elif self.config.model == TINY:
            shutil.copytree(self.folder / START, self.folder / MODEL)
        files.write_json(self.folder / RESULTS, results)
        write_page(self.folder)
        inside = [*WRITTEN, *beside(self.folder)]
        artifacts.seal(self.folder, KIND, {"model": self.config.model}, inside)


def _teller(what: str) -> Callable[[int, int], None]:
    """Says now and then how far some work has come."""
    spoke = time.monotonic()

    def told(done: int, many: int) -> None:
        nonlocal spoke
        if time.monotonic() - spoke > 30:
            spoke = time.monotonic()
            LOG.info("%s: %d of %d", what, done, many)

    return told
