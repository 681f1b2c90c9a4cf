"""Who may come in, what is not there, and what a client that lies can and cannot do."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric import ec
from flwr.app import Message, MessageType
from flwr.app.message import remove_content_from_message
from flwr.common.serde import message_to_proto
from flwr.proto.fleet_pb2 import PushMessagesRequest, RegisterNodeFleetRequest
from flwr.proto.message_pb2 import PushObjectRequest
from flwr.supercore.inflatable.inflatable_object import get_all_nested_objects, get_object_tree
from flwr.supercore.primitives.asymmetric import generate_key_pairs, public_key_to_bytes
from flwr.supercore.protobuf.constants import PROTOBUF_MEDIA_TYPE

from tastemaker.errors import BadInput
from tastemaker.federate.flower_link import Link
from tastemaker.federate.flower_messages import encoded_broadcast, encoded_reply
from tastemaker.federate.flower_node import Node, Place
from tastemaker.seams import Broadcast, Reply

SENT = Broadcast(1, {"w": torch.zeros(3)})
NAMES = ("a", "b")


class Party:
    """A link that listens, and its nodes, which do as the test says."""

    def __init__(self, link: Link, keys: dict[str, ec.EllipticCurvePrivateKey]) -> None:
        self.link, self.keys = link, keys
        self.address = f"127.0.0.1:{link.place[1]}"
        self.nodes: list[Node] = []

    def node(self, name: str) -> Node:
        node = Node(Place(self.address, self.keys[name], insecure=True))
        self.nodes.append(node)
        node._node = node._activated()
        return node

    def asked(self, node: Node) -> Message:
        """The message that waits for a node."""
        for _ in range(200):
            if (message := node._pull(node._node)) is not None:  # type: ignore[arg-type]
                return message
            time.sleep(0.01)
        raise AssertionError("nothing came")


@pytest.fixture
def party() -> Iterator[Party]:
    keys = {name: generate_key_pairs()[0] for name in NAMES}
    public = {name: public_key_to_bytes(key.public_key()) for name, key in keys.items()}
    with Link(public) as link:
        party = Party(link, keys)
        yield party
        for node in party.nodes:
            node.close()


def answer(message: Message, value: float = 1.0) -> Message:
    reply = Reply("x", 1, {"w": torch.full((3,), value)}, 5)
    return Message(encoded_reply(reply), reply_to=message)


def pushed(node: Node, reply: Message) -> Any:
    """What the server says to a reply without its content."""
    reply.metadata.__dict__["_message_id"] = reply.object_id
    bare = message_to_proto(remove_content_from_message(reply))
    request = PushMessagesRequest(
        node=node._node, messages_list=[bare], message_object_trees=[get_object_tree(reply)]
    )
    return node._client.PushMessages(request)


def send(party: Party, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    """Messages for the nodes; id → client."""
    content = encoded_broadcast(SENT, {})
    sent = [Message(content, party.link.nodes[name], MessageType.TRAIN, ttl=60) for name in names]
    return dict(zip(party.link.push_messages(sent), names, strict=True))


def test_a_reply_arrives_whole_and_once(party: Party) -> None:
    node = party.node("a")
    ids = send(party, ("a",))
    reply = answer(party.asked(node))
    told = pushed(node, reply)
    assert party.link.pull_messages(ids) == [], "its content is not there yet"
    objects = get_all_nested_objects(reply)
    for name in told.objects_to_push:
        stored = node._client.PushObject(
            PushObjectRequest(
                node=node._node,
                run_id=reply.metadata.run_id,
                session_id=told.session_id,
                object_id=name,
                object_content=objects[name].deflate(),
            )
        )
        assert stored.stored
    (message,) = party.link.pull_messages(ids)
    assert message.metadata.reply_to_message_id in ids
    assert party.link.pull_messages(set()) == []


def test_a_reply_that_is_replayed_does_not_count_again(party: Party) -> None:
    node = party.node("a")
    ids = send(party, ("a",))
    asked = party.asked(node)
    node._push(node._node, answer(asked))  # type: ignore[arg-type]
    assert len(party.link.pull_messages(ids)) == 1
    second = send(party, ("a",))
    told = pushed(node, answer(asked))
    assert not told.objects_to_push
    assert party.link.pull_messages(second) == []


def test_nobody_answers_for_another(party: Party) -> None:
    """A reply to a message of somebody else, and one in somebody else's name."""
    ann, bob = party.node("a"), party.node("b")
    ids = send(party)
    asked = party.asked(ann)
    forged = answer(asked)
    forged.metadata.__dict__["_src_node_id"] = bob._node.node_id  # type: ignore[union-attr]
    assert not pushed(bob, forged).objects_to_push
    bob._node, own = ann._node, bob._node
    with pytest.raises(httpx.HTTPStatusError) as refused:
        pushed(bob, answer(asked))
    assert refused.value.response.status_code == 401
    bob._node = own
    assert party.link.pull_messages(ids) == []


def test_content_that_cannot_be_read_costs_its_client_alone(party: Party) -> None:
    ann, bob = party.node("a"), party.node("b")
    ids = send(party)
    reply = answer(party.asked(ann))
    told = pushed(ann, reply)
    for name in told.objects_to_push:
        request = PushObjectRequest(
            node=ann._node,
            run_id=reply.metadata.run_id,
            session_id=told.session_id,
            object_id=name,
            object_content=b"Message 0\x00rubbish",
        )
        with suppress(httpx.HTTPStatusError):  # where its name is not that of its bytes
            ann._client.PushObject(request)
    bob._push(bob._node, answer(party.asked(bob)))  # type: ignore[arg-type]
    came = {ids[m.metadata.reply_to_message_id]: m for m in party.link.pull_messages(ids)}
    assert not came["b"].has_error()
    assert "a" not in came or came["a"].has_error()


def test_clients_that_hang_or_are_late_keep_no_round_in_memory(party: Party) -> None:
    node, sizes = party.node("a"), []
    for number in range(4):
        weights = {"w": torch.full((3,), float(number))}
        content = encoded_broadcast(Broadcast(number, weights), {})
        to = party.link.nodes["a"]
        told = Message(content, to, MessageType.TRAIN, ttl=60, group_id=str(number))
        party.link.push_messages([told])
        if number == 1:  # answers, and nobody asks for it any more
            node._push(node._node, answer(party.asked(node)))  # type: ignore[arg-type]
        sizes.append(len(party.link._state.object_store.store))  # type: ignore[attr-defined]
    assert sizes[0] == sizes[2] == sizes[3]


def test_a_client_that_was_killed_may_come_back_at_once(party: Party) -> None:
    first = party.node("a")
    second = party.node("a")
    assert first._node == second._node
    assert party.link.nodes["a"] in party.link.get_node_ids()


def test_nobody_registers_a_key_from_outside(party: Party) -> None:
    party.keys["stranger"], public = generate_key_pairs()
    with pytest.raises(httpx.HTTPStatusError):
        party.node("stranger")
    node = party.nodes[0]
    with pytest.raises(httpx.HTTPStatusError):
        node._client.RegisterNode(RegisterNodeFleetRequest(public_key=public_key_to_bytes(public)))


def test_there_are_no_routes_but_those_of_nodes(party: Party) -> None:
    for path in ("/v1/control/start-run", "/v1/runtime/pull-messages", "/docs", "/openapi.json"):
        headers = {"content-type": PROTOBUF_MEDIA_TYPE}
        told = httpx.post(f"http://{party.address}{path}", content=b"", headers=headers)
        assert told.status_code in (404, 405, 415), path


def test_a_request_without_a_signature_is_refused(party: Party) -> None:
    headers = {"content-type": PROTOBUF_MEDIA_TYPE, "accept": PROTOBUF_MEDIA_TYPE}
    url = f"http://{party.address}/v1/fleet/pull-messages"
    assert httpx.post(url, content=b"", headers=headers).status_code == 401


def test_a_request_that_is_too_large_or_does_not_say_is_refused(party: Party) -> None:
    url = f"http://{party.address}/v1/fleet/push-object"
    assert httpx.post(url, content=bytes(2**24 + 1)).status_code == 413
    assert httpx.post(url, content=iter([b"x"] * 3)).status_code == 413


def test_an_address_that_is_taken_is_refused(party: Party) -> None:
    with pytest.raises(BadInput), Link({}, "127.0.0.1", int(party.link.place[1])):
        pass


def test_a_certificate_that_is_none_is_refused(tmp_path: Any) -> None:
    (tmp_path / "c.pem").write_text("none")
    with pytest.raises(BadInput), Link({}, certificate=tmp_path / "c.pem", private_key=tmp_path):
        pass
