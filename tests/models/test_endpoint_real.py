"""Replies of a real server, `transformers serve`, are those of the same model on this machine."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.data.replies import Conversation
from tastemaker.models.endpoint import Calling, Endpoint
from tastemaker.models.http_json import Patience
from tastemaker.models.json_grammar import JsonRows
from tastemaker.models.local_llm import LocalLLM
from tastemaker.models.packaged import locate
from tests.models.conftest import installed

pytestmark = pytest.mark.slow

STARTS = 300.0
"""Seconds a server may take until it answers."""
CALLING = Calling(concurrency=2, patience=Patience(timeout=300.0, tries=2))


def user(text: str) -> Conversation:
    return [{"role": "user", "content": text}]


ASKED = [
    user("What is the capital of France? One word."),
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who wrote Hamlet?"}],
    user("A person watched Alien, Gravity and Interstellar — what do they like? 数"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the packaged model on loopback; no connection leads outside."""
    from transformers.utils.import_utils import is_serve_available

    installed("smollm2")
    if not is_serve_available():
        pytest.skip("`transformers serve` needs transformers[serving]: fastapi, uvicorn, openai")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()"]
    command += ["serve", str(locate("smollm2")), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--device", "cpu", "--dtype", "float32"]
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, stdout=out, stderr=out
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + STARTS
    while True:
        try:
            with opener.open(health, timeout=5):
                return
        except OSError:
            said = log.read_text(errors="replace")[-2000:]
            assert process.poll() is None, f"The server ended: {said}"
            assert time.monotonic() < until, f"The server does not answer: {said}"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def endpoint(url: str) -> Endpoint:
    return Endpoint(str(locate("smollm2")), url, calling=CALLING)


def test_replies_are_those_of_the_model_itself(endpoint: Endpoint) -> None:
    there, here = endpoint(ASKED, 1, 0.0, 16), LocalLLM()(ASKED, 1, 0.0, 16)
    for [far], [near] in zip(there, here, strict=True):
        assert (far.text, far.error, far.thinking) == (near.text, "", "")
        assert (far.prompt_tokens, far.finished) == (near.prompt_tokens, near.finished)
        # A server counts the token that ends a reply, or does not.
        assert far.tokens in (near.tokens, near.tokens + near.finished)
        assert far.seconds > 0
    assert "Paris" in there[0][0].text


def test_a_reply_that_is_cut_says_so(endpoint: Endpoint) -> None:
    reply = endpoint([user("Count from one to a hundred.")], 1, 0.0, 5)[0][0]
    assert (reply.finished, reply.tokens, reply.error) == (False, 5, "")


def test_a_shape_that_the_server_does_not_know_costs_no_reply(endpoint: Endpoint) -> None:
    asked = [user("Name two interests of people as a JSON array of texts.")]
    shaped = endpoint.shaped(JsonRows((("interest", "text"),)))
    [[reply]], [[plain]] = shaped(asked, 1, 0.0, 24), endpoint(asked, 1, 0.0, 24)
    assert not reply.error and reply.text
    if reply.text != plain.text and reply.finished:
        assert isinstance(json.loads(reply.text), list)


def test_repeats_are_several_replies(endpoint: Endpoint) -> None:
    replies = endpoint(ASKED[:1], 2, 0.7, 6)[0]
    assert [reply.error for reply in replies] == ["", ""] and all(one.text for one in replies)


def test_a_model_that_the_server_does_not_have_is_a_failure(url: str) -> None:
    quick = replace(CALLING, patience=replace(CALLING.patience, tries=1))
    reply = Endpoint("no-such/model", url, calling=quick)(ASKED[:1], 1, 0.0, 4)[0][0]
    assert "no-such/model" in reply.error and not reply.text
