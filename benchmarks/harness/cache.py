"""An empty cache for Attractory, but for the kernels that its installation compiles."""

from __future__ import annotations

import shutil
from pathlib import Path

from attractory._files import cache_folder
from attractory.kernels import native


def fresh_cache(folder: str) -> str:
    """Put this machine's compiled kernels, and nothing else, into an empty folder; returns it.

    Every program of JAX is compiled anew by a process that is given this folder.
    """
    native()  # compiles them where the installation did not
    kernels = cache_folder() / "kernels"
    if kernels.is_dir():
        shutil.copytree(kernels, Path(folder) / "kernels")
    return folder
