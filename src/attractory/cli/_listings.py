"""The commands that say what there is: tasks, rules, losses, penalties and what else has a name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attractory.cli._app import Seed, TaskSettings, app, begin, console


@app.command()
def tasks(
    name: Annotated[str | None, typer.Argument(help="Name of a task.")] = None,
    settings: TaskSettings = None,
    trials: Annotated[int, typer.Option(help="Number of trials to draw.")] = 3,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="Folder of the picture.")] = Path("runs/tasks"),
) -> None:
    """The tasks there are; or one: its settings, how good one can be at it, trials as a picture.

    Example: attractory tasks context_decision --set task.dt=50 --trials 4
    """
    begin(compute=False)
    from attractory.cli import _tasks

    if name is None:
        _tasks.print_all(console)
        return
    from attractory import figures
    from attractory.cli._config import task_settings
    from attractory.tasks import get

    task = get(name, **task_settings(settings or []))
    drawn = task.sample(trials, seed)
    _tasks.print_task(console, task)
    _tasks.print_trials(console, drawn)
    picture, _ = figures.save(figures.trials(drawn, trials), out, Path(name).name)
    console.print(f"picture: {picture}", highlight=False, soft_wrap=True)


@app.command()
def rules(
    name: Annotated[str | None, typer.Argument(help="Name of a rule, a loss or a penalty.")] = None,
) -> None:
    """The learning rules, losses and penalties there are; or one of them and its settings.

    Example: attractory rules force
    """
    begin(compute=False)
    from attractory.cli import _rules

    if name is None:
        _rules.print_all(console)
    else:
        _rules.print_one(console, name)
