"""Reinforcement from prompts to a run directory: votes before, training, accuracy after, a page.

The folder is an artefact once `manifest.json` stands in it: until then it holds `config.json` and
checkpoints, from which `resume` goes on. A model that answers the held-out prompts worse than
before is not kept: the folder says so, and holds no weights.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tastemaker import artifacts, files, records
from tastemaker.config import environment, to_json
from tastemaker.counts import counted
from tastemaker.files import JsonObject
from tastemaker.reinforce.journal import HELD_OUT, METRICS, Journal
from tastemaker.reinforce.learning import trainer_config
from tastemaker.reinforce.lesson import BASE, GOLD, SHARE, Lesson, Reader, rows_for, schedule
from tastemaker.reinforce.lesson import KIND as ANSWER_KIND
from tastemaker.reinforce.policy import Policy, open_policy
from tastemaker.reinforce.signals import LABELLED
from tastemaker.reinforce.untrained_votes import BaseVotes, Sampling, base_votes, shares_correct
from tastemaker.report.reinforcement import write_page
from tastemaker.run.beginning import begin
from tastemaker.run.folder import CONFIG, RESULTS, only_writer
from tastemaker.run.reinforce_refusals import refuse_idle, refuse_long
from tastemaker.run.reinforce_results import (
    KIND,
    Exercise,
    ReinforceConfig,
    read_shares,
    results_of,
    verdict,
    votes_told,
    warnings_of,
    weights_of,
)
from tastemaker.train.journal import LOG
from tastemaker.train.processes import processes
from tastemaker.train.stopping import Listener, listening

LIBRARIES = ("trl", "transformers", "peft", "math-verify")
"""What decides beside every run's own libraries what a model learns."""
MODEL, ADAPTER = "model", "adapter"
"""Folders of what has learned: the model as any other opens, and adapters alone."""
WRITTEN = (CONFIG, METRICS, RESULTS, "report.html")
"""What every finished folder consists of, beside them."""
ASKS_BASE = {"restrain", "srt-majority", "srt-easy"}
"""Signals that need the votes of the untrained model."""


def reinforce(
    config: ReinforceConfig,
    prompts: Exercise,
    held_out: Exercise | None,
    read: Reader,
    out: str = "",
    resume: bool = False,
) -> JsonObject:
    """Let a model learn from its own answers, and write a run directory.

    Args:
        config: Which model, and how.
        prompts: To learn from; known answers are read by a signal that has labels alone.
        held_out: To measure by, all with answers; None: the model is kept unchecked.
        read: Finds the answers in what is written.
        out: Folder; empty: `runs/reinforce-SIGNAL-MODEL`.
        resume: Go on with what was begun there.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    folder = Path(out or f"runs/reinforce-{config.signal}-{Path(config.model).name}")
    refuse_idle(config, prompts, held_out)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(str(folder)))
        job = _Job(config, prompts, held_out, read, folder)
        if processes().is_main_process:
            stack.enter_context(only_writer(folder))
        job.begin(resume)
        return job.run(listener)


class _Job:
    """One run, from its folder to its manifest."""

    def __init__(
        self,
        config: ReinforceConfig,
        prompts: Exercise,
        held_out: Exercise | None,
        read: Reader,
        folder: Path,
    ) -> None:
        self.config, self.prompts, self.held_out = config, prompts, held_out
        self.read, self.folder = read, folder
        self.state = processes()
        self.policy: Policy = open_policy(config.model, config.lora, config.learning.seed)
        self.policy.model.to(self.state.device)
        self.settled: JsonObject = {
            **to_json(config),
            "model_sha256": self.policy.identity,
            "prompts": {"name": prompts.name, "sha256": prompts.sha256},
            "held_out": held_out and {"name": held_out.name, "sha256": held_out.sha256},
        }

    def begin(self, resume: bool) -> None:
        """Take the folder, or go on with it."""
        for exercise in filter(None, (self.prompts, self.held_out)):
            refuse_long(exercise, self.policy, self.config.learning.max_tokens)
        begin(self.folder, self.settled, resume, lambda: environment(*LIBRARIES))

    def run(self, listener: Listener) -> JsonObject:
        """Train and measure, or say what was measured already."""
        if (self.folder / artifacts.MANIFEST).exists():
            return finished(self.folder)
        begun = time.monotonic()
        with self.state.main_process_first():
            votes = self._base_votes()
            before = self._accuracy("before")
        self._train(votes, listener)
        if not self.state.is_main_process:
            return {"run": str(self.folder)}
        after = self._accuracy("after")
        results = {
            **results_of(self.config, self.policy, self.prompts, self.held_out),
            **votes_told(votes, self.config),
            **verdict(before, after),
            **environment(*LIBRARIES),
            "seconds": round(time.monotonic() - begun, 1),
        }
        lines = records.read(self.folder / METRICS)
        results["warnings"] = warnings_of(results, lines, self.config)
        self._keep(results)
        return results | {"run": str(self.folder)}

    def _sampling(self, n: int, temperature: float) -> Sampling:
        learning = self.config.learning
        return Sampling(n, temperature, learning.max_tokens, learning.seed)

    def _base_votes(self) -> list[BaseVotes] | None:
        """What the untrained model says, where the signal asks for it."""
        if self.config.signal not in ASKS_BASE:
            return None
        many, said = len(self.prompts.asked), time.monotonic()

        def told(done: int) -> None:
            nonlocal said
            if time.monotonic() - said > 60:
                said = time.monotonic()
                LOG.info("votes of the untrained model: %d of %s", done, counted(many, "prompt"))

        sampling = self._sampling(self.config.base_n, self.config.learning.temperature)
        return base_votes(
            self.policy, self.prompts.asked, self.prompts.kinds, sampling, self.read, told
        )

    def _accuracy(self, when: str) -> list[float] | None:
        """Share of correct answers to each held-out prompt; kept, since a resumed run needs it."""
        if self.held_out is None or not self.state.is_main_process:
            return None
        path = self.folder / f"accuracy-{when}.json"
        if path.is_file():
            return read_shares(path, len(self.held_out.prompts))
        shares = self._shares(self.held_out)
        files.write_json(path, {"shares": shares})
        LOG.info("accuracy %s: %.3f", when, sum(shares) / len(shares))
        return shares

    def _shares(self, held_out: Exercise) -> list[float]:
        sampling = self._sampling(self.config.held_out_n, self.config.held_out_temperature)
        golds = [answer or "" for answer in held_out.answers]
        return shares_correct(
            self.policy, held_out.asked, golds, held_out.kinds, sampling, self.read
        )

    def _watched(self, line: Mapping[str, float]) -> Mapping[str, float]:
        """What was measured at a step and, where that is due, accuracy as it stands."""
        every, step = self.config.check_every, int(line["step"])
        if self.held_out is None or not every or step % every:
            return line
        shares = self._shares(self.held_out)
        return {**line, HELD_OUT: sum(shares) / len(shares)}

    def _train(self, votes: list[BaseVotes] | None, listener: Listener) -> None:
        from tastemaker.reinforce.checkpoints import TrainerCheckpoints, load_policy
        from tastemaker.reinforce.grpo import RestrainTrainer

        config, learning = self.config, self.config.learning
        weights, known = self._columns(votes)
        order = schedule(
            len(self.prompts.asked), learning.steps * learning.prompts_per_step, learning.seed
        )
        rows = rows_for(self.policy, self.prompts.asked, config.signal, weights, known)
        kept = TrainerCheckpoints(self.folder, {"config": self.settled})
        total = learning.steps * learning.iterations
        shown = self.state.is_main_process
        journal = Journal(self.folder, total, shown)
        lesson = Lesson(
            config.signal, config.signals, self.read, learning.beta,
            lambda line: journal.watch(self._watched(line)),
            lambda: listener.asked > 0,
        )  # fmt: skip
        newest = kept.newest()
        journal.start(newest[1] if newest else 0)
        if newest and newest[1] == total:
            load_policy(self.policy, newest[0])
            return
        cpu = self.state.device.type == "cpu"
        args = trainer_config(learning, self.folder, self.state.num_processes, cpu)
        with journal, listener.patient():
            trainer = RestrainTrainer(self.policy, args, rows.select(order), lesson, kept)
            trainer.learn(newest[0] if newest else None)

    def _columns(
        self, votes: list[BaseVotes] | None
    ) -> tuple[list[float] | None, dict[str, Sequence[object]]]:
        """Prompt weights and known answers, as far as the signal reads them."""
        known: dict[str, Sequence[object]] = {ANSWER_KIND: self.prompts.kinds}
        if self.config.signal in LABELLED:
            known[GOLD] = self.prompts.answers
        if votes is None:
            return None, known
        if self.config.signal == "restrain":
            return weights_of(votes, self.config), known
        known[BASE] = [vote.answer for vote in votes]
        known[SHARE] = [vote.votes / self.config.base_n for vote in votes]
        return None, known

    def _keep(self, results: JsonObject) -> None:
        """Write what was learned, if it is to be kept, the results and the page; then seal."""
        for name in (MODEL, ADAPTER):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        if results["kept"] != "no":
            self.policy.save(self.folder / MODEL)
            if self.config.lora:
                self.policy.save_adapters(self.folder / ADAPTER)
        files.write_json(self.folder / RESULTS, results)
        write_page(self.folder)
        inside = [*WRITTEN, *_learned(self.folder)]
        artifacts.seal(self.folder, KIND, {"signal": self.config.signal}, inside)


def finished(run: Path) -> JsonObject:
    """What a finished reinforcement tells, and the path of its folder.

    Raises:
        ArtefactError: If the folder is no such thing, or not as it was written.
    """
    artifacts.verify(run, KIND, WRITTEN, _learned(run))
    return files.read_json(run / RESULTS) | {"run": str(run)}


def _learned(run: Path) -> list[str]:
    """Names of the files of what was learned, where it was kept."""
    folders = [folder for folder in (run / MODEL, run / ADAPTER) if folder.is_dir()]
    return [f"{one.name}/{path.name}" for one in folders for path in sorted(one.iterdir())]
