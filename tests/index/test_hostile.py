"""A folder sealed anew around other bytes is an error or a sound index, and never a crash.

What could end the process is tried in a process of its own.
"""

import itertools
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tastemaker import artifacts
from tastemaker.index.choice import IndexOptions
from tastemaker.index.vectors import make_index
from tests.index.worlds import some_vectors

ROOT = Path(__file__).parents[2]
COUNT, DIM, TRIES = 400, 6, 40
KINDS: tuple[Literal["hnsw"], Literal["ivf"]] = ("hnsw", "ivf")
FILES = ("engine.safetensors", "rows.safetensors", "vectors.safetensors")
Change = Callable[[Path, dict[str, Any]], None]
Tries = Iterator[tuple[str, Change]]


OPEN = """
    import json, sys
    from pathlib import Path
    import numpy as np
    from tastemaker.errors import ArtefactError
    from tastemaker.index import vectors
    vectors.FEW = 0
    verdicts = {}
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        print(folder.name, file=sys.stderr, flush=True)
        try:
            index = vectors.VectorIndex.open(folder)
        except ArtefactError:
            verdicts[folder.name] = "refused"
            continue
        queries = np.random.default_rng(0).standard_normal((20, index.dim), np.float32)
        ids, scores = index.search(queries, 10)
        some, _ = index.search(queries, 10, allow=index.ids[::2])
        assert np.isin(ids[ids >= 0], index.ids).all() and not np.isnan(scores).any()
        assert np.isin(some[some >= 0], index.ids[::2]).all()
        index.add([10**9], queries[:1])
        verdicts[folder.name] = "sound"
    print(json.dumps(verdicts))
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of every folder below, from one process that none of them may end."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "tries").mkdir()
    for kind in KINDS:
        sound, other = root / kind, root / f"{kind}-other"
        for folder, count in ((sound, COUNT), (other, COUNT + 1)):
            options = IndexOptions(kind=kind)
            make_index(some_vectors(count, DIM), options=options).save(folder)
        tries = (changed_words(sound), changed_headers(sound), parts(sound, other), efforts(sound))
        for number, (name, change) in enumerate(itertools.chain(*tries)):
            place = Path(shutil.copytree(sound, root / "tries" / f"{kind} {name} {number:03}"))
            meta = artifacts.meta_of(place)
            change(place, meta)
            (place / artifacts.MANIFEST).unlink()
            artifacts.seal(place, "index", meta, [path.name for path in place.iterdir()])
        shutil.copytree(sound, root / "tries" / f"{kind} same")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OPEN), root / "tries"],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    found: dict[str, str] = json.loads(done.stdout)
    return found


def changed_words(sound: Path) -> Tries:
    """Values of an engine are overwritten where they matter most: one, some or many of them."""
    rng = np.random.default_rng(0)
    wild = np.array([-1, -2, COUNT, 2**31 - 1, -(2**31), 7, 0], np.int32)
    raw = (sound / FILES[0]).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    for number in range(TRIES):
        words = np.frombuffer(raw, np.int32, offset=start).copy()
        spots = rng.integers(0, len(words), 10 ** (number % 4))
        words[spots] = rng.choice(wild, len(spots))
        yield "words", written(FILES[0], raw[:start] + words.tobytes())


def changed_headers(sound: Path) -> Tries:
    """Shapes, types and offsets beyond the file, or that do not fit it."""
    for name in FILES:
        raw = (sound / name).read_bytes()
        size = int.from_bytes(raw[:8], "little")
        for tensor in json.loads(raw[8 : 8 + size]):
            for change in range(4):
                header = json.loads(raw[8 : 8 + size])
                told = header[tensor]
                if change == 0:
                    told["shape"][0] = 2**40
                elif change == 1:
                    told["data_offsets"] = [place + 4 for place in told["data_offsets"]]
                elif change == 2:
                    told["dtype"] = "F64"
                else:
                    told["shape"] = [*told["shape"], 1, 1]
                text = json.dumps(header).encode()
                yield (
                    "header",
                    written(name, len(text).to_bytes(8, "little") + text + raw[8 + size :]),
                )


def parts(sound: Path, other: Path) -> Tries:
    """Files of an index of one vector more."""
    for name in FILES:
        yield "part", written(name, (other / name).read_bytes())


def efforts(sound: Path) -> Tries:
    """A search with them would take for ever, or all memory."""
    for effort in (0, -1, 10**6, 2**31, 2**63, 1.5, "9", None, True):
        yield "effort", told(effort)


def written(name: str, raw: bytes) -> Change:
    return lambda place, meta: None if (place / name).write_bytes(raw) else None


def told(effort: object) -> Change:
    return lambda place, meta: meta["calibration"]["parameters"].update(effort=effort)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["header", "part", "effort"])
def test_what_cannot_be_sound_is_refused(verdicts: dict[str, str], kind: str, name: str) -> None:
    found = {told for folder, told in verdicts.items() if folder.startswith(f"{kind} {name} ")}
    assert found == {"refused"}


@pytest.mark.parametrize("kind", KINDS)
def test_changed_values_are_refused_or_harmless(verdicts: dict[str, str], kind: str) -> None:
    found = [told for folder, told in verdicts.items() if folder.startswith(f"{kind} words ")]
    assert len(found) == TRIES and found.count("refused") >= TRIES // 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_one_is_opened(verdicts: dict[str, str], kind: str) -> None:
    assert verdicts[f"{kind} same"] == "sound"
