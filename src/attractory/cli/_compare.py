"""The command that compares the networks of one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attractory._errors import InvalidSetting
from attractory.cli._app import Cores, app, begin, console, loaded
from attractory.cli._ctrl_c import OF_RESULTS, stopped_with

if TYPE_CHECKING:
    from attractory.runs import Run

OF_SEVERAL = Path("runs/compare")  # beside the runs, as `train` leaves them


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs.")],
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

    runs = _named(folders)
    given = next(iter(runs.values())) if len(runs) == 1 else runs
    with stopped_with(OF_RESULTS):
        results = population_study(given, metric, by, measures, trials=trials, seed=seed)
        place = out or (folders[0] / "compare" if len(folders) == 1 else OF_SEVERAL)
        results.save(place)
        page = write_population(results, place / "population.html")
    statements = [results.measures.statement, results.distances.statement, *results.omitted]
    for found in (results.differences, results.clusters):
        statements += [] if found is None else [found.statement]
    console.print("\n".join(statements), highlight=False)
    console.print(f"tables: {place}\nreport: {page}", highlight=False, soft_wrap=True)


def _named(folders: list[Path]) -> dict[str, Run]:
    """The runs by the names of their folders; by all of the path where two have the same name."""
    short = [folder.resolve().name for folder in folders]
    names = short if len(set(short)) == len(short) else [str(folder) for folder in folders]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InvalidSetting(f"RUN {', '.join(names)}: a run is given twice; allowed: once")
    return {name: loaded(folder) for name, folder in zip(names, folders, strict=True)}
