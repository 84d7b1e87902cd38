"""The command that chooses hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attractory.cli._app import app, begin, console, named_imports
from attractory.cli._ctrl_c import stopped_with
from attractory.cli._sweep import OF_STUDIES, OnlyStatus, Scheduler, StudyFile, print_files
from attractory.cli._tables import print_frame

if TYPE_CHECKING:
    from attractory.sweeps import Tuning

MOST_ROWS = 20  # of a Pareto front on a terminal


@app.command()
def tune(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the tuning (default: tunings/NAME OF THE FILE).")
    ] = None,
    status: OnlyStatus = False,
    trials: Annotated[int | None, typer.Option(help="Number of trials, over the study's.")] = None,
    scheduler: Scheduler = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes on this machine (default: this one alone).")
    ] = None,
) -> None:
    """Choose hyperparameters on validation trials; train the best again, score it on fresh ones.

    Example: attractory tune study.yaml --out tunings/rates
    """
    from attractory.sweeps import TuningStudy, open_tuning
    from attractory.sweeps import tune as tune_all

    folder = out or Path("tunings") / study.stem
    begin()
    asked = TuningStudy.read(study)
    if status:
        _print(open_tuning(folder, asked.storage))  # which has the password of a database
        return
    asked = asked.replace(
        imports=(*named_imports(), *asked.imports),
        trials=asked.trials if trials is None else trials,
    )
    with stopped_with(OF_STUDIES):
        made = tune_all(asked, folder, scheduler=scheduler, workers=workers)
    _print(made)


def _print(made: Tuning) -> None:
    """How trials stand, the best of them, and what they are worth on fresh seeds and trials."""
    console.print(made.statement, highlight=False, soft_wrap=True)
    if len(made.best):
        print_frame(console, made.best[["trial", *made.fields, *made.objectives]].head(MOST_ROWS))
        print_frame(console, made.optimism().head(MOST_ROWS))
    print_files(made.save_table())
