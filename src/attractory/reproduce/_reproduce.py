"""The paper from one call: train (or import), measure, draw, report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from attractory._errors import InvalidSetting, shown
from attractory.models import RateRNN
from attractory.report import Effort, Study, study, write
from attractory.reproduce._page import CREDIT, paper_sections
from attractory.rules import BPTT
from attractory.runs import Run, imported
from attractory.tasks import FlipFlop
from attractory.training import train

Preset = Literal["fast", "paper"]


def reproduce(
    preset: Preset = "fast",
    nets: int = 4,
    units: int = 400,
    source: str | Path | None = None,
    seed: int = 0,
    path: str | Path = "runs/reproduce",
    progress: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Study:
    """Jarne (2024) from beginning to end: networks, scores, figures 1 to 7, fixed points, one page.

    Parameters
    ----------
    preset : str
        "fast" trains the paper's network (equation 7, tanh, orthogonal) on the paper's task by a
        better recipe (`BPTT.near_orthogonal`), the spoiled last step left out; "paper" follows the
        published protocol to the letter.
    nets : int
        Number of networks.
    units : int
        Of each network.
    source : str or Path, optional
        A Keras file whose network is analysed instead of training.
    seed : int
        Of the training.
    path : str or Path
        The folder that everything goes to: the run, analysis/, figures/, report.html.
    progress : bool
        Whether it is shown how far training and analysis are.
    say : callable
        Is told what is being done.

    Returns
    -------
    Study
        The results that the page shows.

    Notes
    -----
    An interrupted call goes on from its last checkpoint when it is repeated.
    """
    if source is not None:
        run = imported(source)
        run.save(path)  # a folder that is not free is refused before any work
    else:
        run = _trained(preset, nets, units, seed, path, progress)
    results = study(
        run, fixed_points=True, automaton=True, effort=Effort.quick(), progress=progress
    )
    folder = run.save()
    results.save(folder / "analysis")
    say("figures and report")
    write(run, folder / "report.html", results, paper_sections(), CREDIT)
    return results


def _trained(
    preset: Preset, nets: int, units: int, seed: int, path: str | Path, progress: bool
) -> Run:
    model = RateRNN(units=units)
    if preset == "fast":
        task, rule = FlipFlop.paper(score_last_step=False), BPTT.near_orthogonal()
    elif preset == "paper":
        task, rule = FlipFlop.paper(), BPTT.paper()
    else:
        raise InvalidSetting(f"preset = {shown(preset)} is not allowed: 'fast' or 'paper'")
    return train(task, model, rule, nets=nets, seed=seed, path=path, progress=progress)
