"""The command that tries how robust the networks of one or several runs are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from attractory.cli._app import Cores, Seed, app, begin, console
from attractory.cli._ctrl_c import OF_RESULTS, stopped_with
from attractory.cli._several import RunFolders, place_of, runs_in
from attractory.cli._tables import print_frame


@app.command()
def robustness(
    folders: RunFolders,
    axes: Annotated[
        list[str] | None,
        typer.Option(
            "--axis",
            metavar="NAME[=VALUES]",
            help="What is varied, one of your own, too; once for each (default: all that have "
            "usual values).",
        ),
    ] = None,
    score: Annotated[str, typer.Option(help="correct (trials) or accuracy (signs).")] = "correct",
    level: Annotated[
        float | None,
        typer.Option(help="Score below which a network fails (default: halfway from chance to 1)."),
    ] = None,
    repeats: Annotated[int, typer.Option(help="How often what is random is drawn anew.")] = 3,
    trials: Annotated[int, typer.Option(help="Number of trials at each value.")] = 256,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder (default: RUN/robustness; of several runs runs/robustness)."),
    ] = None,
    cores: Cores = None,
) -> None:
    """How robust networks are, axis by axis: thresholds, as a page, a figure and tables.

    Example: attractory robustness runs/two --axis lesioned_units --axis noise=0,0.2,0.4
    """
    begin(cores)
    from attractory.population import battery
    from attractory.report import write_robustness

    given = runs_in(folders)
    with stopped_with(OF_RESULTS):
        tried = battery(given, None, _with_values(axes), score, level, repeats, trials, seed)
        place = out or place_of(folders, "robustness")
        page = write_robustness(tried, place / "robustness.html")
    thresholds = tried.thresholds()
    print_frame(console, thresholds if tried.groups else thresholds.drop(columns="group"))
    left_out = [f"not tried: {axis}: {why}" for axis, why in tried.skipped.items()]
    left_out += [f"left out, diverged in training: {name}" for name in tried.left_out]
    lines = [*left_out, f"tables: {place}", f"report: {page}"]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _with_values(axes: list[str] | None) -> dict[str, list[Any] | None] | None:
    """The axes by name, each with its values; None for the usual ones."""
    if axes is None:
        return None
    from attractory.cli._config import listed_values

    named = [axis.partition("=") for axis in axes]
    return {
        name: listed_values(f"--axis {name}", values) if equals else None
        for name, equals, values in named
    }
