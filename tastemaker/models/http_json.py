"""JSON to an HTTP endpoint and back: tries again where that can help, and says why it failed.

A key goes into one header and nowhere else: no message holds it, whatever the endpoint echoes, and
no redirect is followed, which could carry it to another host.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.files import JsonObject, shortened

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_BLOCK = 2**16


class RequestFailed(OutOfResources):
    """A request that was not answered, after every try."""

    reached = True
    """whether anybody was there"""
    refused = False
    """whether the endpoint has read the request and takes none like it"""


@dataclass(frozen=True)
class Patience:
    """How long is waited, and how often is tried again."""

    timeout: float = 600.0
    """seconds a try may take, first byte to last"""
    tries: int = 5
    back_off: float = 1.0
    """seconds before the second try; twice as long before each further one, and less by chance"""
    longest: float = 60.0
    """most seconds between two tries; an endpoint that asks for more is not tried again"""
    most_bytes: int = 16_000_000
    """a larger answer is a failure"""


class HttpJson:
    """One endpoint.

    Args:
        url: Where requests go, with http or https.
        key: Sent as a bearer token; empty: none.
        patience: How failures are met.

    Raises:
        BadInput: If the URL is none, or holds a key, which logs would show.
    """

    def __init__(self, url: str, key: str = "", patience: Patience | None = None) -> None:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname)
            local = parts.hostname in _LOOPBACK
        except ValueError:
            sound = local = False
        if not sound or parts.username or parts.password or parts.query:
            fix = "Give http(s)://host[:port]/path, and the key by its own option or variable."
            shown = url.rpartition("@")[2].partition("?")[0]
            raise BadInput(f"{shown!r:.100} is not the URL of an endpoint.", "url", fix)
        if not key.isascii() or not key.isprintable() or " " in key:
            fix = "Copy it again, without spaces or line breaks."
            raise BadInput("The key has characters that no key has.", "key", fix)
        self.url, self._key = url, key
        self.patience = patience or Patience()
        proxies = [urllib.request.ProxyHandler({})] if local else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)
        self._chance = random.Random()

    def post(self, body: Mapping[str, object], stopped: Event | None = None) -> JsonObject:
        """The object that the endpoint answers with; once `stopped` is set, nothing is tried again.

        Raises:
            BadInput: If the endpoint refuses the key, or there is nothing at this URL.
            RequestFailed: If it refuses the request, or no try was answered in full.
        """
        raw, pause = json.dumps(body).encode(), stopped or Event()
        for tried in range(1, self.patience.tries + 1):
            try:
                return self._once(raw)
            except _TryAgain as again:
                wait = min(self.patience.back_off * 2 ** (tried - 1), self.patience.longest)
                wait *= 0.5 + self._chance.random() / 2
                last, wait = again, max(wait, again.wait)
                if wait > self.patience.longest or tried == self.patience.tries:
                    break
                if pause.wait(wait):
                    break
        failed = RequestFailed(f"{last.what} Tried {tried} times.", self.url, last.fix)
        failed.reached = last.reached
        raise failed from None

    def _once(self, raw: bytes) -> JsonObject:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self.url, raw, headers, method="POST")
        fix = "Check that the endpoint runs, or give more time."
        try:
            with self._opener.open(request, timeout=self.patience.timeout) as response:
                text = self._read(response)
                charset = response.headers.get_content_charset("utf-8")
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except TimeoutError:
            what = f"No answer in {self.patience.timeout:g} seconds."
            raise _TryAgain(what, fix) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise _TryAgain("No connection in time.", fix, reached=False) from None
            what = f"The endpoint cannot be reached: {error.reason!s:.200}."
            raise _TryAgain(what, "Start it, or correct the URL.", reached=False) from None
        except (http.client.HTTPException, OSError) as error:
            what = f"The answer broke off: {type(error).__name__}."
            raise _TryAgain(what, fix) from None
        answer = _loaded(text, charset)
        if not isinstance(answer, dict):
            what = f"The answer is no JSON object: {self._shown(text)!r}."
            raise _TryAgain(what, "Give the URL of an OpenAI-compatible API, such as …/v1.")
        return answer

    def _read(self, response: Any) -> bytes:
        """The whole body, in time and below the most bytes."""
        until, read = time.monotonic() + self.patience.timeout, bytearray()
        while block := response.read1(_BLOCK):
            read += block
            if len(read) > self.patience.most_bytes:
                what = f"The answer is larger than {self.patience.most_bytes:,} bytes."
                raise RequestFailed(what, self.url, "Ask for fewer tokens.")
            if time.monotonic() > until:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(bytes(read), response.length)
        return bytes(read)

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        """What an answer with a status of refusal means."""
        try:
            said = self._shown(error.read(2000))
        except (OSError, http.client.HTTPException):
            said = ""
        what = f"The endpoint answers {error.code}: {said!r}."
        if error.code in (401, 403):
            fix = "Give its key by the option or TASTEMAKER_LLM_KEY."
            return BadInput(f"The endpoint refuses the key ({error.code}).", self.url, fix)
        if error.code in (301, 302, 303, 307, 308, 404, 405):
            fix = "Correct the URL, which ends in /v1 as a rule, or the name of the model."
            return BadInput(what, self.url, fix)
        if error.code in _AGAIN:
            fix = "Wait, ask fewer at once, or raise your limit there."
            return _TryAgain(what, fix, wait=_seconds(error.headers.get("Retry-After")))
        failed = RequestFailed(what, self.url, "Change what it says is wrong with the request.")
        failed.refused = True
        return failed

    def _shown(self, raw: bytes) -> str:
        """The beginning of a body, without the key."""
        text = raw[:2000].decode(errors="replace")
        if self._key:
            text = text.replace(self._key, "…")
        return shortened(text)


class _TryAgain(Exception):
    def __init__(self, what: str, fix: str, wait: float = 0.0, reached: bool = True) -> None:
        super().__init__(what)
        self.what, self.fix, self.wait, self.reached = what, fix, wait, reached


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: the status goes to the caller."""


def _loaded(raw: bytes, charset: str) -> object:
    """The JSON of a body, None if it is none; in UTF-8 unless its header names another encoding."""
    try:
        return json.loads(raw if charset.startswith("utf") else raw.decode(charset))
    except LookupError:  # there is no such encoding
        return _loaded(raw, "utf-8")
    except (ValueError, RecursionError):
        return None


def _seconds(header: str | None) -> float:
    """Seconds to wait that Retry-After names, as a number or a date; 0: none that can be read."""
    if not header:
        return 0.0
    try:
        wait = float(header)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        wait = (date - datetime.now(UTC)).total_seconds()
    return wait if 0 < wait < 1e9 else 0.0
