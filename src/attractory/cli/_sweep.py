"""The command that trains all runs of a study."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attractory._errors import InvalidSetting
from attractory.cli._app import app, begin, console, named_imports
from attractory.cli._ctrl_c import stopped_with
from attractory.cli._tables import print_frame, table

if TYPE_CHECKING:
    from attractory.sweeps import Study, Sweep

OF_STUDIES = "what is done is kept; the same command goes on with the rest"
MOST_ROWS = 40  # of a table on a terminal; all of them are in the file


# what the commands on studies have in common
StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="YAML file of the study.")]
OnlyStatus = Annotated[
    bool, typer.Option("--status", help="Only say how far it is; nothing is trained.")
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786.")
]


@app.command()
def sweep(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sweep (default: sweeps/NAME OF THE FILE).")
    ] = None,
    status: OnlyStatus = False,
    redo: Annotated[
        str | None, typer.Option(help="failed: also try again what failed or was lost before.")
    ] = None,
    retries: Annotated[int, typer.Option(help="How often a run is tried again.")] = 2,
    scheduler: Scheduler = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of workers (default: one a core).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all points, show the workers; train nothing.")
    ] = False,
) -> None:
    """Train all runs of a study, on this machine or a cluster; repeated, it goes on where it was.

    Example: attractory sweep study.yaml --out sweeps/rates
    """
    folder = out or Path("sweeps") / study.stem
    if status:
        from attractory.sweeps import open_sweep

        _print(open_sweep(folder))
        return
    begin()
    asked = _read(study)
    if dry_run:
        _print_plan(asked, scheduler, workers)
        return
    from attractory.sweeps import sweep as sweep_all

    with stopped_with(OF_STUDIES):
        made = sweep_all(
            asked, folder, scheduler=scheduler, workers=workers, retries=retries, redo=redo
        )
    _print(made)
    if made.status["failed"] or made.status["lost"]:
        raise InvalidSetting(f"{made.statement}; --redo failed tries again what is not done")


def _read(file: Path) -> Study:
    """The study, with the files of this command line among its imports."""
    from attractory.sweeps import Study

    study = Study.read(file)
    return study.replace(imports=(*named_imports(), *study.imports))


def _print_plan(study: Study, scheduler: str | None, workers: int | None) -> None:
    """What would be done."""
    from attractory.sweeps import plan

    console.print(plan(study, scheduler, workers), highlight=False, soft_wrap=True, markup=False)


def _print(made: Sweep) -> None:
    """How runs stand, those that failed, and what the others come to."""
    console.print(made.statement, highlight=False)
    failed = made.failures()
    if len(failed):
        rows = table("run", "status", "why", words=3)
        for row in failed.to_dict("records"):
            rows.add_row(str(row["run"]), row["status"], str(row["line"]))
        console.print(rows)
    frame: Any = made.table()
    shown = frame[frame["status"] == "done"].drop(columns=[c for c in HIDDEN if c in frame])
    if len(shown):
        print_frame(console, shown.head(MOST_ROWS))
    file = made.save_table()
    more = f" ({len(shown) - MOST_ROWS} more rows there)" if len(shown) > MOST_ROWS else ""
    print_files(file, more)


def print_files(table: Path, more: str = "") -> None:
    """Where all rows are, and the command that writes the page."""
    lines = [f"table: {table}{more}", f"page: attractory report {shlex.quote(str(table.parent))}"]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


HIDDEN = ("status", "line", "attempt", "host", "memory", "distance", "validation_loss")
