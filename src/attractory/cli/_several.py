"""Commands on several runs: which these are, and where their results go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attractory._errors import InvalidSetting
from attractory.cli._app import loaded

if TYPE_CHECKING:
    from attractory.runs import Run

BESIDE = Path("runs")  # the folder that `train` leaves runs in

RunFolders = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")]


def runs_in(folders: list[Path]) -> Run | dict[str, Run]:
    """One run; or several by the names of their folders, by all of the path where two are alike."""
    short = [folder.resolve().name for folder in folders]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in folders]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InvalidSetting(f"RUN {', '.join(names)}: a run is given twice; allowed: once")
    runs = {name: loaded(folder) for name, folder in zip(names, folders, strict=True)}
    return next(iter(runs.values())) if len(runs) == 1 else runs


def place_of(folders: list[Path], name: str) -> Path:
    """The usual folder of results: in that of the run; of several in `runs`, beside them."""
    return (folders[0] if len(folders) == 1 else BESIDE) / name
