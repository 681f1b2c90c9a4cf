"""tastemaker serve: a finished run behind HTTP, with a store of events."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from tastemaker.commands.terminal import plain
from tastemaker.commands.verbs import Later, Verb
from tastemaker.files import JsonObject
from tastemaker.options import Positional, Repeatable
from tastemaker.serve.limits import Limits
from tastemaker.threads import recorded


@dataclass(frozen=True)
class ServeOptions:
    """A server of a finished run."""

    run: Positional
    """run directory"""
    database: str = ""
    """store of events: a path, or postgresql+psycopg://user@host/name; default: RUN.store.sqlite"""
    host: str = "127.0.0.1"
    """address to listen at; the default is reached from this machine alone"""
    port: int = 8000
    """port to listen at; 0: any that is free"""
    hosts: Repeatable = ()
    """name that the server may be called by; default: those of this machine, or any with --keys"""
    keys: str = ""
    """file with a name and the sha256 of a key in each line: only these may ask"""
    experiment: str = ""
    """models that answer by turns of users, such as NAME=blend,sasrec or NAME=blend:0.9,sasrec:0.1;
    the first is the control; `tastemaker evaluate RUN --experiment NAME` says how it went"""
    picture_folder: str = ""
    """folder that paths of the catalogue's pictures begin in; default: that of the run's data"""
    picture_search: str = ""
    """run of `tastemaker embed train` by which items are found by words for their pictures"""
    limits: Limits = field(default_factory=Limits)


def serve(options: ServeOptions) -> JsonObject:
    """Serve recommendations over HTTP, keep the events that are told, until stopped."""
    from tastemaker.models.extras import extra

    with extra("serve"):
        from tastemaker.serve.experiments import Experiment
        from tastemaker.serve.key_file import KeyFile
        from tastemaker.serve.server import Place, serve

    place = Place(
        Path(options.run),
        options.database,
        options.host,
        options.port,
        options.hosts,
        options.limits,
        KeyFile.read(options.keys) if options.keys else None,
        Experiment.parse(options.experiment) if options.experiment else None,
        options.picture_folder,
        options.picture_search,
    )
    if not place.loopback and place.keys is None:
        _tell("Warning: everybody who can reach this address may read and erase; give --keys FILE.")
    serve(place, _tell)
    return {}


def _tell(line: str) -> None:
    print(plain(line), file=sys.stderr, flush=True)


def show_end(answer: JsonObject) -> None:
    """Nothing: what there was to say was said while it ran."""


VERBS: dict[str, Verb | Later] = {
    "serve": Verb(serve, ServeOptions, show_end, lambda asked: recorded(asked.run))
}
