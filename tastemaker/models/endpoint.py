"""Replies by any OpenAI-compatible endpoint: vLLM, llama.cpp, Ollama, or a hosted one.

One request a reply, several at once. One that fails is a reply with `error`; what no further try
could mend ends the call: a wrong key, a wrong URL, or an endpoint that was never there.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import copy
from dataclasses import asdict, dataclass, field
from threading import Event

from tastemaker.data.replies import Reply, without_thinking
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.models.asking import Answers, Ask
from tastemaker.models.encode import within
from tastemaker.models.http_json import HttpJson, Patience, RequestFailed
from tastemaker.models.identity import identity_of
from tastemaker.models.json_grammar import JsonRows

URL, KEY = "TASTEMAKER_LLM_URL", "TASTEMAKER_LLM_KEY"
"""Environment variables that are read where no option is given."""
_TOO_LONG = re.compile(
    r"answers 4(?:00|13|22)\b.*(?:context|too long|too many tokens|exceeds? .*length)",
    re.IGNORECASE | re.DOTALL,
)
"""Refusals of a question that is longer than the model reads, as servers word them."""


@dataclass(frozen=True)
class Prices:
    """What a million tokens cost, in any one currency."""

    prompt: float = 0.0
    reply: float = 0.0

    def of(self, prompt_tokens: int, tokens: int) -> float:
        """Cost of so many tokens."""
        return (prompt_tokens * self.prompt + tokens * self.reply) / 1e6


@dataclass(frozen=True)
class Calling:
    """How an endpoint is called; no reply depends on it."""

    concurrency: int = 8
    """requests at once"""
    patience: Patience = field(default_factory=Patience)
    prices: Prices = field(default_factory=Prices)


class Endpoint(Answers):
    """A model behind `/chat/completions`; the seam `Generate`.

    Args:
        model: Its name there.
        url: Such as `http://localhost:8000/v1`; empty: `$TASTEMAKER_LLM_URL`.
        key: Empty: `$TASTEMAKER_LLM_KEY`, or none.
        calling: How it is called.

    Raises:
        BadInput: If there is no URL, or it or an option cannot be used.
    """

    def __init__(
        self, model: str, url: str = "", key: str = "", calling: Calling | None = None
    ) -> None:
        url = (url or os.environ.get(URL, "")).rstrip("/")
        if not url:
            fix = f"Give the URL of an OpenAI-compatible API by the option or {URL}."
            raise BadInput(f"Nothing says where {model!r:.80} answers.", "url", fix)
        self._calling = calling or Calling()
        within("concurrency", self._calling.concurrency, 1, 1024)
        within("tries", self._calling.patience.tries, 1, 100)
        key = (key or os.environ.get(KEY, "")).strip()
        self._http = HttpJson(f"{url}/chat/completions", key, self._calling.patience)
        self._model = model
        self._rows: JsonRows | None = None
        self._options: JsonObject = {"endpoint": 1, "url": url}
        self.identity = identity_of(model, self._options)
        self._reached = False

    def shaped(self, rows: JsonRows) -> Endpoint:
        """The same model, asked for JSON of a shape; whether it keeps to it is for it to say."""
        other = copy(self)
        other._rows = rows
        other.identity = identity_of(self._model, self._options | {"rows": asdict(rows)})
        return other

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        """Replies in the order in which they come.

        Raises:
            BadInput: If the endpoint refuses the key, or there is nothing at this URL.
            RequestFailed: If it cannot be reached and never could.
        """
        pool, stopped = ThreadPoolExecutor(self._calling.concurrency, "endpoint"), Event()
        try:
            waiting = {
                pool.submit(self._reply, ask, stopped): number for number, ask in enumerate(asks)
            }
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _reply(self, ask: Ask, stopped: Event) -> Reply:
        begun = time.perf_counter()
        try:
            answer = self._http.post(self._body(ask), stopped)
            reply = self._read(answer, time.perf_counter() - begun)
        except RequestFailed as failed:
            if not failed.reached and not self._reached:
                raise
            error, seconds = str(failed), time.perf_counter() - begun
            return Reply(error=error, seconds=seconds, too_long=bool(_TOO_LONG.search(error)))
        self._reached = True
        return reply

    def _body(self, ask: Ask) -> JsonObject:
        """The request; each repeat has a seed of its own."""
        body: JsonObject = {
            "model": self._model,
            "messages": [dict(message) for message in ask.conversation],
            "temperature": ask.temperature,
            "max_tokens": ask.max_tokens,
            "seed": (ask.seed + 1_000_003 * ask.repeat) % 2**31,
        }
        if self._rows is not None:
            schema = {"name": "reply", "strict": True, "schema": self._rows.schema()}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _read(self, answer: JsonObject, seconds: float) -> Reply:
        """The reply in an answer; RequestFailed if there is none."""
        try:
            choice = answer["choices"][0]
            message = choice["message"]
            content = message["content"] or ""
            text, thinking = without_thinking(content)
            apart = message.get("reasoning_content") or message.get("reasoning") or ""
            finished = choice.get("finish_reason") != "length"
            usage = answer.get("usage") or {}
            prompt_tokens = int(usage.get("prompt_tokens") or 0)
            tokens = int(usage.get("completion_tokens") or 0)
            thinking = "\n".join(filter(None, (str(apart).strip(), thinking)))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            what = "The answer holds no reply."
            fix = "Give the URL of an OpenAI-compatible API, such as …/v1."
            raise RequestFailed(what, self._http.url, fix) from None
        cost = self._calling.prices.of(prompt_tokens, tokens)
        return Reply(text, thinking, prompt_tokens, tokens, finished, seconds, cost)
