"""A chat endpoint on loopback that does what a test tells it to, request by request."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What goes back for one request."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    """bytes at the end that are announced and never sent"""
    pause: float = 0.0
    """seconds before each fifth of the body"""
    raw: bool = False
    """whether nothing is sent but the body: no status, no headers"""


def said(content: str | None, **message: Any) -> Answer:
    """An answer as OpenAI's API gives it."""
    choice = {"message": {"content": content} | message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    return Answer(json.dumps({"choices": [choice], "usage": usage}).encode())


def echo(body: Mapping[str, Any], number: int) -> Answer:
    """The last message again."""
    return said(f"echo {body['messages'][-1]['content']}")


@dataclass
class Server:
    """Its URL and what it was asked."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def serving(script: Callable[[Mapping[str, Any], int], Answer]) -> Iterator[Server]:
    """A server that answers request number n, from 0, with what `script(body, n)` gives."""
    lock, busy = threading.Lock(), 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal busy
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number, busy = len(server.bodies), busy + 1
                server.bodies.append(body | {"path": self.path})
                server.keys.append(self.headers.get("Authorization"))
                server.most_at_once = max(server.most_at_once, busy)
            answer = script(body, number)
            with lock:
                busy -= 1
            with suppress(OSError):  # the client may have left
                self.answer(answer)

        def answer(self, answer: Answer) -> None:
            if not answer.raw:
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
            sent, fifth = answer.body[: len(answer.body) - answer.cut], len(answer.body) // 5 + 1
            for start in range(0, len(sent), fifth):
                time.sleep(answer.pause)
                self.wfile.write(sent[start : start + fifth])
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
