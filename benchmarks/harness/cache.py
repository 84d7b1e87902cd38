"""An empty cache for Attractory, but for the kernels that its installation compiles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from attractory.kernels import native
from attractory.kernels._native import kept_in


def fresh_cache(folder: str) -> str:
    """Put this machine's compiled kernels, and nothing else, into an empty folder; returns it.

    Every program of JAX is compiled anew by a process that is given this folder. Raises SystemExit
    where a process would compile the kernels, too: its seconds would not be those of a training.
    """
    native()  # compiles them where the installation did not
    kernels = Path(kept_in())
    if kernels.is_dir():
        shutil.copytree(kernels, Path(folder) / kernels.name)
        os.chmod(folder, 0o700)
        _check(folder)
    return folder


def _check(folder: str) -> None:
    asked = "import sys; from attractory.kernels import to_compile; sys.exit(to_compile())"
    environment = {**os.environ, "ATTRACTORY_CACHE": folder}
    if subprocess.run([sys.executable, "-c", asked], env=environment).returncode != 0:
        raise SystemExit(f"the kernels in {folder} are not found by a process that is given it")
