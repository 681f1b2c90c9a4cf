"""One federation, from its folder to its manifest, whoever carries the messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from tastemaker import artifacts, files
from tastemaker.config import environment, to_json
from tastemaker.data.labelled import Labelled
from tastemaker.federate.classifiers import Classifier
from tastemaker.federate.rounds import AUDIT, METRICS, Federated, Federation, Parties, Watch
from tastemaker.files import JsonObject
from tastemaker.report.federation import write_page
from tastemaker.run.beginning import taken
from tastemaker.run.federate_opened import MODEL, Saved, save_classifier
from tastemaker.run.federate_parts import Parts
from tastemaker.run.federate_results import (
    KIND,
    FederateConfig,
    RoundsConfig,
    results_of,
    warnings_of,
)
from tastemaker.run.folder import CONFIG, ITEMS, RESULTS, only_writer
from tastemaker.seams import Engine
from tastemaker.train.bar import Bar
from tastemaker.train.stopping import listening
from tastemaker.weights import WEIGHTS

SECRET = "noise.secret"
"""What noise is drawn from, in the folder while it trains; then nobody can take the noise off."""
Train = Callable[[Path, Watch], Federated]
"""Goes through all rounds, or those that are left, with the lines and checkpoints in a folder."""
Finish = Callable[[Path, Federated], JsonObject]
"""Writes the trained model into a folder, and gives what is told of the run."""


class Job:
    """What is federated, and where it is kept."""

    def __init__(self, config: FederateConfig, data: Labelled, parts: Parts, out: str) -> None:
        """Build the model; nothing is written yet.

        Args:
            config: How.
            data: What the server sees of it.
            parts: Who holds what.
            out: Folder; empty: `runs/federate-METHOD-DATA`.
        """
        self.config, self.data, self.parts = config, data, parts
        settled = {**to_json(config), "data_sha256": data.sha256}
        self.work = Work(config, folder_of(config, Path(data.name).stem, out), settled)
        shape, sizes = config.shape(data), data.inputs.shape[1:]
        self.saved = Saved(shape, tuple(sizes), data.form, parts.scaling)
        with torch.random.fork_rng():
            torch.manual_seed(config.federation.local.seed)
            self.model = Classifier(shape, sizes, len(data.classes))

    def federation(self, engine: Engine, caps: Mapping[str, int]) -> Federation:
        """A federation of the model.

        Args:
            engine: What carries the messages.
            caps: Client → most examples that it may claim.

        Raises:
            BadInput: If there is no auxiliary set where one is needed.
        """
        evaluate = self.parts.evaluate(len(self.data.classes))
        parties = Parties(engine, caps, evaluate, self.parts.auxiliary, self.work.secret)
        return Federation(self.model, self.config.method, parties, self.config.federation)

    def run(self, resume: bool, train: Train) -> JsonObject:
        """Train, measure and keep; or say what was measured already.

        Args:
            resume: Go on with what was begun in the folder.
            train: Trains the model.

        Returns:
            The contents of `results.json`, and `run`, the path of the folder.
        """
        return self.work.run(resume, train, self._finish)

    def _finish(self, folder: Path, done: Federated) -> JsonObject:
        """Keep the model, and say how good it is."""
        results = results_of(self.config, self.data, self.parts, self.model, done.history)
        save_classifier(folder, self.model, self.saved)
        return results


class Work:
    """A federation and its folder, whatever it learns."""

    def __init__(self, config: RoundsConfig, folder: Path, settled: JsonObject) -> None:
        """Nothing is written yet.

        Args:
            config: How.
            folder: Of the run.
            settled: JSON values that must be the same when it is resumed.
        """
        self.config, self.folder, self.settled = config, folder, settled
        path = folder / SECRET
        self.secret = path.read_text() if path.is_file() else secrets.token_hex(32)

    def run(self, resume: bool, train: Train, finish: Finish) -> JsonObject:
        """Train, measure and keep; or say what was measured already.

        Args:
            resume: Go on with what was begun in the folder.
            train: Trains the model.
            finish: Keeps it, and measures.

        Returns:
            The contents of `results.json`, and `run`, the path of the folder.
        """
        folder, settled = self.folder, self.settled
        with ExitStack() as stack:
            stack.enter_context(listening(str(folder)))
            fresh = taken(folder, settled, resume)
            stack.enter_context(only_writer(folder))
            if fresh:
                files.write_text(folder / SECRET, self.secret)
                (folder / SECRET).chmod(0o600)
                files.write_json(folder / CONFIG, settled | environment())
            elif (folder / artifacts.MANIFEST).exists():
                artifacts.verify(folder, KIND)
                return files.read_json(folder / RESULTS) | {"run": str(folder)}
            began = time.monotonic()
            with Bar("round", self.config.federation.rounds) as bar:
                done = train(folder, lambda line: bar.at(line["round"], _said(line)))
            results = finish(folder, done)
            results["warnings"] = warnings_of(results, self.config)
            results["seconds"] = round(time.monotonic() - began, 1)
            results["cpu_seconds"] = round(done.cpu_seconds, 1)
            (folder / SECRET).unlink(missing_ok=True)
            keep(folder, results | environment())
            return files.read_json(folder / RESULTS) | {"run": str(folder)}


def folder_of(config: RoundsConfig, data: str, out: str) -> Path:
    """Where a run is written: `out`, or where that is empty a name of its own."""
    return Path(out or f"runs/federate-{type(config.method).__name__.lower()}-{data}")


def keep(folder: Path, results: JsonObject) -> None:
    """Write results and page of a run; then seal it."""
    files.write_json(folder / RESULTS, results)
    write_page(folder)
    inside = [CONFIG, METRICS, RESULTS, MODEL, WEIGHTS, "report.html"]
    inside += [name for name in (AUDIT, ITEMS) if (folder / name).exists()]
    artifacts.seal(folder, KIND, {"method": results["method"]["kind"]}, inside)


def report(run: Path) -> JsonObject:
    """Write the page of a finished federation again, and return what it tells.

    Raises:
        ArtefactError: If no finished federation stands there.
    """
    artifacts.verify(run, KIND)
    results = files.read_json(run / RESULTS)
    keep(run, results)
    return results | {"run": str(run)}


def _said(line: Mapping[str, Any]) -> str:
    """What a person wants to know of a round while it goes on."""
    told = [f"accuracy {line['accuracy']:.3f}"]
    if (gain := line.get("ndcg@10")) is not None:
        told = [f"HR@10 {line['accuracy']:.3f}", f"NDCG@10 {gain:.3f}"]
    if (worst := line.get("worst_class")) is not None:
        told.append(f"worst class {worst:.3f}")
    if line["rejected"]:
        told.append(f"{len(line['rejected'])} rejected")
    if line["status"] == "failed":
        told.append("no quorum")
    return ", ".join(told)
