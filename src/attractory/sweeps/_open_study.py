"""Sweeps and tunings by their folders alone."""

from __future__ import annotations

from pathlib import Path

from attractory._arguments import takes
from attractory._files import as_path, exists, read_json
from attractory.sweeps._opened import Sweep, open_sweep
from attractory.sweeps._store import STUDY
from attractory.sweeps._tuning import Tuning, open_tuning


@takes()
def open_study(path: str | Path) -> Sweep | Tuning | None:
    """The sweep or the tuning in a folder, whichever it is.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    Sweep or Tuning or None
        As `open_sweep` or `open_tuning` gives it; None for a folder of neither.

    Raises
    ------
    FileProblem
        Where it is one, and cannot be read.
    """
    folder = as_path(path)
    if not exists(folder / STUDY):
        return None
    content = read_json(folder / STUDY)
    is_tuning = isinstance(content, dict) and "storage" in content
    return open_tuning(folder) if is_tuning else open_sweep(folder)
