"""Snippets in all of Python, behind walls of the kernel: without network and files of others.

The pictures stay out here, too: a snippet sends its calls through a pipe. Bubblewrap gives it
namespaces of its own, a file system that it cannot write to, no environment, no `/proc` and no
device; limits of the kernel bound its memory, processes and files, and this process its time.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tastemaker.closing import Closing
from tastemaker.errors import BadInput
from tastemaker.reinforce.tools import ToolFault
from tastemaker.reinforce.workbench import SandboxLimits, SnippetFault, TooMuch, Workbench

_SPACE = 512 * 2**20
"""Bytes of addresses, of which an interpreter takes most before anything runs."""
_LINE = 2**16
"""Bytes of a call, and of what is kept of what is said in the end."""
_START = 5.0
"""Seconds that an interpreter may take to start, before those of the snippet begin."""
_END = 0.3
"""Seconds that it may take at least to end, once it has closed its pipes."""
_READY = b"ready"
"""What it says first of all, once it has started."""
_LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
_SPENT = (-signal.SIGXCPU, 128 + signal.SIGXCPU)
"""How a process ends that has used up its seconds of a processor, and how its walls tell it."""
_INSIDE = """\
import json as _json, os as _os, resource as _resource, sys as _sys
for _what, _most in {limits}:
    _resource.setrlimit(getattr(_resource, _what), (_most, _most + (_what == "RLIMIT_CPU")))
_sys.setrecursionlimit({recursion})
_calls = _os.fdopen(_os.dup(1), "w")
_os.dup2(2, 1)
def _calling(name):
    def call(*given, **named):
        _calls.write(_json.dumps([name, given, named]) + "\\n")
        _calls.flush()
        said, value = _json.loads(input())
        if not said:
            raise ValueError(value)
        return value
    return call
for _name in {functions}:
    globals()[_name] = _calling(_name)
globals().update(_json.loads({values}))
_calls.write({ready!r} + "\\n")
_calls.flush()
"""


_PROOF = """\
import os, socket
def writable(path):
    try:
        return bool(open(path, "w"))
    except OSError:
        return False
told = set(os.environ) - {"LC_CTYPE", "PWD"}
seen = [path for path in ("/proc/self", "/etc/passwd", "/dev/null") if os.path.exists(path)]
near = {name for _, name in socket.if_nameindex()} - {"lo"}
held = not (told or seen or near or writable("/x") or writable("/tmp/x")) and os.getpid() < 100
raise SystemExit(0 if held else f"the walls do not hold: {sorted(told)} {seen} {sorted(near)}")
"""
"""Ends well where there is no environment, file, process or network to be seen, nor to write."""


class BubblewrapSandbox(Closing):
    """The widest sandbox, for those who ask for it; it tries its walls first.

    Args:
        program: Bubblewrap; another one only in tests.
        proved: Whether its walls are known to hold; only in tests.

    Raises:
        BadInput: If it is not on this machine, does not work here, or this process is root, whom
            the kernel does not bound in processes.
    """

    def __init__(self, program: str = "bwrap", proved: bool = False) -> None:
        found = shutil.which(program)
        fix = "Install bubblewrap, or choose the sandbox monty or grammar."
        if found is None or not sys.platform.startswith("linux"):
            raise BadInput("The program bwrap is not on this machine.", "--sandbox", fix)
        if os.geteuid() == 0:
            fix = "Run as a user without privileges, or choose the sandbox monty or grammar."
            raise BadInput("Bubblewrap does not bound what root starts.", "--sandbox", fix)
        self._command = [found, *_walls(), "--", os.path.realpath(sys.executable), "-I", "-S", "-c"]
        told = self._tried("pass" if proved else _PROOF)
        if told:
            raise BadInput(f"Bubblewrap does not work here: {told}.", "--sandbox", fix)

    def _tried(self, code: str) -> str:
        """What is wrong with it, if anything is."""
        try:
            done = subprocess.run(
                [*self._command, code], capture_output=True, timeout=60, check=False, env={}
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return said or f"it ended with {done.returncode}" if done.returncode else ""

    def run(self, code: str, bench: Workbench) -> None:
        """Run a snippet.

        Raises:
            SnippetFault: If it fails, or takes more than it may.
        """
        process = subprocess.Popen(
            [*self._command, _script(code, bench)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
        )
        try:
            talk = _Talk(process, bench)
            said = talk.until_it_ends()
            code_of_end = process.wait(max(_END, talk.left))
        except subprocess.TimeoutExpired:
            raise SnippetFault("TimeoutError: it does not end.") from None
        finally:
            process.kill()  # and, by the walls, whatever it started
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                _shut(pipe)
        if code_of_end in _SPENT:
            raise SnippetFault(f"TimeoutError: more than {bench.limits.seconds:g} s.")
        if code_of_end:
            raise SnippetFault(said or f"It was ended with {code_of_end}.")


class _Talk:
    """Answers the calls of a process, and keeps the end of what it says of itself."""

    def __init__(self, process: subprocess.Popen[bytes], bench: Workbench) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._answers, self._bench = process.stdin, bench
        self._calls, self._said = process.stdout, process.stderr
        self._asked = self._told = b""
        self._ready, self._due = False, time.monotonic() + _START

    @property
    def left(self) -> float:
        """Seconds that it may still take."""
        return max(0.0, self._due - time.monotonic())

    def until_it_ends(self) -> str:
        """What it said last, once it has closed its pipes.

        Raises:
            SnippetFault: If it starts too late, or then takes longer than its seconds.
        """
        with selectors.DefaultSelector() as pipes:
            pipes.register(self._calls, selectors.EVENT_READ)
            pipes.register(self._said, selectors.EVENT_READ)
            while pipes.get_map():
                ready = pipes.select(self.left)
                if not ready or not self.left:
                    raise SnippetFault(f"TimeoutError: more than {self._bench.limits.seconds:g} s.")
                for key, _ in ready:
                    part = os.read(key.fd, _LINE)
                    if not part:
                        pipes.unregister(key.fileobj)
                    elif key.fileobj is self._said:
                        self._told = (self._told + part)[-_LINE:]
                    else:
                        self._hear(part)
        return self._told.decode("utf-8", "replace")

    def _hear(self, part: bytes) -> None:
        *lines, self._asked = (self._asked + part).split(b"\n")
        if len(self._asked) > _LINE:
            raise SnippetFault("A call is too long.")
        if lines and not self._ready and lines[0] == _READY:  # before a word of the snippet
            self._ready, self._due = True, time.monotonic() + self._bench.limits.seconds
            del lines[0]
        for line in lines:
            try:
                self._answers.write(json.dumps(self._answer(line)).encode() + b"\n")
                self._answers.flush()
            except OSError:
                return  # it has ended

    def _answer(self, line: bytes) -> tuple[bool, str | None]:
        try:
            name, given, named = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            raise SnippetFault("It sent what is no call.") from None
        if not isinstance(name, str) or not isinstance(given, list) or not isinstance(named, dict):
            raise SnippetFault("It sent what is no call.")
        try:
            return True, self._bench.call(name, given, named)
        except TooMuch as fault:  # the pipe holds as many answers as it may make calls, no more
            raise SnippetFault(str(fault)) from None
        except ToolFault as fault:
            return False, str(fault)


def _walls() -> list[str]:
    """Options of bubblewrap; what is not named here is not there."""
    walls = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    walls += ["--cap-drop", "ALL"]
    for place in dict.fromkeys((*_LIBRARIES, os.path.realpath(sys.base_prefix))):
        if Path(place).is_symlink():
            walls += ["--symlink", os.readlink(place), place]
        elif Path(place).exists():
            walls += ["--ro-bind", place, place]
    return [*walls, "--remount-ro", "/", "--chdir", "/"]


def _script(code: str, bench: Workbench) -> str:
    limits = bench.limits
    inside = _INSIDE.format(
        limits=_kernel_limits(limits),
        recursion=limits.recursion + 50,
        functions=bench.functions,
        ready=_READY.decode(),
        values=repr(json.dumps(bench.values)),
    )
    return f"{inside}\n{code}\n"


def _kernel_limits(limits: SandboxLimits) -> Sequence[tuple[str, int]]:
    return (
        ("RLIMIT_AS", _SPACE + limits.memory),
        ("RLIMIT_CPU", int(limits.seconds) + 1),
        ("RLIMIT_NPROC", 16),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 16),
        ("RLIMIT_CORE", 0),
    )


def _shut(pipe: IO[bytes] | None) -> None:
    try:
        if pipe:
            pipe.close()
    except OSError:
        return  # nobody reads it any more
