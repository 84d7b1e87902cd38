"""The command that measures the networks of a run through their training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attractory.cli._app import Cores, RunFolder, Seed, app, begin, console, loaded
from attractory.cli._ctrl_c import OF_RESULTS, stopped_with
from attractory.cli._tables import print_frame


@app.command()
def learning(
    folder: RunFolder,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="NAME",
            help="A measure; once for each (default: all that need no fixed points).",
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="Of the distance to the network at the last step, such as cka.")
    ] = "procrustes",
    points_too: Annotated[
        bool,
        typer.Option("--fixed-points", help="Births and losses of one network's fixed points."),
    ] = False,
    net: Annotated[
        int, typer.Option(help="Index of the network whose fixed points these are.")
    ] = 0,
    starts: Annotated[int, typer.Option(help="Starts of each search for fixed points.")] = 1024,
    trials: Annotated[int, typer.Option(help="Number of trials at each step.")] = 512,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Folder (default: RUN/learning).")] = None,
    cores: Cores = None,
) -> None:
    """What networks were like at each kept step of training: a page, a figure and tables.

    The run was trained with --set rule.keep_checks=true (and rule.check_every, updates between).

    Example: attractory learning runs/bit --measure accuracy --fixed-points
    """
    begin(cores)
    from attractory.population import points_through_learning, through_learning
    from attractory.report import write_learning

    run = loaded(folder)
    with stopped_with(OF_RESULTS):
        learned = through_learning(run, measures, None, metric, trials, seed)
        points = None
        if points_too:
            points = points_through_learning(run, net, n_starts=starts, seed=seed)
        place = out or folder / "learning"
        page = write_learning(learned, place / "learning.html", points, run)
    print_frame(console, learned.first_and_last())
    if points is not None:
        console.print(f"\nfixed points of network {points.net}, where anything is counted:")
        counts = points.table().convert_dtypes()  # steps as whole numbers
        print_frame(console, counts.loc[:, (counts != 0).any()])
    lines = [learned.statement, f"tables: {place}", f"report: {page}"]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
