"""The command line as other processes run it: at once, killed, and begun again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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

    def kill_all(self) -> None:
        """SIGKILL to it and to its workers."""
        os.killpg(self.pid, signal.SIGKILL)
        self.communicate()
