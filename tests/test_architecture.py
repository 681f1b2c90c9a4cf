"""The house rules that a program can check (DESIGN §1, STYLE §4)."""

import ast
import re
import subprocess
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tastemaker"
SOURCES = sorted(PACKAGE.rglob("*.py"))
IDEAS = ("sasrec", "esasrec", "hstu", "hllm", "persrec", "priors", "mtmh", "vrec", "gistbench",
         "cafe", "video_budget", "restrain", "vtool", "fedssd")  # fmt: skip
BANNED_WORDS = {"utils", "util", "misc", "helpers", "helper", "common", "base", "manager"}
BANNED_CALLS = re.compile(
    r"pickle|(?<![.\w])(?:eval|exec)\(|yaml\.load|allow_pickle=True|weights_only=False"
    r"|torch\.load|joblib|trust_remote_code\W+(?!False)\w"
)
OPENERS = ("tastemaker/models/library.py", "tastemaker/models/vision_library.py")
FOREIGN = re.compile(r"trust_remote_code|from_pretrained|from_config|CONFIG_MAPPING|AutoModel")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def code_of(path: Path) -> str:
    """Source without comments and docstrings: words in prose are no calls."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(value=None)
    return ast.unparse(tree)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_small_and_functions_smaller(path: Path) -> None:
    assert lines_of(path) <= 300
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 60, node.name


def test_most_files_are_smaller_still() -> None:
    lengths = [lines_of(path) for path in SOURCES]
    assert quantiles(lengths, n=10)[-1] <= 250
    assert median(lengths) <= 150


MODULES = {".".join(path.with_suffix("").relative_to(ROOT).parts): path for path in SOURCES}


def imported(path: Path) -> set[str]:
    """Modules of the package that a module imports, wherever in it; types alone do not count."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        waiting += ast.iter_child_nodes(node)
    return found & MODULES.keys()


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Not inside a room either, where the contract of rooms does not look."""
    left = {name: imported(path) for name, path in MODULES.items()}
    while free := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in free}
    assert not left, f"in a circle, or importing one: {sorted(left)}"


def test_names_say_what_is_inside() -> None:
    tracked = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "recipes").glob("*.py")]
    for path in tracked:
        assert not BANNED_WORDS & set(path.stem.split("_")), path


def test_folders_are_shallow() -> None:
    for path in SOURCES:
        inside = path.relative_to(PACKAGE).parts
        assert len(inside) <= 2 or inside[:2] == ("serve", "web"), path


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "__init__.py"], ids=name_of)
def test_every_source_has_its_mirror_test(path: Path) -> None:
    inside = path.relative_to(PACKAGE)
    assert (ROOT / "tests" / inside.parent / f"test_{inside.name}").is_file()


@pytest.mark.parametrize("idea", IDEAS)
def test_ideas_have_all_their_homes(idea: str) -> None:
    found = [path for path in SOURCES if path.stem == idea]
    if not found:
        return
    inside = found[0].relative_to(PACKAGE)
    assert (ROOT / "tests" / inside.parent / f"test_{idea}.py").is_file()
    assert (ROOT / "docs" / "papers" / f"{idea}.md").is_file()
    assert list((ROOT / "recipes").glob(f"{idea}*.py"))
    assert f"({idea}.md)" in (ROOT / "docs" / "papers" / "index.md").read_text()


def test_nothing_in_the_package_can_run_foreign_code() -> None:
    for path in SOURCES:
        found = BANNED_CALLS.search(code_of(path))
        assert not found, f"{name_of(path)}: {found}"


def test_foreign_models_are_opened_in_two_places() -> None:
    """Where every call says that no code of a model runs; the word stands nowhere else."""
    for path in SOURCES:
        if name_of(path) not in OPENERS:
            found = FOREIGN.search(code_of(path))
            assert not found, f"{name_of(path)}: {found}"
    openers = [node for name in OPENERS for node in ast.walk(ast.parse((ROOT / name).read_text()))]
    for node in openers:
        if isinstance(node, ast.Call) and re.search(
            r"from_(pretrained|config)$", ast.unparse(node.func)
        ):
            call = ast.unparse(node)
            assert re.search(r"\*\*_SAFE|trust_remote_code=False|^EfficientNet", call), call


def test_reflection_is_rare() -> None:
    code = "\n".join(code_of(path) for path in SOURCES)
    uses = len(re.findall(r"\b(hasattr|getattr|setattr)\(", code))
    assert uses / (sum(map(lines_of, SOURCES)) / 1000) <= 2, uses


def test_tests_keep_up_with_sources() -> None:
    tests = sum(map(lines_of, (ROOT / "tests").rglob("*.py")))
    assert tests / sum(map(lines_of, SOURCES)) >= 0.95


def test_recipes_are_short() -> None:
    for path in (ROOT / "recipes").glob("*.py"):
        shared = "def main" not in path.read_text() or path.stem == "render"
        assert lines_of(path) <= (200 if shared else 90), path


def test_no_path_of_a_machine_is_tracked() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    machine = re.compile(rb"/(?:work|home|root)/[a-z]")
    for name in listed.stdout.split(b"\0"):
        path = ROOT / name.decode()
        if path.is_file() and path.suffix not in (".parquet", ".png"):
            assert not machine.search(path.read_bytes().replace(b"/home/user", b"")), path
