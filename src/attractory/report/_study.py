"""Everything that is measured on a run, in one place: for the files, the figures and the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from attractory import analysis
from attractory._arguments import a_flag, optional, takes
from attractory._cores import spread
from attractory._errors import InvalidSetting, one_line
from attractory._files import write_json, write_text
from attractory._progress import NetworksProgress
from attractory._shown import Shown
from attractory.evaluation import (
    PsychometricCurve,
    RobustnessCurve,
    Scores,
    axes_of_studies,
    axis_of,
    evaluate,
    responses,
    robustness,
)
from attractory.models import Trajectory
from attractory.report._all_dynamics import all_dynamics, row_of_dynamics
from attractory.report._answers import choices, scores_by_condition
from attractory.report._cubes import cube_json, cube_row
from attractory.report._dynamics import Dynamics, Effort, an_effort
from attractory.report._geometry import GeometryStudy, geometry_study, geometry_tables
from attractory.report._levels import Levels, levels
from attractory.report._slow import SlowStudy, slow_study, slow_tables
from attractory.report._states import all_states
from attractory.report._weights_alone import weights_alone
from attractory.runs import Run, a_run, of_network, save_safetensors
from attractory.tasks import Task, Trials

SCORE_SEED = 1_000_003  # the scores' trials are none of those trained on


@dataclass(frozen=True, repr=False)
class Study(Shown):
    """The results for a run: lists have one entry a network.

    Attributes
    ----------
    run : Run
        The run that is studied.
    task : Task
        The run's task as it is scored.
    scores : Scores or None
        On fresh trials, the last step left out where the task's generator spoils it. This and all
        that needs trials is None, or empty, where the run's task is not known here.
    scores_with_last_step : Scores or None
        With it; None where nothing is left out.
    curves : list of RobustnessCurve
        One for each condition that is varied.
    connectivity : list of Connectivity
        Empty for a model without one matrix of recurrent weights.
    spectra : list of Spectrum
        The eigenvalues.
    levels : Levels or None
        What the scores can be compared with: the ideal observer, a constant output.
    probe : Trials or None
        The trials of the state space (the walk through all states for a flip-flop).
    trajectory : Trajectory or None
        What the first network does in the first trial of the probe.
    spaces, principal_spaces : list of StateSpace
        The states by singular value decomposition, and by principal components.
    cubes : list of Hypercube or None
        None unless every network is a flip-flop memory seen in enough dimensions.
    untrained_cube : Hypercube or None
        That of an untrained network of the same model, beside it.
    dynamics : list of Dynamics or None
        Fixed points and automaton; None where neither was asked for.
    audit : Audit or None
        Of the weights; None for a model without one matrix of recurrent weights.
    choices : PsychometricCurve or None
        The psychometric curves of a task with evidence.
    by_condition : dict of str to pandas.DataFrame
        Scores in the conditions of the trials, a table a condition, by its name.
    geometry : GeometryStudy or None
        Averages by condition, axes of task variables, selectivity and psychophysical kernels; None
        where the task names no variables, and for fewer than 64 trials.
    slow : SlowStudy or None
        Slow sets and selection vectors under each constant input of the task; None where the task
        names none.
    omitted : tuple of str
        What does not exist here, and why, in words.
    """

    run: Run
    task: Task
    scores: Scores | None
    scores_with_last_step: Scores | None
    curves: list[RobustnessCurve]
    connectivity: list[analysis.Connectivity]
    spectra: list[analysis.Spectrum]
    levels: Levels | None
    probe: Trials | None
    trajectory: Trajectory | None
    spaces: list[analysis.StateSpace]
    principal_spaces: list[analysis.StateSpace]
    cubes: list[analysis.Hypercube] | None
    untrained_cube: analysis.Hypercube | None = None
    dynamics: list[Dynamics] | None = None
    audit: analysis.Audit | None = None
    choices: PsychometricCurve | None = None
    by_condition: dict[str, pd.DataFrame] = field(default_factory=dict)
    geometry: GeometryStudy | None = None
    slow: SlowStudy | None = None
    omitted: tuple[str, ...] = ()

    def network_table(self) -> pd.DataFrame:
        """The networks as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each network: its scores and what its weights and states are like.
        """
        rows = []
        scored = ("mse", "distance", "accuracy", "correct")
        for net in range(len(self.run.networks)):
            spectrum = self.spectra[net].summary()
            row: dict[str, Any] = {
                "net": net,
                "status": one_line(str(self.run.status[net].get("status", "unknown"))),
            }
            if self.scores is not None:
                row |= {name: getattr(self.scores, name)[net] for name in scored}
            if self.scores_with_last_step is not None:
                row["mse_with_last_step"] = self.scores_with_last_step.mse[net]
            row |= {f"spectrum_{name}": value for name, value in spectrum.items()}
            if self.cubes is not None:
                row |= cube_row(self.cubes[net])
            if self.dynamics is not None:
                row |= row_of_dynamics(self.dynamics[net])
            rows.append(row)
        return pd.DataFrame(rows)

    def save(self, folder: Path) -> None:
        """Write the tables, as CSV and JSON.

        Parameters
        ----------
        folder : Path
            Where the files go.
        """
        tables = {
            "networks": self.network_table(),
            "eigenvalues": self._eigenvalue_table(),
        }
        if self.scores is not None:
            tables["scores"] = self.scores.table()
            tables["explained_variance"] = self._variance_table()
        if self.connectivity:
            tables["connectivity"] = pd.DataFrame([c.summary() for c in self.connectivity])
        if self.audit is not None:
            tables["audit"] = self.audit.table()
        if self.choices is not None:
            tables["psychometric"] = self.choices.table()
        tables |= {f"by_{_file_name(name)}": each for name, each in self.by_condition.items()}
        if self.geometry is not None:
            tables |= geometry_tables(self.geometry)
        if self.slow is not None:
            tables |= slow_tables(self.slow.networks)
        if self.curves:
            tables["robustness"] = pd.concat([curve.table() for curve in self.curves])
        for name, table in tables.items():
            write_text(folder / f"{name}.csv", table.to_csv(index=False))
        if self.cubes is not None:
            write_json(folder / "cubes.json", [cube_json(cube) for cube in self.cubes])
        if self.dynamics is not None:
            self._save_dynamics(folder, self.dynamics)

    def _save_dynamics(self, folder: Path, found: list[Dynamics]) -> None:
        """Tables with a column `net`, states of the fixed points, and the statements."""
        tables = [each.tables() for each in found]
        for name in tables[0]:
            parts = [table[name].assign(net=net) for net, table in enumerate(tables)]
            write_text(folder / f"{name}.csv", pd.concat(parts).to_csv(index=False))
        for net, each in enumerate(found):
            arrays = {
                "states": each.points.states,
                "eigenvalues_real": each.points.eigenvalues.real,
                "eigenvalues_imaginary": each.points.eigenvalues.imag,
            }
            save_safetensors(arrays, folder / f"fixed_points_{net}.safetensors")
        write_json(folder / "dynamics.json", [each.summary() for each in found])

    def _eigenvalue_table(self) -> pd.DataFrame:
        return pd.concat(
            pd.DataFrame({"net": net, "real": s.eigenvalues.real, "imaginary": s.eigenvalues.imag})
            for net, s in enumerate(self.spectra)
        )

    def _variance_table(self) -> pd.DataFrame:
        return pd.DataFrame(
            {"net": net, "method": space.method, "component": i + 1, "share": share}
            for spaces in (self.spaces, self.principal_spaces)
            for net, space in enumerate(spaces)
            for i, share in enumerate(space.explained_variance)
        )


@takes(
    run=a_run,
    fixed_points=optional(a_flag),
    automaton=optional(a_flag),
    effort=an_effort,
    progress=a_flag,
)
def study(
    run: Run,
    n: int = 512,
    seed: int = SCORE_SEED,
    fixed_points: bool | None = None,
    automaton: bool | None = None,
    effort: Effort | None = None,
    progress: bool = True,
) -> Study:
    """Score and analyse all networks of a run.

    Every network's scores go into its row of `run.status`. The run keeps what is computed
    (`Run.results`); what it keeps is not computed again.

    Parameters
    ----------
    run : Run
        The run.
    n : int
        Number of trials for the scores; a quarter of them for each point of the robustness curves.
    seed : int
        From which the trials are drawn.
    fixed_points, automaton : bool, optional
        Whether these are looked for too; None: they are there where they were computed before.
    effort : Effort, optional
        How much is spent on them.
    progress : bool
        Whether to show how far it is, on standard error: which network, what is done, about how
        many seconds are left; on a terminal all the time, elsewhere now and then.

    Returns
    -------
    Study
        The results.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C. What was computed of the other networks is kept.
    """
    _check_status(run)
    if run.task.missing and not (fixed_points or automaton):
        return Study(run=run, task=run.task, **weights_alone(run, *_weights(run)))
    if automaton:
        run.task.machine()  # a task without one is refused before anything is computed
    with NetworksProgress(len(run.networks), progress) as shown:
        return _study(run, n, seed, fixed_points, automaton, effort, shown)


def _study(
    run: Run,
    n: int,
    seed: int,
    fixed_points: bool | None,
    automaton: bool | None,
    effort: Effort | None,
    progress: NetworksProgress,
) -> Study:
    """As `study`, its arguments checked."""
    task = run.task.scored()
    answers = responses(list(run.networks), task, n, seed)
    asked = {"task": task, "n": n, "seed": seed}

    def together(name: str, compute: Callable[[], Any], **more: Any) -> Any:
        """A result of all networks: kept, or computed and kept now."""
        return run.results.of(name, {**asked, **more}, compute, None)

    progress.say(f"scoring {len(run.networks)} networks on {n} fresh trials")
    scores = together("scores", lambda: evaluate(answers))
    whole = task.mask_with_spoiled(answers.trials)
    spoiled = (
        whole
        if whole is None
        else together("scores", lambda: evaluate(answers.with_mask(whole)), spoiled=True)
    )
    _note_scores(run, scores)
    curves = []
    for vary, values in axes_of_studies(task).items():
        progress.say(f"robustness: {vary}")
        points = partial(robustness, answers, task, vary, values, max(1, n // 4))
        axis = axis_of(vary, task)
        # what a user's function does can change under its name: such a curve is not kept
        own = {} if axis is None else {"axis": axis.function}
        curves.append(together("robustness", points, vary=vary, values=values, **own))
    progress.say("weights, spectra and state space")
    connectivity, audit, omitted = _weights(run)
    states, control = all_states(run, answers, asked)
    return Study(
        run=run,
        task=task,
        scores=scores,
        scores_with_last_step=spoiled,
        curves=curves,
        connectivity=connectivity,
        spectra=spread(partial(of_network, run, analysis=analysis.spectrum), _numbers(run)),
        levels=together("levels", lambda: levels(task, answers.trials)),
        probe=task.probe(answers.trials),
        trajectory=states[0].trajectory,
        spaces=[each.space for each in states],
        principal_spaces=[each.principal for each in states],
        cubes=None if control.cube is None else [each.cube for each in states if each.cube],
        untrained_cube=control.cube,
        dynamics=all_dynamics(run, task, effort, fixed_points, automaton, seed, progress),
        audit=audit,
        choices=together("psychometric", lambda: choices(answers)),
        by_condition=together("by_condition", lambda: scores_by_condition(answers)),
        geometry=geometry_study(run, task, answers, asked, progress.say),
        slow=slow_study(run, task, seed, fixed_points, effort, progress.say),
        omitted=omitted,
    )


def _numbers(run: Run) -> range:
    return range(len(run.networks))


def _note_scores(run: Run, scores: Scores) -> None:
    """Each network's scores into its row of the run's status."""
    for net, row in enumerate(run.status):
        row["scores"] = {
            name: getattr(scores, name)[net].item() for name in ("mse", "accuracy", "correct")
        }


def _check_status(run: Run) -> None:
    """InvalidSetting where the networks' rows are none that scores could be added to."""
    rows = run.status
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidSetting(
            "status of the run is not allowed: a list of dictionaries, one a network"
        )
    if len(rows) != len(run.networks):
        raise InvalidSetting(
            f"status of the run has {len(rows)} rows; it must have one for each of its "
            f"{len(run.networks)} networks"
        )


def _file_name(name: str) -> str:
    """A condition's name, as the name of a file that lies where it should."""
    return re.sub(r"[^\w-]", "_", name)


def _weights(
    run: Run,
) -> tuple[list[analysis.Connectivity], analysis.Audit | None, tuple[str, ...]]:
    """Connectivity and audit where the model has the matrix for them, and what is missing."""
    omitted: list[str] = []
    connectivity: list[analysis.Connectivity] = []
    audit = None
    try:
        connectivity = [of_network(run, net, analysis.connectivity) for net in _numbers(run)]
    except InvalidSetting as reason:
        omitted.append(f"No connectivity is shown: {reason}.")
    try:
        audit = run.results.of("audit", {}, lambda: analysis.audit(run), None)
    except InvalidSetting as reason:
        omitted.append(f"No audit of the weights is made: {reason}.")
    return connectivity, audit, tuple(omitted)
