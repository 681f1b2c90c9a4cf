"""A client's connection to a server, as Flower's SuperNode makes it: TLS, a key, messages.

All of it is in this process, so a model is built once and stays. A server that goes away is waited
for; one that does not know the key, or whose certificate is not trusted, is not.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from flwr.app import Message
from flwr.app.message import remove_content_from_message
from flwr.common.constant import HEARTBEAT_DEFAULT_INTERVAL
from flwr.common.serde import message_from_proto, message_to_proto
from flwr.proto.fleet_pb2 import (
    ActivateNodeRequest,
    DeactivateNodeRequest,
    PullMessagesRequest,
    PushMessagesRequest,
)
from flwr.proto.heartbeat_pb2 import SendNodeHeartbeatRequest
from flwr.proto.message_pb2 import ObjectTree
from flwr.proto.node_pb2 import Node as FlowerNode
from flwr.supercore.heartbeat import HeartbeatSender
from flwr.supercore.inflatable.inflatable_object import (
    get_all_nested_objects,
    get_object_tree,
    iterate_object_tree,
    no_object_id_recompute,
)
from flwr.supercore.inflatable.inflatable_protobuf_utils import (
    make_confirm_message_received_fn_protobuf,
    make_pull_object_fn_protobuf,
    make_push_object_fn_protobuf,
)
from flwr.supercore.inflatable.inflatable_utils import (
    ObjectPullError,
    ObjectPushError,
    inflate_object_from_contents,
    pull_objects,
    push_objects,
)
from flwr.supercore.interceptors.http.runtime_version import RuntimeVersionHttpInterceptor
from flwr.supercore.primitives.asymmetric import public_key_to_bytes
from flwr.supernode.fleet_http_client import FleetHttpClient
from flwr.supernode.node_auth_http_interceptor import NodeAuthHttpInterceptor

from tastemaker.errors import BadInput, Unavailable

LOG = logging.getLogger(__name__)
Answer = Callable[[Message], Message]


@dataclass(frozen=True, eq=False)
class Place:
    """Where the server is, and how it is known."""

    address: str
    """host:port"""
    key: ec.EllipticCurvePrivateKey
    """of this client"""
    authority: Path | None = None
    """PEM file of who signed the server's certificate; None: whom the system trusts"""
    insecure: bool = False
    """without TLS"""
    patience: float = 600.0
    """seconds to wait for a server that does not answer"""
    pause: float = 1.0
    """seconds between two looks for a message"""


class Node:
    """One client's connection."""

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BadInput: If the file of the authority is no certificate.
        """
        self.place, public = place, place.key.public_key()
        self._public = public_key_to_bytes(public)
        trusted = place.authority.read_bytes() if place.authority else None
        try:
            self._client = FleetHttpClient.from_server_address(
                place.address,
                place.insecure,
                trusted,
                [
                    RuntimeVersionHttpInterceptor(component_name="SuperNode"),
                    NodeAuthHttpInterceptor(place.key, public),
                ],
            )
        except (ssl.SSLError, UnicodeDecodeError) as error:
            what, fix = f"This is no certificate: {error}.", "Give a PEM file."
            raise BadInput(what, str(place.authority), fix) from None
        self._node: FlowerNode | None = None

    def serve(self, answer: Answer, done: Callable[[], bool]) -> None:
        """Answer messages until there is nothing more to do.

        Args:
            answer: Message → reply.
            done: Whether that was the last.

        Raises:
            BadInput: If the server cannot be trusted, or does not know this client.
            Unavailable: If it does not answer for longer than `patience`.
        """
        heard = time.monotonic()
        with self._alive():
            while not done():
                try:
                    if self._node is None:
                        self._node = self._activated()
                    message = self._pull(self._node)
                    heard = time.monotonic()
                    if message is not None:
                        self._push(self._node, answer(message))
                        heard = time.monotonic()
                        continue
                except httpx.HTTPError as error:
                    self._refuse(error)
                    self._node = None
                    self._wait(error, heard)
                except (ObjectPullError, ObjectPushError) as error:  # the round was over first
                    LOG.info("A message was not carried: %s", error)
                time.sleep(self.place.pause)

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """Say from time to time that this client is there; at the end that it is gone, and go."""
        sender = HeartbeatSender(self._beat)
        sender.start()
        try:
            yield
        finally:
            sender.stop()
            if self._node is not None:
                try:
                    self._client.DeactivateNode(DeactivateNodeRequest(node_id=self._node.node_id))
                except httpx.HTTPError as error:
                    LOG.debug("The server was gone first: %s", error)
            self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _beat(self) -> bool:
        node = self._node
        if node is None:
            return True
        request = SendNodeHeartbeatRequest(node=node, heartbeat_interval=HEARTBEAT_DEFAULT_INTERVAL)
        try:
            return self._client.SendNodeHeartbeat(request).success
        except httpx.HTTPError:
            return False

    def _activated(self) -> FlowerNode:
        request = ActivateNodeRequest(
            public_key=self._public, heartbeat_interval=HEARTBEAT_DEFAULT_INTERVAL
        )
        return FlowerNode(node_id=self._client.ActivateNode(request).node_id)

    def _pull(self, node: FlowerNode) -> Message | None:
        """The next message; None: there is none."""
        told = self._client.PullMessages(PullMessagesRequest(node=node))
        if not told.messages_list:
            return None
        message, tree = message_from_proto(told.messages_list[0]), told.message_object_trees[0]
        return self._filled(node, message, tree)

    def _filled(self, node: FlowerNode, message: Message, tree: ObjectTree) -> Message:
        """A message with its content."""
        run, name = message.metadata.run_id, message.metadata.message_id
        pull = make_pull_object_fn_protobuf(self._client.PullObject, node, run)
        contents = pull_objects([one.object_id for one in iterate_object_tree(tree)], pull)
        confirm = self._client.ConfirmMessageReceived
        make_confirm_message_received_fn_protobuf(confirm, node, run)(name)
        filled = inflate_object_from_contents(name, contents)
        if not isinstance(filled, Message):
            what, fix = "The server sent something that is no message.", "Use the same version."
            raise BadInput(what, self.place.address, fix)
        filled.metadata.__dict__["_message_id"] = name
        return filled

    def _push(self, node: FlowerNode, reply: Message) -> None:
        with no_object_id_recompute():
            reply.metadata.__dict__["_message_id"] = reply.object_id
            objects, tree = get_all_nested_objects(reply), get_object_tree(reply)
            bare = message_to_proto(
                remove_content_from_message(reply) if reply.has_content() else reply
            )
            request = PushMessagesRequest(
                node=node, messages_list=[bare], message_object_trees=[tree]
            )
            told = self._client.PushMessages(request)
            push = make_push_object_fn_protobuf(
                self._client.PushObject, node, reply.metadata.run_id, told.session_id
            )
            push_objects(objects, push, object_ids_to_push=set(told.objects_to_push))

    def _refuse(self, error: httpx.HTTPError) -> None:
        """Raise what waiting does not mend."""
        where = self.place.address
        if isinstance(error, httpx.HTTPStatusError):
            if error.response.status_code == httpx.codes.PRECONDITION_FAILED:
                fix = "Have its public key listed by the server, with a number of examples."
                raise BadInput("The server does not know this client's key.", where, fix) from None
            if error.response.status_code == httpx.codes.UNAUTHORIZED and self._node is None:
                what = "The server does not accept this client's signature."
                raise BadInput(what, where, "Set the clocks of both machines right.") from None
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            what = f"The server's certificate is not trusted: {error}."
            fix = "Renew it, or give the file of the authority that signed it."
            raise BadInput(what, where, fix) from None
        if "WRONG_VERSION_NUMBER" in str(error):
            fix = "Have the server use a certificate, or join it without TLS."
            raise BadInput("The server does not speak TLS.", where, fix) from None
        if isinstance(error, httpx.RemoteProtocolError) and self.place.insecure:
            fix = "Join it with TLS."
            raise BadInput("The server does not answer without TLS.", where, fix) from None

    def _wait(self, error: httpx.HTTPError, heard: float) -> None:
        if time.monotonic() - heard < self.place.patience:
            LOG.debug("The server does not answer (%s): waiting.", error)
            return
        what = f"The server does not answer: {error}."
        fix = "See whether it runs and can be reached; joining again goes on where it stood."
        raise Unavailable(what, self.place.address, fix) from None
