"""The command that tries how robust the networks of one or several runs are."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attractory.cli._app import Cores, Seed, app, begin, console
from attractory.cli._ctrl_c import OF_RESULTS, stopped_with
from attractory.cli._several import RunFolders, place_of, runs_in
from attractory.cli._tables import print_frame

if TYPE_CHECKING:
    import pandas as pd

    from attractory.population import Battery


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
    print_frame(console, _narrow(tried))
    left_out = [f"not tried: {axis}: {why}" for axis, why in tried.skipped.items()]
    left_out += [f"left out, diverged in training: {name}" for name in tried.left_out]
    lines = [*left_out, f"tables: {place}", f"report: {page}"]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _narrow(tried: Battery) -> pd.DataFrame:
    """The thresholds, narrow enough for a terminal: what belongs together is one column."""
    table = tried.thresholds()
    rows = table.to_dict("records")
    table["reached"] = [f"{row['reached']} of {row['networks']}" for row in rows]
    table["median"] = [f"{row['median']:.3g}" for row in rows]
    table["mean (95 %)"] = [
        "\N{EN DASH}"
        if isnan(row["mean"])
        else f"{row['mean']:.3g} ({row['low']:.3g} to {row['high']:.3g})"
        for row in rows
    ]
    left_out = ["networks", "mean", "low", "high"] + ([] if tried.groups else ["group"])
    narrow = table.drop(columns=left_out, errors="ignore")  # none of them of axes without numbers
    return narrow.rename(columns={"below_from_start": "from start"})


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
