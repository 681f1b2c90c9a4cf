"""A server as a process: it opens a run and a store, says where it listens, and ends in order.

SIGTERM and Ctrl-C: no new connections, requests in progress are answered, exit code 0. When another
run stands in the folder, or on SIGHUP, it is opened and takes the old run's place if it is sound.
"""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
import uvloop

from tastemaker.errors import BadInput, TastemakerError
from tastemaker.serve.app import create_app
from tastemaker.serve.connections import Timely
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.limits import Limits
from tastemaker.serve.logs import frames, say, written
from tastemaker.serve.looks import Looks
from tastemaker.serve.noticing import noticing
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store, beside_run

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""Names of a server that only its own machine can reach."""
BACKLOG = 2048
"""Connections that the system holds until they are taken."""
SWITCH = 0.0005
"""Seconds after which a thread lets another one run, where it holds the interpreter."""
GRACE = 10
"""Seconds in which requests in progress are answered once the server is to end."""


@dataclass(frozen=True)
class Place:
    """Where a server listens, and what it serves.

    Raises:
        BadInput: If the port is none.
    """

    run: Path
    database: str = ""
    """URL of the store; empty: a file beside the run"""
    host: str = "127.0.0.1"
    port: int = 8000
    """0: any that is free"""
    hosts: Collection[str] = ()
    """names it may be called by; none given: those of this machine where it listens on loopback
    without keys, else any"""
    limits: Limits = field(default_factory=Limits)
    keys: KeyFile | None = None
    experiment: Experiment | None = None
    """that decides which model answers a user"""
    picture_folder: str = ""
    """where paths of the catalogue's pictures begin; empty: where the run's data were"""
    picture_search: str = ""
    """run of `tastemaker embed train` by which items are found by their pictures; empty: none"""

    def __post_init__(self) -> None:
        """Refuse what is no port."""
        if not 0 <= self.port < 65_536:
            what = f"port = {self.port} is no port."
            raise BadInput(what, "--port", "Give a number from 0 to 65535.")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def called(self) -> Collection[str]:
        """Names it may be called by; none: any."""
        return self.hosts or (LOCAL if self.loopback and self.keys is None else ())

    @property
    def store(self) -> str:
        """URL of the store."""
        return self.database or beside_run(self.run)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that what is wrong with the address is said before the run opens.

    Raises:
        BadInput: If the address cannot be listened at.
    """
    bound = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        if bound is not None:
            bound.close()
        what = f"The server cannot listen at {host}, port {port}: {error.strerror or error}."
        raise BadInput(what, "--host, --port", "Choose another address or port.") from None
    return bound


def serve(place: Place, tell: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Args:
        place: Where, and what.
        tell: Shows a line to who started it.

    Raises:
        BadInput: If the address cannot be listened at, or the URL of the store is none.
        ArtefactError: If there is no finished run, or it is damaged.
        Unavailable: If the database does not answer.
    """
    bound = listening_socket(place.host, place.port)
    try:
        run = Opened.open(place.run, place.picture_folder)
        looks = Looks.by(place.picture_search) if place.picture_search else None
        if looks:
            tell(f"Pictures to search: {looks.prepare(run):,}")
        with Store.open(place.store) as store, written():
            service = Service(run, store, place.limits, place.experiment, looks)
            settle()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serving(service, place, bound, tell))
    finally:
        bound.close()


def settle() -> None:
    """Ready the interpreter for many short requests beside a thread that computes.

    What stands now stays until the end, so the collector need not look at it again and again; and
    the thread that ranks hands over within half a millisecond to the one that talks to clients.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH)


async def _serving(
    service: Service, place: Place, bound: socket.socket, tell: Callable[[str], None]
) -> None:
    app = create_app(service, place.keys, place.called)
    config = uvicorn.Config(
        app,
        access_log=False,  # it would name users
        log_config=None,
        log_level=logging.ERROR,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
        ws="none",
        http=Timely,
    )
    server = _Quiet(config)
    loop, again = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, server)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    watching = asyncio.gather(
        reopening(service, place.run, again),
        noticing(place.run, lambda: service.run.version, again),
        service.prepare(),
    )
    bound.listen(BACKLOG)
    host, port = bound.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    try:
        starting = asyncio.create_task(server.serve([bound]))
        while not server.started and not starting.done():
            await asyncio.sleep(0.01)
        if server.started:
            say("ready", version=service.run.version, model=service.run.model)
            tell(f"Serving {service.run.version} at http://{shown}:{port} (Ctrl-C ends it)")
        await starting
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    say("ended")


class _Quiet(uvicorn.Server):
    """A server whose signals are heard by who runs it, and not raised again at its end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _end(server: uvicorn.Server) -> None:
    server.should_exit = True


async def reopening(service: Service, run: Path, again: asyncio.Event) -> None:
    """Open the run again whenever that is asked for; what is not sound is refused in the log."""
    while True:
        await again.wait()
        again.clear()
        try:
            await service.swap(run)
        except TastemakerError as error:
            say("swap refused", logging.ERROR, kind=type(error).__name__, what=error.what)
        except Exception as error:  # whatever it is, the next run is looked at all the same
            say("swap failed", logging.ERROR, kind=type(error).__name__, where=frames(error))
