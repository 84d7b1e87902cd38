"""The command that compares the networks of one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attractory.cli._app import Cores, app, begin, console
from attractory.cli._ctrl_c import OF_RESULTS, stopped_with
from attractory.cli._several import RunFolders, place_of, runs_in


@app.command()
def compare(
    folders: RunFolders,
    metric: Annotated[
        str,
        typer.Option(help="Name of a distance, such as cka, rsa, dsa, behaviour or your own."),
    ] = "procrustes",
    by: Annotated[str, typer.Option(help="What makes the groups: run, rule or units.")] = "run",
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="NAME",
            help="A measure; once for each (default: all that need no fixed points).",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(help="Number of trials for the measures.")] = 512,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    battery: Annotated[
        bool, typer.Option("--battery", help="How robust they are, too: see `robustness`.")
    ] = False,
    learning: Annotated[
        bool, typer.Option("--learning", help="Each through its training, too: see `learning`.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder (default: RUN/compare; of several runs runs/compare)."),
    ] = None,
    cores: Cores = None,
) -> None:
    """In what networks differ: measures, distances, groups and clusters, as a page and tables.

    Example: attractory compare runs/two runs/gru --metric cka --by rule
    """
    begin(cores)
    from attractory.report import population_study, write_population

    given = runs_in(folders)
    with stopped_with(OF_RESULTS):
        results = population_study(
            given, metric, by, measures,
            trials=trials, seed=seed, battery=battery, learning=learning,
        )  # fmt: skip
        place = out or place_of(folders, "compare")
        results.save(place)
        page = write_population(results, place / "population.html")
    statements = [results.measures.statement, results.distances.statement, *results.omitted]
    for found in (results.differences, results.clusters):
        statements += [] if found is None else [found.statement]
    console.print("\n".join(statements), highlight=False)
    console.print(f"tables: {place}\nreport: {page}", highlight=False, soft_wrap=True)
