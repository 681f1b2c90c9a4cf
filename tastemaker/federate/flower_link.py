"""Flower's SuperLink inside the server's own process: its Fleet routes over HTTP, and no others.

`flower-superlink` as a command also opens, at the same port, the routes by which anybody may have
it run a program. Here there are only those by which a node with a known key fetches messages and
brings replies. It is a grid for `FlowerEngine`, whose state need not outlive the process: what a
round depends on is in the federation's own checkpoint.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from flwr.app import Error, Message
from flwr.app.message import make_message, remove_content_from_message
from flwr.common.constant import (
    NOOP_ACCOUNT_NAME,
    NOOP_FLWR_AID,
    SUPERLINK_NODE_ID,
    ErrorCode,
)
from flwr.server.superlink.linkstate.in_memory_linkstate import InMemoryLinkState
from flwr.supercore.constant import NOOP_FEDERATION_ID, TaskType
from flwr.supercore.error import http_error_translator
from flwr.supercore.inflatable.inflatable_object import (
    get_all_nested_objects,
    get_object_tree,
    iterate_object_tree,
    no_object_id_recompute,
)
from flwr.supercore.inflatable.inflatable_utils import inflate_object_from_contents
from flwr.supercore.object_store import ObjectStoreFactory
from flwr.supercore.protobuf.translation import ProtobufTranslationMiddleware
from flwr.supercore.task_identity import TaskIdentity
from flwr.superlink.federation import NoOpFederationManager
from flwr.superlink.routers.fleet.node_auth import NodeAuthMiddleware
from flwr.superlink.routers.fleet.router import router
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware

from tastemaker.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

LOG = logging.getLogger(__name__)
_LARGEST = 2**24
"""Bytes of one request; Flower cuts arrays into pieces of a third of that."""
_BEAT = 10.0
"""Seconds between two signs of life that keep the run open."""


class _State(InMemoryLinkState):
    """Flower's state, in which a client that was killed may come back before it was missed."""

    def activate_node(self, node_id: int, heartbeat_interval: float) -> bool:
        """Take a node as new, whatever it was."""
        self.deactivate_node(node_id)
        return super().activate_node(node_id, heartbeat_interval)

    def state(self) -> InMemoryLinkState:
        """Itself, where Flower asks a factory for it."""
        return self


class Link:
    """What listens for nodes, and a grid to reach them; a context manager."""

    def __init__(
        self,
        keys: Mapping[str, bytes],
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: Path | None = None,
        private_key: Path | None = None,
    ) -> None:
        """Take who may come in; nothing listens yet.

        Args:
            keys: Client → public key of its node, as PEM.
            host: Address to listen at.
            port: 0: any that is free.
            certificate: PEM file of the server's certificate; None: no TLS.
            private_key: PEM file of its key.
        """
        self._state = _State(NoOpFederationManager(), ObjectStoreFactory().store())
        self.nodes = {
            client: self._state.create_node(NOOP_FLWR_AID, NOOP_ACCOUNT_NAME, key, 0)
            for client, key in keys.items()
        }
        """client → id of its node"""
        self.place, self.certificate, self.private_key = (host, port), certificate, private_key
        self.run, self._task = self._begun()
        self._arriving: dict[str, Message] = {}
        self._sent: list[str] = []
        self._group = ""
        self._over = threading.Event()

    def _begun(self) -> tuple[int, int]:
        """A run that takes messages, and the task that keeps it open."""
        app = TaskType.SERVER_APP
        run = self._state.create_run(
            None, None, None, {}, NOOP_FEDERATION_ID, None, NOOP_FLWR_AID, app
        )
        task = self._state.get_run_info(run_ids=[run])[0].primary_task_id
        assert task is not None  # a run of this kind has one
        self._state.claim_task(task)
        self._state.activate_task(task)
        # Flower's messages take from here, one for the whole process, who sends them.
        TaskIdentity.run_id, TaskIdentity.task_id = run, task
        TaskIdentity.node_id = SUPERLINK_NODE_ID
        return run, task

    def __enter__(self) -> Link:
        """Listen.

        Raises:
            BadInput: If the address is taken or none of this machine's, or a file cannot be read.
        """
        self._server = _uvicorn(self._state, self.certificate, self.private_key)
        try:
            self._bound = socket.create_server(self.place, backlog=128)
        except OSError as error:
            where, fix = f"{self.place[0]}:{self.place[1]}", "Give another address or port."
            raise BadInput(f"Cannot listen: {error.strerror}.", where, fix) from None
        self.place = self._bound.getsockname()[:2]
        arguments = {"sockets": [self._bound]}
        self._threads = [
            threading.Thread(target=self._server.run, kwargs=arguments, daemon=True),
            threading.Thread(target=self._beat, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        while self._threads[0].is_alive() and not self._server.started:
            time.sleep(0.02)
        if not self._server.started:
            self._bound.close()
            raise Unavailable("The server did not start.", str(self.place), "See its messages.")
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._over.set()
        self._server.should_exit = True
        for thread in self._threads:
            thread.join(10)
        self._bound.close()

    def _beat(self) -> None:
        while not self._over.wait(_BEAT):
            self._state.acknowledge_task_heartbeat(self._task)

    def get_node_ids(self) -> Iterable[int]:
        """Nodes that are connected."""
        return self._state.get_nodes(self.run)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Have messages fetched by their nodes; an empty id is of one that could not be sent.

        The first of another round has those of the round before forgotten, with what came too late.
        """
        with no_object_id_recompute():  # the weights of a round are hashed once
            return [self._push(message) for message in messages]

    def _push(self, message: Message) -> str:
        if message.metadata.group_id != self._group:
            self._forget()
            self._group = message.metadata.group_id
        message.metadata.__dict__["_message_id"] = message.object_id
        objects, tree = get_all_nested_objects(message), get_object_tree(message)
        session = self._state.start_session(self.run)
        bare = remove_content_from_message(message)
        stored, missing = self._state.store_message_and_object_tree(bare, tree, session)
        for name in missing:
            self._state.store_object(self.run, session, name, objects[name].deflate())
        if not stored:
            return ""
        self._sent.append(message.metadata.message_id)
        return self._sent[-1]

    def _forget(self) -> None:
        """Drop all messages: else each one that hangs would keep the weights of its round."""
        for name in self._sent:
            late = self._state.message_ins_id_to_message_res_id.get(name)
            self._state.delete_messages({name})
            for gone in filter(None, (name, late)):
                self._state.object_store.delete(gone)
        for name in self._arriving:
            self._state.object_store.delete(name)
        self._sent, self._arriving = [], {}

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """Replies that have arrived whole; nobody waits for one that is still on its way."""
        asked = set(message_ids)
        arriving = {message.metadata.reply_to_message_id for message in self._arriving.values()}
        for message in self._state.get_message_res(asked - arriving, self.run):
            self._arriving[message.metadata.message_id] = message
        here = []
        for name, message in list(self._arriving.items()):
            of_round = message.metadata.reply_to_message_id in asked
            whole = self._whole(name, message) if of_round else None
            if whole is not None:
                here.append(whole)
            if whole is not None or not of_round:
                del self._arriving[name]
                self._state.delete_messages({message.metadata.reply_to_message_id})
        return here

    def _whole(self, name: str, message: Message) -> Message | None:
        """A reply with its content; None: pieces of it are missing yet."""
        if message.has_error():
            return message
        tree = self._state.object_store.get_object_tree(name)
        pieces = {
            one.object_id: self._state.get_object(self.run, one.object_id)
            for one in iterate_object_tree(tree)
        }
        if any(piece == b"" for piece in pieces.values()):
            return None
        contents = {key: piece for key, piece in pieces.items() if piece is not None}
        self._state.object_store.delete(name)
        try:
            inner = inflate_object_from_contents(name, contents)
            assert isinstance(inner, Message)
            # What a message says of itself was checked on arrival; what lies in it was not.
            return make_message(metadata=message.metadata, content=inner.content)
        except Exception as error:  # what a client sends may be anything, and costs only its client
            LOG.warning("A reply could not be read: %s", error)
            told = Error(ErrorCode.MESSAGE_UNAVAILABLE, "its reply could not be read")
            return make_message(metadata=message.metadata, error=told)


def _uvicorn(state: _State, certificate: Path | None, key: Path | None) -> uvicorn.Server:
    """A server of the Fleet routes.

    Raises:
        BadInput: If the certificate and its key do not make one.
    """
    app = FastAPI(
        openapi_url=None,
        middleware=[
            Middleware(_Bounded),
            Middleware(BaseHTTPMiddleware, dispatch=http_error_translator),
            Middleware(ProtobufTranslationMiddleware),
            Middleware(NodeAuthMiddleware),
        ],
    )
    app.state.linkstate_factory = state
    app.state.enable_supernode_auth = True
    app.include_router(router)
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=str(key) if key else None,
    )
    try:
        config.load()
    except OSError as error:
        what, fix = (
            f"The certificate cannot be used: {error}.",
            "Give its file and that of its key.",
        )
        raise BadInput(what, f"{certificate}, {key}", fix) from None
    return uvicorn.Server(config)


class _Bounded:
    """Refuses a request that is too large, or that does not say how large it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or pass on."""
        sizes = [value for name, value in scope.get("headers", ()) if name == b"content-length"]
        fits = len(sizes) == 1 and sizes[0].isdigit() and int(sizes[0]) <= _LARGEST
        if scope["type"] != "http" or fits:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b""})
