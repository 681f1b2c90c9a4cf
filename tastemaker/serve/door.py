"""The door: what every request passes before a route sees it, and what is noted when it leaves.

In order: is the name that was called one of ours, may the client ask, does it ask too often, is the
path readable, is the body within bounds. What is refused here costs next to nothing. Whatever
happens inside, the client gets JSON, and a line of the log and the numbers say how it went.
"""

from __future__ import annotations

import logging
import time
import uuid
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tastemaker.errors import TastemakerError
from tastemaker.serve.bodies import Gone, again, read_body
from tastemaker.serve.key_file import OPEN, KeyFile, needs_none
from tastemaker.serve.limits import Limits
from tastemaker.serve.logs import frames, say
from tastemaker.serve.monitoring import Monitoring
from tastemaker.serve.paths import routed
from tastemaker.serve.rates import Rates
from tastemaker.serve.refusals import Busy, Refused, answer, error_body, refusal
from tastemaker.serve.web.cookie import key_in_cookie

REPEATABLE = frozenset((b"boost", b"only", b"allow", b"deny", b"category", b"item"))
"""Names of a query that may stand there more than once."""
UNKNOWN = "(no route)"
CLOSED = "the handler is closed"
"""What the event loop says of a connection that is no more."""
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))


class Door:
    """Around an application.

    Args:
        app: What answers.
        limits: Bounds of requests.
        keys: Who may ask; None: everybody who can reach the server.
        hosts: Names that the server may be called by, without a port; none: any. Else a page of
            another site could have a browser ask a server on its own machine.
        monitoring: Where requests are counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        keys: KeyFile | None,
        hosts: frozenset[str],
        monitoring: Monitoring,
    ) -> None:
        self.app, self.limits, self.keys, self.hosts = app, limits, keys, hosts
        self.monitoring = monitoring
        self.rates = Rates(limits.rate, limits.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
                return
            await self.app(scope, receive, send)
            return
        began, method = time.perf_counter(), scope["method"]
        leaving = _Leaving(send, bare=method == "HEAD")
        if method == "HEAD":  # whatever can be got can be asked for without its body
            scope = {**scope, "method": "GET"}
        scope["fault"] = uuid.uuid4().hex[:12]
        try:
            await self._enter(scope, receive, leaving)
        except Gone:
            leaving.status = 499
        except TastemakerError as error:
            await refusal(error)(scope, receive, leaving)
        except Exception as error:
            log_fault(error, scope["fault"])
            if not leaving.status:
                await unexpected(scope["fault"])(scope, receive, leaving)
        finally:
            self._note(method, scope, leaving.status, time.perf_counter() - began)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        self._check_host(headers.get(b"host", b""))
        scope["path"] = routed(scope.get("raw_path") or scope["path"].encode())
        self._check_client(scope)
        _check_query(scope["query_string"])
        body = await read_body(headers, receive, self.limits)
        await self.app(scope, again(body, receive), send)

    def _check_host(self, host: bytes) -> None:
        if not self.hosts:
            return
        name = host.decode("latin-1").lower()
        name = name.rpartition(":")[0] if name.rpartition(":")[2].isdigit() else name
        if name not in self.hosts:
            fix = f"Call it by {' or '.join(sorted(self.hosts))}, or start it with --hosts."
            raise Refused(421, "This server is not called by that name.", "Host", fix)

    def _check_client(self, scope: Scope) -> None:
        if scope["path"] in OPEN:  # who looks after the server is never turned away
            return
        client = (scope.get("client") or ("",))[0]
        if self.keys is not None and not needs_none(scope["path"]):
            owner = self.keys.owner(scope["headers"]) or self.keys.owner_of(key_in_cookie(scope))
            if owner is None:
                fix = "Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`."
                raise Refused(401, "The request carries no key of this server.", "headers", fix)
            client, scope["owner"] = f"key {owner}", owner
        if after := self.rates.wait(client):
            what = f"More than {self.limits.rate:g} requests a second."
            raise Busy(429, what, "this client", after)

    def _note(self, method: str, scope: Scope, status: int, seconds: float) -> None:
        method = method if method in METHODS else "OTHER"
        route = scope["route"].path if "route" in scope else UNKNOWN
        self.monitoring.request(method, route, status, seconds)
        say("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))


class _Leaving:
    """Sends, and remembers with which status.

    Args:
        send: As ASGI has it.
        bare: Whether bodies are left out.
    """

    def __init__(self, send: Send, bare: bool) -> None:
        self._send, self._bare = send, bare
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self._bare and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and CLOSED not in str(error):
                raise
            raise Gone from None


def _check_query(query: bytes) -> None:
    """Refuse a name that stands twice where one value counts: the other would have no effect."""
    if b"&" not in query:
        return
    seen: set[bytes] = set()
    for part in query.split(b"&"):
        name = unquote_to_bytes(part.partition(b"=")[0])
        if name in seen and name not in REPEATABLE:
            what = f"{name.decode(errors='replace')!r:.80} stands there twice."
            raise Refused(422, what, "query", "Give it once.")
        seen.add(name)


def log_fault(error: Exception, fault: str) -> None:
    """Write down what went wrong unexpectedly, without its words."""
    say("fault", logging.ERROR, id=fault, kind=type(error).__name__, frames=frames(error))


def unexpected(fault: str) -> ASGIApp:
    """What the client is told of it."""
    fix = f"Tell who runs the server: the log has more under {fault}."
    return answer(error_body("Something went wrong that nobody expected.", "the server", fix), 500)
