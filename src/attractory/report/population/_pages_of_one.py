"""The pages of one result about many networks: how robust they are, how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attractory import figures
from attractory._arguments import a_name, instance_of, optional, takes
from attractory._files import a_path
from attractory.population import Battery, Learning, PointsThroughLearning
from attractory.report._page import write_page
from attractory.report._section import NOTHING, Content, Drawing, Section, Shown
from attractory.report._story import Told
from attractory.report._turning import turned
from attractory.report.population._portraits import space_of
from attractory.report.population._saved import save_battery, save_learning, save_points
from attractory.report.population._story_of_parts import (
    what_becomes_of_points,
    what_changes,
    what_was_tried,
    when_it_is_learned,
    where_they_fail,
)
from attractory.report.population.sections._battery import (
    RobustnessOfGroups,
    battery_content,
    battery_figures,
)
from attractory.report.population.sections._through_learning import (
    ThroughLearning,
    learning_content,
    learning_drawing,
)
from attractory.runs import Run

BIRTHS = (
    "The fixed points of network {net} at the kept steps (markers), by what it says there, and the "
    "curves on which they were followed in between: on the straight line from the weights of one "
    "kept step to those of the next, which is not the way that training took."
)
TURNING = (
    "The fixed points of network {net} in the three leading principal components of its states "
    "after training (grey); the slider chooses the step (drag to turn, hover to read)."
)


@takes(battery=instance_of(Battery, hint="at.population.battery(run)"), path=a_path, credit=a_name)
def write_robustness(battery: Battery, path: str | Path, credit: str = "") -> Path:
    """Write a page on how robust networks are, beside it its tables and its figure.

    Parameters
    ----------
    battery : Battery
        Of one run or of several, or of networks.
    path : str or Path
        The file. Its folder gets the tables (CSV, and all of it as NetCDF), and a folder `figures`.
    credit : str
        A sentence for the foot of the page, such as whose work it follows.

    Returns
    -------
    Path
        The page, which works offline.

    Raises
    ------
    FileProblem
        Where a file cannot be written.

    Examples
    --------
    >>> tried = at.population.battery({"noisy": run, "plain": other})  # doctest: +SKIP
    >>> at.report.write_robustness(tried, "runs/robustness/robustness.html")  # doctest: +SKIP
    """
    path = Path(path)
    save_battery(path.parent, battery)
    told = [
        Told("What was tried?", what_was_tried(battery)),
        Told("Where do they fail?", where_they_fail(battery)),
    ]
    section = _shown(RobustnessOfGroups(), battery_figures(battery), battery_content(battery))
    title = f"How robust {'is' if len(battery) == 1 else 'are'} {_count(len(battery))}?"
    return write_page(path, title, told, [section], credit)


@takes(
    learning=instance_of(Learning, hint="at.population.through_learning(run)"),
    path=a_path,
    points=optional(
        instance_of(PointsThroughLearning, hint="at.population.points_through_learning(run)")
    ),
    run=optional(instance_of(Run)),
    credit=a_name,
)
def write_learning(
    learning: Learning,
    path: str | Path,
    points: PointsThroughLearning | None = None,
    run: Run | None = None,
    credit: str = "",
) -> Path:
    """Write a page on what networks were like through their training, beside it tables and figures.

    Parameters
    ----------
    learning : Learning
        The measures of a run at its kept steps.
    path : str or Path
        The file. Its folder gets the tables (CSV, the measures also as NetCDF), and a folder
        `figures`.
    points : PointsThroughLearning, optional
        The fixed points of one of the networks at these steps: they get a section.
    run : Run, optional
        That the network is of: the three leading components of its states after training, in trials
        of its task, are the axes of a figure of the points that turns. None: there is none.
    credit : str
        A sentence for the foot of the page, such as whose work it follows.

    Returns
    -------
    Path
        The page, which works offline.

    Raises
    ------
    FileProblem
        Where a file cannot be written.

    Examples
    --------
    >>> learning = at.population.through_learning(run)  # doctest: +SKIP
    >>> at.report.write_learning(learning, "runs/bit/learning/learning.html")  # doctest: +SKIP
    """
    path = Path(path)
    save_learning(path.parent, {"": learning})
    told = _told({"": learning}, points)
    drawings = {"through_learning": learning_drawing(learning)}
    shown = [_shown(ThroughLearning(), drawings, learning_content({"": learning}))]
    if points is not None:
        save_points(path.parent, points)
        shown.append(_of_points(points, run))
    return write_page(path, f"How {_count(len(learning.net))} learned", told, shown, credit)


def _count(networks: int) -> str:
    return "one network" if networks == 1 else f"{networks} networks"


def _told(learning: Mapping[str, Learning], points: PointsThroughLearning | None) -> list[Told]:
    told = [
        Told("When is the task learned?", when_it_is_learned(learning)),
        Told("What changes?", what_changes(learning)),
    ]
    if points is not None:
        told.append(Told("What becomes of the fixed points?", what_becomes_of_points(points)))
    return [each for each in told if each.answer]


class _FixedPoints(Section):
    """Births and losses; the points in state space, a step at a time."""

    title = "Fixed points"


def _of_points(points: PointsThroughLearning, run: Run | None) -> Shown:
    caption = BIRTHS.format(net=points.net)
    drawings = {"births_and_losses": Drawing(caption, lambda: figures.births_and_losses(points))}
    content: Content = {
        "text": [what_becomes_of_points(points)],
        "table": points.table(),
        "folded": [("What becomes of each point", points.fates_table())],
        "turning": _turning(points, run),
    }
    return _shown(_FixedPoints(), drawings, content)


def _turning(points: PointsThroughLearning, run: Run | None) -> tuple[Any, ...]:
    space = None if run is None else space_of(run, points.net, 0)
    if space is None:
        return ()
    drawing = figures.points_through_learning_3d(points, space)
    return (turned(drawing, "turn", TURNING.format(net=points.net)),)


def _shown(section: Section, drawings: dict[str, Drawing], content: Content) -> Shown:
    return Shown(section, drawings, {**NOTHING, **content})
