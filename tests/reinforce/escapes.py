"""Snippets that try to get out, to read what is not theirs, or to take all there is."""

LEAK = "focus_on_columns_with_mask(image_1, [str({})[:150]], columns_bbox)\n"
"""What is read is handed over as a name, which the notes of a snippet would repeat."""


def leak(expression: str, before: str = "") -> str:
    return f"{before}\n{LEAK.format(expression)}"


NAKED = "display.__globals__['_os'].environ['CANARY']"
"""The environment, by the globals that a function of plain Python has."""
SUBCLASSES = "().__class__.__base__.__subclasses__()"

READING = {
    "file": leak("open('{canary}').read()"),
    "file by path": leak("Path('{canary}').read_text()", "from pathlib import Path"),
    "file by handle": leak("os.read(os.open('{canary}', 0), 99)", "import os"),
    "file by io": leak("io.open('{canary}').read()", "import io"),
    "symlink": leak("open('{escaped}').read()", "import os\nos.symlink('{canary}', '{escaped}')"),
    "environment": leak("os.environ['CANARY']", "import os"),
    "environment by name": leak("os.getenv('CANARY')", "import os"),
    "process information": leak(
        "open('/proc/self/environ').read().partition('CANARY=')[2][:10]",
    ),
    "process's files": leak("open('/proc/self/root{canary}').read()"),
    "parent's files": leak("open(f'/proc/{os.getppid()}/root{canary}').read()", "import os"),
    "command": leak("os.popen('cat {canary}').read()", "import os"),
    "system": "import os\nos.system('cp {canary} {escaped}')",
    "subprocess": leak("subprocess.check_output(['cat', '{canary}'])", "import subprocess"),
    "exec family": "import os\nos.execv('/bin/cp', ['cp', '{canary}', '{escaped}'])",
    "spawn": "import os\n"
    "os.waitpid(os.posix_spawn('/bin/cp', ['cp', '{canary}', '{escaped}'], {}), 0)",
    "ctypes": "import ctypes\nctypes.CDLL(None).system(b'cp {canary} {escaped}')",
    "write": "open('{escaped}', 'w').write('out')",
    "write by path": "from pathlib import Path\nPath('{escaped}').write_text('out')",
    "network": "import socket\ns = socket.create_connection(('127.0.0.1', {port}))\ns.send(b'out')",
    "network by http": "import urllib.request\n"
    "urllib.request.urlopen('http://127.0.0.1:{port}', timeout=0.2)",
    "subclasses": leak(
        f"[c for c in {SUBCLASSES} if c.__name__ == '_wrap_close'][0]"
        ".__init__.__globals__['environ']['CANARY']"
    ),
    "subclasses of files": leak(
        f"[d for c in {SUBCLASSES} if c.__name__ == '_IOBase' for b in c.__subclasses__()"
        " for d in b.__subclasses__() if d.__name__ == 'FileIO'][0]('{canary}').read()"
    ),
    "globals of a function": leak(NAKED),
    "builtins": leak(
        "(__builtins__['open'] if isinstance(__builtins__, dict) else __builtins__.open)"
        "('{canary}').read()"
    ),
    "import function": leak("__import__('os').environ['CANARY']"),
    "import by spelling": leak("__import__('o' + 's').environ['CANARY']"),
    "import hook": "import sys\nclass Hook:\n    def find_spec(self, *rest):\n"
    "        open('{escaped}', 'w')\nsys.meta_path.insert(0, Hook())\nimport nothing",
    "modules": leak("sys.modules['os'].environ['CANARY']", "import sys"),
    "frames": leak("sys._getframe(0).f_globals['_os'].environ['CANARY']", "import sys"),
    "traceback frames": "try:\n    1/0\nexcept Exception as e:\n    "
    + LEAK.format("e.__traceback__.tb_frame.f_globals['_os'].environ['CANARY']"),
    "format string": leak("'{0.__globals__[_os].environ[CANARY]}'.format(display)"),
    "format of a text in parts": leak('f\'{display.__globals__["_os"].environ["CANARY"]}\''),
    "attribute chain": leak("getattr(getattr(display, '__globals__')['_os'], 'environ')['CANARY']"),
    "attribute by spelling": leak("getattr(display, '__glo' + 'bals__')['_os'].environ['CANARY']"),
    "eval": leak("eval(\"__import__('os').environ['CANARY']\")"),
    "exec": "exec(\"import os; os.system('cp {canary} {escaped}')\")",
    "compile": "exec(compile(\"open('{escaped}', 'w')\", 'x', 'exec'))",
    "pickle": "import pickle\npickle.loads(b\"cos\\nsystem\\n(S'cp {canary} {escaped}'\\ntR.\")",
    "generator frame": leak(
        "g.gi_frame.f_globals['_os'].environ['CANARY']", "def f():\n    yield 1\ng = f()"
    ),
    "lambda": leak("(lambda: open('{canary}').read())()"),
    "comprehension": leak("[open(p).read() for p in ['{canary}']]"),
    "star import": leak("environ['CANARY']", "from os import *"),
}
"""By what they do; `{canary}`, `{escaped}` and `{port}` are filled in.

Each gets the canary out, or makes a file or a connection, where there is no wall around Python.
"""

ODD = {
    "foreign interface": "import cffi\ncffi.FFI().dlopen(None)",
    "closure of a function": leak("display.__closure__"),
    "code of a function": leak("focus_on_columns_with_draw.__code__.co_consts"),
    "self of a function": leak("display.__self__"),
    "code object": "def f(): pass\nf.__code__ = f.__code__.replace(co_code=b'\\x00')\nf()",
    "the package": leak("tastemaker.__file__", "import tastemaker"),
    "an image's file": leak("image_1.fp.read()"),
    "another's handle": "display('<image 2>')",
    "a forged handle": "display({'handle': 1})",
    "signal": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "exit": "import sys\nsys.exit(0)",
    "exit at once": "import os\nos._exit(0)",
    "quit": "raise SystemExit",
    "interrupt": "raise KeyboardInterrupt",
    "debugger": "breakpoint()",
    "input": leak("input()"),
    "a decorator": "@display\ndef f(): pass",
    "walrus": "(image_2 := display)",
}
"""What ends the process that runs it, or looks at what is none of its own; it shows no picture."""

ENDLESS = {
    "loop": "while True:\n    pass",
    "loop that catches": "while True:\n    try:\n        1/0\n    except Exception:\n        pass",
    "loop of calls": "while True:\n    focus_on_columns_with_mask(image_1, ['Year'], columns_bbox)",
    "loop of caught calls": "while True:\n    try:\n        display(7)\n    except Exception:\n"
    "        pass",
    "loop that prints": "while True:\n    print('x' * 1000)",
    "recursion": "def f():\n    return f()\nf()",
    "recursion in itself": "def f(n):\n    return [f(n + 1) for _ in range(9)]\nf(0)",
    "list of ten gigabytes": "x = [0] * 10**10",
    "text of ten gigabytes": "x = 'a' * 10**10",
    "bytes of ten gigabytes": "x = bytearray(10**10)",
    "doubling list": "x = [0]\nwhile True:\n    x = x + x",
    "doubling text": "x = 'ab'\nwhile True:\n    x += x",
    "growing dict": "d = {}\nn = 0\nwhile True:\n    d[n] = str(n) * 10\n    n += 1",
    "power": "x = 9**9**9",
    "power by steps": "x = 3\nwhile True:\n    x = x * x",
    "shift": "x = 1 << 10**11",
    "factorial": "import math\nmath.factorial(10**7)",
    "range as a list": "x = list(range(10**9))",
    "sum": "x = sum(range(10**11))",
    "sort": "x = sorted(str(n) for n in range(10**7))",
    "nested loops": "for a in range(10**5):\n    for b in range(10**5):\n        pass",
    "regular expression": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    "regular expression of counts": "import re\n"
    "re.compile('((a{1,99}){1,99}){1,99}').match('a' * 9999)",
    "format width": "x = '{:>10000000000}'.format(1)",
    "percent width": "x = '%10000000000d' % 1",
    "sleep": "import time\nwhile True:\n    time.sleep(60)",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "threads": "import threading\nwhile True:\n    threading.Thread(target=print).start()",
    "deep list": "x = []\nwhile True:\n    x = [x]",
    "generator": "def f():\n    while True:\n        yield 1\nfor _ in f():\n    pass",
    "replace": "x = 'a' * 10**6\nwhile True:\n    x = x.replace('a', 'aa')",
    "join": "x = ','.join(['a' * 10**6] * 10**5)",
    "product": "import itertools\nx = list(itertools.product(range(99), repeat=9))",
}
