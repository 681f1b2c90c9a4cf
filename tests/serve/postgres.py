"""A PostgreSQL of the tests' own: in a temporary folder, on a socket there, gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

USER = "tastemaker"


def programs() -> Path:
    """Folder of the newest `initdb` and `postgres`, or a skip with the reason."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    if not folders:
        pytest.skip("PostgreSQL is not installed")
    return max(folders, key=lambda path: [int(part) for part in path.parts if part.isdigit()])


def as_somebody() -> list[str]:
    """Words before a command: root may not run a database, so its own user does.

    A server whose tests are killed goes too.
    """
    if not shutil.which("setpriv"):
        if os.getuid() == 0:
            pytest.skip("PostgreSQL does not run as root, and setpriv is missing")
        return []
    after = ["--pdeathsig", "INT"]
    if os.getuid() != 0:
        return ["setpriv", *after]
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    who = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *who, *after]


@dataclass
class Postgres:
    """One server, which can be stopped and started again."""

    folder: Path
    bin: Path
    before: list[str]
    process: subprocess.Popen[bytes] | None = None
    made: int = 0

    @classmethod
    def make(cls) -> "Postgres":
        """A new server that listens on a socket in its folder."""
        found, before = programs(), as_somebody()
        folder = Path(tempfile.mkdtemp(prefix="tm-pg-"))
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
        made = cls(folder, found, before)
        words = ["-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        done = subprocess.run(
            [*before, found / "initdb", *words, "--no-sync"], cwd=folder, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()
        made.start()
        return made

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, self.bin / "postgres", "-D", self.folder / "data", *words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        for _ in range(300):
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.1)
            else:
                return
        raise AssertionError("PostgreSQL does not answer")

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop at once, letting go of everybody who is connected."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def execute(self, statement: str) -> None:
        """Run a statement outside any store."""
        socket = str(self.folder)
        with psycopg.connect(host=socket, user=USER, dbname="postgres", autocommit=True) as link:
            link.execute(statement.encode())

    def url(self, database: str = "postgres") -> str:
        """URL of a database."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """URL of a new, empty place: a schema, which is made sooner than a database."""
        self.made += 1
        self.execute(f"CREATE SCHEMA s{self.made}")
        return f"{self.url()}&options=-csearch_path%3Ds{self.made}"
