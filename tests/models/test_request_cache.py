"""No question is asked twice: not after a crash, not by another process, and no failure is kept."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tastemaker.data.replies import Conversation, Reply
from tastemaker.errors import ArtefactError, OutOfResources
from tastemaker.models.endpoint import Endpoint
from tastemaker.models.generate import Scripted
from tastemaker.models.json_grammar import JsonRows
from tastemaker.models.local_llm import LocalLLM
from tastemaker.models.request_cache import Cached
from tests.models.chat_server import Answer, echo, serving

KEY = "sk-secret-1234"


def user(text: str) -> Conversation:
    return [{"role": "user", "content": text}]


def parrot(conversation: Conversation, repeat: int) -> str:
    return f"{conversation[-1]['content']} {repeat}"


ASKED = [user(f"question {number}") for number in range(8)]


def test_only_what_is_new_is_asked_and_twins_once(tmp_path: Path) -> None:
    first, model = tmp_path / "kept" / "replies.sqlite", Scripted(parrot)
    cached = Cached(model, first)
    replies = cached([*ASKED, *ASKED], 1)
    assert (replies[:8], cached.asked, len(cached)) == (replies[8:], 8, 8)
    more = cached(ASKED, 3)
    assert [row[:1] for row in more] == replies[:8] and more[5][2].text == "question 5 2"
    assert [ask.repeat for ask in model.asked[8:]] == [1, 2] * 8
    cached.close()
    again = Cached(Scripted([]), first)
    assert again(ASKED, 3) == more and again.asked == 0
    other = Cached(Scripted(parrot, "other"), first)
    other(ASKED, 1)
    assert other.asked == 8
    again.close()
    other.close()


@pytest.mark.parametrize("options", [{"temperature": 1.0}, {"max_tokens": 9}, {"seed": 1}], ids=str)
def test_other_options_are_other_questions(tmp_path: Path, options: dict[str, Any]) -> None:
    cached = Cached(Scripted(parrot), tmp_path / "kept")
    cached(ASKED)
    cached(ASKED, **options)
    assert cached.asked == 16
    cached.close()


def test_a_shape_is_another_question_in_the_same_file(chatty: Path, tmp_path: Path) -> None:
    plain = Cached(LocalLLM(chatty), tmp_path / "kept")
    shaped = plain.shaped(JsonRows((("interest", "text"),)))
    plain(ASKED[:2], 1, 0.0, 30)
    replies = shaped(ASKED[:2], 1, 0.0, 30)
    assert shaped.asked == 2 and len(plain) == 4
    assert all(isinstance(json.loads(reply.text), list) for [reply] in replies)
    assert shaped(ASKED[:2], 1, 0.0, 30) == replies and shaped.asked == 2
    plain.close()
    shaped.close()
    told = Cached(Scripted(parrot), tmp_path / "told")
    same = told.shaped(JsonRows((("interest", "text"),)))
    assert same(ASKED) == told(ASKED) and told.asked == 0
    told.close()
    same.close()


def test_failures_are_not_kept(tmp_path: Path) -> None:
    cached = Cached(Scripted([Reply(error="down"), "fine", "now"]), tmp_path / "kept")
    assert [reply.error for [reply] in cached(ASKED[:2])] == ["down", ""]
    assert [reply.text for [reply] in cached(ASKED[:2])] == ["now", "fine"]
    cached.close()


RUN = """
import sys
from pathlib import Path
from tastemaker.models.endpoint import Calling, Endpoint
from tastemaker.models.request_cache import Cached
cached = Cached(Endpoint("m", sys.argv[1], sys.argv[3], Calling(2)), Path(sys.argv[2]))
cached([[{"role": "user", "content": f"question {n}"}] for n in range(8)])
print(cached.asked)
"""


def test_a_rerun_after_a_kill_asks_nothing_twice(tmp_path: Path) -> None:
    """Killed with five answered and kept, and the sixth under way."""
    hang, kept = threading.Event(), tmp_path / "kept"

    def script(body: Mapping[str, Any], number: int) -> Answer:
        if number >= 5:
            hang.wait(60)
        return echo(body, number)

    with serving(script) as server:
        command = [sys.executable, "-c", RUN, server.url, str(kept), KEY]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until and (len(server.bodies) < 7 or rows(kept) < 5):
                time.sleep(0.05)
        finally:
            running.kill()
            running.wait()
        hang.set()
        answered = [body["messages"][0]["content"] for body in server.bodies[:5]]
        before = len(server.bodies)
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        assert done.stdout.strip() == "3"
        later = [body["messages"][0]["content"] for body in server.bodies[before:]]
    assert len(later) == 3 and not set(later) & set(answered)
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()


def rows(path: Path) -> int:
    """Replies that another process has kept so far."""
    try:
        link = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        count = int(link.execute("SELECT count(*) FROM replies").fetchone()[0])
        link.close()
    except sqlite3.OperationalError:
        return 0
    return count


def test_several_processes_share_a_file(tmp_path: Path) -> None:
    with serving(echo) as server:
        command = [sys.executable, "-c", RUN, server.url, str(tmp_path / "kept"), ""]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        for process in both:
            process.communicate(timeout=120)
            assert process.returncode == 0
        last = Cached(Endpoint("m", server.url), tmp_path / "kept")
        texts = [reply.text for [reply] in last(ASKED)]
        assert (last.asked, len(last)) == (0, 8)
        last.close()
    assert texts == [f"echo question {number}" for number in range(8)]


@pytest.mark.parametrize("harm", ["{}", "not JSON", '{"text": "other"}'])
def test_a_damaged_reply_is_asked_anew(tmp_path: Path, harm: str) -> None:
    cached = Cached(Scripted(parrot), tmp_path / "kept")
    right = cached(ASKED)
    cached.close()
    link = sqlite3.connect(tmp_path / "kept")
    with link:
        link.execute("UPDATE replies SET reply = ? WHERE rowid = 3", (harm,))
    link.close()
    again = Cached(Scripted(parrot), tmp_path / "kept")
    assert again(ASKED) == right and again.asked == 1
    again.close()


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 1000)
    link = sqlite3.connect(tmp_path / "other")
    link.execute("CREATE TABLE mine (a)")
    link.close()
    for name in ("text", "other"):
        with pytest.raises(ArtefactError):
            Cached(Scripted([]), tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutOfResources):
        Cached(Scripted([]), tmp_path / "folder")
