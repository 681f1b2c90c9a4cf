"""A server as a process: it says where it listens, answers, and ends in order."""

import asyncio
import gc
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.logs import written
from tastemaker.serve.server import LOCAL, SWITCH, Place, listening_socket, reopening, settle
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.test_exposure_rows import rows


@pytest.fixture
def server(finished_run: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = ["serve", str(finished_run), "--port", "0", "--database", str(tmp_path / "s.sqlite")]
    words += ["--experiment", "x=blend,sasrec"]
    command = [sys.executable, "-m", "tastemaker.cli", *words]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "it ended before it was ready"
            address = re.search(r"http://\S+", line)
        yield process, address[0]
        if process.poll() is None:
            process.kill()


def test_it_answers_reopens_its_run_and_ends_in_order(
    server: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, address = server
    with httpx2.Client(base_url=address, trust_env=False) as client:
        assert client.get("/readyz").json()["status"] == "ready"
        event = {"event_id": "e", "user_id": "a/b", "item_id": "i3", "time": 5}
        assert client.post("/v1/events", json={"events": [event]}).json()["new"] == 1
        told = client.get("/v1/users/a%2Fb/recommendations?k=2").json()
        assert told["user"] == "a/b" and told["known"] and len(told["items"]) == 2
        rebound = client.get("/readyz", headers={"Host": "evil.example"})
        assert rebound.status_code == 421
        process.send_signal(signal.SIGHUP)
        assert client.get("/v1/users/u1/recommendations").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    rest = process.stderr.read()
    assert '"event": "ended"' in rest
    assert "a/b" not in rest and "i3" not in rest and "Traceback" not in rest
    with Store.open(tmp_path / "s.sqlite", create=False) as store:
        assert rows(store, "exposures", "user_id, answers") == {("a/b", 1), ("u1", 1)}


def test_a_place_says_who_can_reach_it() -> None:
    run, keys = Path("run"), KeyFile.of({"a": "b"})
    assert Place(run).loopback and Place(run).called == LOCAL
    assert Place(run, host="::1").loopback and Place(run, host="localhost").loopback
    assert not Place(run, host="0.0.0.0").loopback and not Place(run, host="0.0.0.0").called
    assert not Place(run, keys=keys).called and Place(run, keys=keys, hosts=("a",)).called == ("a",)
    assert Place(run).store.endswith("run.store.sqlite") and Place(run, "x").store == "x"
    with pytest.raises(BadInput):
        Place(run, port=70_000)


def test_an_address_that_is_taken_is_said_before_the_run_opens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput):
            listening_socket("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(BadInput):
        listening_socket("no.such.host.invalid", 0)


def test_the_run_is_opened_again_when_that_is_asked_for(
    service: Service, finished_run: Path, tmp_path: Path
) -> None:
    """A run that is none is refused in the log, and the next signal is heard all the same."""
    stream, before = io.StringIO(), service.run

    async def test() -> None:
        for run, swapped in ((tmp_path, False), (finished_run, True)):
            again = asyncio.Event()
            watching = asyncio.create_task(reopening(service, run, again))
            again.set()
            for _ in range(1_000):
                await asyncio.sleep(0.01)
                if len(stream.getvalue().splitlines()) == 1 + swapped:
                    break
            assert (service.run is not before) == swapped and not watching.done()
            watching.cancel()

    with written(stream):
        asyncio.run(test())
    service.close()
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ["swap refused", "swap"]


def test_the_interpreter_is_readied_for_short_requests() -> None:
    before = sys.getswitchinterval()
    try:
        settle()
        assert gc.get_freeze_count() > 1_000
        assert sys.getswitchinterval() == pytest.approx(SWITCH)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
