"""A PostgreSQL server of the tests' own, with a password, on a free port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sweeps.commands import free_port

USER, PASSWORD = "tuner", "a-secret"


class Server:
    """The server, which can be stopped and started again.

    Parameters
    ----------
    programs : Path
        The folder of initdb and pg_ctl.
    account : str
        Whose processes it has: PostgreSQL refuses to run as root.
    folder : Path
        An empty folder of that account.
    """

    def __init__(self, programs: Path, account: str, folder: Path) -> None:
        self._programs, self._account, self._folder = programs, account, folder
        self.port = free_port()
        (folder / "password").write_text(PASSWORD)
        of_entry = ("--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
        self._run("initdb", "--pgdata=data", f"--username={USER}", "--no-sync", *of_entry)

    @property
    def address(self) -> str:
        """What a study says of it."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Return when it answers."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -F"
        self._run("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", "-o", options)

    def stop(self) -> None:
        """Cut off whoever is connected; nothing is done where it is stopped already."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--pgdata=data", "--mode=immediate")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            user=self._account,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def server() -> Iterator[Server]:
    """A server that runs meanwhile; the test is skipped where none can be had."""
    pytest.importorskip("psycopg")
    initdb = _initdb()
    if initdb is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    as_root = os.geteuid() == 0  # as whom PostgreSQL refuses to run
    account = "postgres" if as_root else pwd.getpwuid(os.geteuid()).pw_name
    # not among the folders of the test run, which are its user's alone
    folder = Path(tempfile.mkdtemp(prefix="attractory-postgres-"))
    try:
        shutil.chown(folder, account)
    except LookupError:
        folder.rmdir()
        pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres'")
    made = Server(initdb.parent, account, folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def _initdb() -> Path | None:
    """Where it is: Debian keeps it out of the path, by versions."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve()
    return max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)
