"""The command line as other processes run it: at once, killed, and begun again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

# half a second of training and more, so that a kill finds one on its way
COMMON = {
    "task": {"name": "flipflop", "bits": 1, "steps": 40, "first_onset": [5, 10], "delay": 4},
    "model": {"units": 16},
    "rule": {"steps": 400, "batch": 8, "validation": 0},
    "scoring": {"trials": 16},
}


def write_study(folder: Path, **more: Any) -> Path:
    """A study in a folder: the common settings, and those that are given."""
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump({**COMMON, **more}))
    return file


class Begun(subprocess.Popen[str]):
    """`attractory ...` in a folder, in a group of processes with all its workers."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        super().__init__(
            [sys.executable, "-m", "attractory", *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def said(self) -> str:
        """All that it says, once it has ended."""
        return self.communicate()[0]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def served(port: int, **environment: str) -> list[subprocess.Popen[bytes]]:
    """A scheduler and a worker of it as processes of their own; the variables are the worker's."""
    command = [sys.executable, "-m"]
    of_dask = [*command, "distributed.cli.dask_scheduler", "--port", str(port)]
    of_worker = [*command, "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*of_dask, "--no-dashboard"], **quiet)
    wait_for(port)
    worker = subprocess.Popen(
        [*of_worker, "--nthreads", "1", "--no-dashboard"],
        env={**os.environ, **environment},
        **quiet,
    )
    return [scheduler, worker]


def wait_for(port: int) -> None:
    """Until somebody listens; TimeoutError after a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nobody listens on port {port}")


def ended(processes: list[subprocess.Popen[bytes]]) -> None:
    """Processes killed, those of them that still run."""
    for process in processes:
        process.kill()
        process.wait()
