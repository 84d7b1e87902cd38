"""One call of every public figure function, on results that are quick to make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from attractory import analysis, figures, models, tasks
from attractory.evaluation import (
    PsychometricCurve,
    PsychometricFit,
    PsychophysicalKernel,
    PsychophysicalKernels,
    RobustnessCurve,
)
from attractory.population import (
    Battery,
    Distances,
    Learning,
    Measures,
    PointsThroughLearning,
    SmallestNetwork,
    TriedSettings,
    points_through_learning,
    through_learning,
)

TASK = tasks.FlipFlop(bits=3, steps=60, first_onset=(5, 15), pulse=4, delay=4)
TURNING = ("fixed_points_3d", "points_through_learning_3d", "state_space_3d")  # plotly's
NO_DRAWING = ("save",)


class Example(NamedTuple):
    """A figure function's arguments, how many panels it then has, which in three dimensions."""

    function: str
    arguments: Callable[[], tuple[Any, ...]]
    panels: int
    solid: tuple[int, ...] = ()
    settings: Mapping[str, Any] = MappingProxyType({})

    def draw(self, **where: Any) -> Any:
        return getattr(figures, self.function)(*self.arguments(), **self.settings, **where)


@cache
def made() -> SimpleNamespace:
    """Three bits, each kept by one unit, and what is measured on them."""
    net = models.RateRNN.from_weights(1.6 * np.eye(3), 1.5 * np.eye(3), 1.05 * np.eye(3))
    walk = TASK.walk()
    trials = tasks.Trials(
        *(np.repeat(each, 2, axis=0) for each in (walk.inputs, walk.targets, walk.mask)), walk.dt
    )
    space = analysis.state_space(net, trials)
    points = analysis.fixed_points(net, n_starts=256)
    joined = analysis.connections(points)
    slow = analysis.slow_sets(net, task=TASK, n_starts=16, tolerance=0.5)
    return SimpleNamespace(
        net=net,
        trials=trials,
        trajectory=net.simulate(trials.inputs),
        space=space,
        cube=analysis.hypercube(space),
        points=points,
        joined=joined,
        branches=analysis.continuation(points, [1, 0, 0]),
        machine=analysis.automaton(
            net, TASK, n_samples=3, points=joined.attractors, hold_steps=100
        ),
        spectrum=analysis.spectrum(net),
        connectivity=analysis.connectivity(net),
        slow=slow,
        selection=analysis.selection_vectors(net, slow, task=TASK),
    )


def history() -> pd.DataFrame:
    """Of two networks, 40 updates each."""
    step = np.tile(np.arange(1, 41), 2)
    loss = np.exp(-step / 20)
    return pd.DataFrame(
        {
            "net": np.repeat([0, 1], 40), "step": step, "loss": loss,
            "validation_loss": np.where(step % 10 == 0, loss, np.nan),
            "gradient_norm": 1 + loss, "spectral_radius": 1 + step / 100,
        }
    )  # fmt: skip


def force_history() -> pd.DataFrame:
    """The same by FORCE."""
    of_bptt = history()
    loss = of_bptt["loss"]
    return of_bptt.drop(columns=["gradient_norm", "spectral_radius"]).assign(
        error_before_change=loss**0.5, error_after_change=0.2 * loss, weight_change=0.1 * loss,
        inverse_correlation_trace=100 * loss,
    )  # fmt: skip


def ridge_report() -> dict[str, np.ndarray]:
    """Of two readouts with two outputs."""
    ridges = np.tile(10.0 ** np.arange(-6, 1), (2, 1))
    errors = 0.1 + np.log10(ridges / 1e-3)[..., None] ** 2 * np.array([0.01, 0.02])
    return {
        "ridges": ridges, "errors": errors,
        "standard_deviations": np.tile(10.0 ** -np.arange(6), (2, 1)),
    }  # fmt: skip


def psychometric_curve(nets: int) -> PsychometricCurve:
    levels, first = np.array([-50.0, -10.0, 10.0, 50.0]), np.array([0.02, 0.2, 0.75, 1.0])
    known = {"levels": levels, "first": first, "counts": np.full(4, 40), "undecided": 0.0}
    fitted = {"bias": 1.0, "spread": 12.0, "lapse": 0.01, "status": "fitted", "converged": True}
    errors = {"bias_error": 0.5, "spread_error": 1.5, "lapse_error": 0.01}
    return PsychometricCurve(
        evidence="coherence",
        option="left",
        by="modality",
        fits=tuple(
            PsychometricFit(net=net, value=value, **known, **fitted, **errors)
            for net in range(nets)
            for value in (1.0, 2.0)
        ),
    )


def robustness_curve() -> RobustnessCurve:
    values, nets = np.array([0.0, 0.1, 0.5]), np.ones((2, 1))
    shares = nets * (1 - values / 2)
    return RobustnessCurve("noise", values, 0.1, nets * (0.2 + values), shares, shares)


@cache
def task_geometry() -> SimpleNamespace:
    """Averages, axes and selectivity of states that carry three conditions; two kernels."""
    conditions = {"motion": np.arange(48) % 3 - 1.0, "color": np.arange(48) // 3 % 4,
                  "context": np.arange(48) // 12 % 2}  # fmt: skip
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 5))
    carried = np.linspace(0, 1, 6)[:, None] * (np.array(list(conditions.values())).T @ weights)[
        :, None
    ] + rng.normal(0, 0.1, (48, 6, 5))
    zeros = np.zeros((48, 6, 1))
    trials = tasks.Trials(zeros, zeros, conditions=conditions, dt=20)
    path = models.Trajectory(zeros, carried, zeros, 20.0)
    kernels = tuple(
        PsychophysicalKernel(net, value, stream, "stimulus", np.arange(5) * 20.0,
                             np.full(5, 0.2), np.full(5, 0.05), 400, 0.0)
        for net in range(2) for value in (0.0, 1.0) for stream in ("motion", "color")
    )  # fmt: skip
    names = ("motion", "color", "context")
    return SimpleNamespace(
        by_motion=analysis.condition_averages(path, trials, ("motion", "context")),
        by_color=analysis.condition_averages(path, trials, ("color", "context")),
        axes=analysis.task_axes(path, trials, names),
        selectivity=analysis.selectivity(path, trials, names),
        coding=analysis.coding_axes(path, trials, "context", bins=3),
        variance=analysis.task_variance(path, trials, "color"),
        apart=analysis.dissimilarities(path, trials, ("color", "context")),
        demixed=analysis.demixed_pca(path, trials, ("color", "context")),
        kernels=PsychophysicalKernels("left", "context", kernels),
    )


def selection_angles() -> analysis.SelectionAngles:
    """Of three bits with the axes of what they hold."""
    net, trials = made().net, TASK.sample(16, seed=0)
    kept = {f"bit {i + 1}": trials.targets[:, -1, i] for i in range(2)}
    axes = analysis.task_axes(net, replace(trials, conditions=kept), tuple(kept))
    return analysis.selection_angles(made().selection, axes)


@cache
def population_distances(nulls: bool) -> Distances:
    """Of eight networks in two groups, one of which is near to itself."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(8, 3)) * 0.1 + np.repeat([[0.0], [0.5]], 4, axis=0)
    known = {
        "same network, two halves of the trials": rng.uniform(0.01, 0.04, 6),
        "untrained networks": rng.uniform(0.9, 1.1, 15),
    }
    labels = tuple(f"{group} {i}" for group in ("BPTT", "FORCE") for i in range(4))
    matrix = np.linalg.norm(places[:, None] - places, axis=-1)
    return Distances(
        "procrustes", "rad", "", (), True, matrix, labels, tuple(n.split()[0] for n in labels),
        known if nulls else {}, 0.9, {},
    )  # fmt: skip


@cache
def learned() -> tuple[Learning, PointsThroughLearning]:
    """Two bits that appear one after the other, and another network beside them."""
    course = []
    for step, gains in ((0, (0.5, 0.5)), (100, (1.5, 0.9)), (200, (2.0, 1.5))):
        matrix = [[gains[0], 0.05], [0.03, gains[1]]]
        net = models.RateRNN.from_weights(matrix, np.eye(2), np.eye(2))
        course.append((step, [net, net.model.build(2, 2, seed=step)]))
    names = ["spectral_radius", "n_outside"]
    return (
        through_learning(course, names, metric="spectra", progress=False),
        points_through_learning(course, n_starts=32, progress=False),
    )


def population_battery(axes: int) -> Battery:
    """Of two groups of two networks."""
    values = np.array([0.0, 0.2, 0.5])
    shares = 1 - np.array([[0.5], [0.6], [1.0], [1.2]]) * values
    names = ("noise", "recurrent_noise", "lesioned_units", "pruned_weights", "amplitude")[:axes]
    curves = tuple(RobustnessCurve(name, values, 0.0, shares, shares, shares) for name in names)
    group = ("BPTT", "BPTT", "FORCE", "FORCE")
    return Battery(curves, np.array([0, 1, 0, 1]), group, "correct", 0.6, 0.2, {}, (), 64, 1, 0)


def smallest_network() -> SmallestNetwork:
    """Ten networks of each of three sizes."""
    scores = np.where(np.arange(10) < np.array([[1], [5], [9]]), 1.0, 0.6)
    sizes, tried = np.arange(2, 65), np.array([8, 12, 16])
    return SmallestNetwork(
        "flipflop", "RateRNN", "BPTT", 0.99, "accuracy", sizes, tried, scores, "known"
    )


def population_measures(groups: int) -> Measures:
    """Three measures of eight networks, in so many groups."""
    rng = np.random.default_rng(0)
    names = ("accuracy", "spectral_radius", "n_fixed_points")
    values = np.stack([rng.random(8), 1 + rng.normal(0, 0.1, 8), rng.integers(3, 9, 8)], axis=1)
    given = tuple(f"group {i * groups // 8}" for i in range(8)) if groups > 1 else ()
    words = dict.fromkeys(names, "more")
    return Measures(
        names, values, np.arange(8), given, dict.fromkeys(names, "a.u."), words, words, {}
    )


def tried_trials(objectives: int) -> TriedSettings:
    """A tuning of three fields: 21 trials, of which two were pruned and one failed."""
    trial = np.arange(21)
    rate, gain = 10.0 ** -(1 + trial % 4), 0.5 + (trial * 0.37) % 1
    word = np.array(["tanh", "relu", "softplus"], object)[trial % 3]
    state = np.full(21, "complete", object)
    state[[4, 9]], state[13] = "pruned", "failed"
    error = np.where(state == "complete", 0.1 + (gain - 1) ** 2 + 2 * rate, np.nan)
    rows = {"number": trial, "state": state, "rule.learning_rate": rate,
            "model.recurrent_gain": gain, "model.activation": word, "mse": error}  # fmt: skip
    fields = tuple(rows)[2:5]
    scores = {"mse": "minimize", "spectral_radius": "maximize"}
    rows["spectral_radius"] = np.where(state == "complete", gain + 0.01 * trial, np.nan)
    names = list(scores)[:objectives]
    importance = {name: dict(zip(fields, (0.6, 0.3, 0.1), strict=True)) for name in names}
    directions = {name: scores[name] for name in names}
    table = pd.DataFrame(rows)
    return TriedSettings("trial", table, fields, fields[:1], directions, importance)


def tried_networks(fields: int) -> TriedSettings:
    """A sweep over so many of three fields, four networks a point; the second has seven values."""
    values = {"rule.learning_rate": [1e-3, 1e-2, 1e-1], "model.units": [8, 16, 24, 32, 40, 48, 56],
              "model.activation": ["tanh", "relu"]}  # fmt: skip
    names = tuple(values)[:fields]
    points = pd.MultiIndex.from_product([values[name] for name in names], names=names)
    rows = points.to_frame(index=False).loc[np.repeat(np.arange(len(points)), 4)]
    rows = rows.reset_index(drop=True)
    rows.insert(0, "number", np.repeat(np.arange(len(points)), 4))
    rows.insert(1, "state", "done")
    rows["correct"] = 0.5 + 0.1 * np.sin(1.7 * np.arange(len(rows)))
    return TriedSettings("network", rows, names, names[:1], {"correct": "maximize"})


EXAMPLES = (
    Example("automaton", lambda: (made().machine,), 3),
    Example("births_and_losses", lambda: (learned()[1],), 2),
    Example("births_and_losses", lambda: (learned()[1], [1]), 1),
    Example("battery", lambda: (population_battery(1),), 1),
    Example("battery", lambda: (population_battery(5),), 5),
    Example("coding_axes", lambda: (task_geometry().coding,), 4),
    Example("condition_averages", lambda: (task_geometry().by_motion,), 4),
    Example("condition_averages", lambda: (task_geometry().by_color, 0), 1),
    Example("connections", lambda: (made().joined,), 1),
    Example("connectivity", lambda: (made().connectivity, made().spectrum), 3),
    Example(
        "connectivity",
        lambda: (made().connectivity, made().spectrum, made().net.output_weights[0]),
        3,
    ),
    Example("continuation", lambda: ([made().branches] * 2,), 6),
    Example("demixed_pca", lambda: (task_geometry().demixed, 1), 4),
    Example("dissimilarities", lambda: (task_geometry().apart,), 3),
    Example("distances", lambda: (population_distances(True),), 3),
    Example("distances", lambda: (population_distances(False),), 2),
    Example("fixed_points", lambda: (made().points, made().space, made().joined), 1, (0,)),
    Example(
        "fixed_points",
        lambda: (made().points, made().space),
        1,
        settings={"driven": made().points, "dimensions": 2},
    ),
    Example("flip_flop", lambda: (TASK,), 3),
    Example("force_learning", lambda: (force_history(),), 4),
    Example("jacobian_spectra", lambda: (made().points,), 4),
    Example("learning_curve", lambda: (history(),), 2),
    Example("measures", lambda: (population_measures(1),), 3),
    Example("measures", lambda: (population_measures(3),), 3),
    Example("network", lambda: (made().net,), 2),
    Example("pareto_front", lambda: (tried_trials(2),), 1),
    Example("population_map", lambda: (population_distances(True),), 1),
    Example(
        "population_map",
        lambda: (population_distances(True), np.linspace(0.7, 1.0, 8), "Correct (share)"),
        1,
    ),
    Example("psychometric", lambda: (psychometric_curve(1),), 1),
    Example("psychometric", lambda: (psychometric_curve(2),), 2),
    Example("psychophysical_kernel", lambda: (task_geometry().kernels,), 2),
    Example("ridge_readout", lambda: (ridge_report(),), 2),
    Example("robustness", lambda: ([robustness_curve()] * 2,), 6),
    Example("selectivity", lambda: (task_geometry().selectivity,), 2),
    Example("selection_vectors", lambda: ([made().selection] * 2, made().space), 4),
    Example("selection_angles", lambda: ([selection_angles()] * 2,), 2),
    Example("slow_sets", lambda: ([made().slow] * 2, made().space), 2, (0,)),
    Example("smallest", lambda: (smallest_network(),), 1),
    Example("spectral_radius", lambda: (history(),), 1),
    Example("spectrum", lambda: (made().spectrum,), 1),
    Example("spectrum", lambda: ([made().spectrum] * 5,), 5),
    Example("state_space", lambda: (made().space,), 1, (0,)),
    Example(
        "state_space",
        lambda: (made().space, made().trajectory, made().trials, made().cube),
        4,
        (3,),
    ),
    Example("state_spaces", lambda: ([made().space] * 3,), 3, (0, 1, 2)),
    Example("sweep", lambda: (tried_networks(1),), 1),
    Example("sweep", lambda: (tried_networks(3),), 3),
    Example("sweep_pair", lambda: (tried_networks(3),), 1),
    Example("task_axes", lambda: (task_geometry().axes, task_geometry().by_motion), 1),
    Example(
        "task_axes",
        lambda: (task_geometry().axes, [task_geometry().by_motion, task_geometry().by_color]),
        4,
        settings={"columns": "context"},
    ),
    Example("task_variance", lambda: (task_geometry().variance,), 2),
    Example("through_learning", lambda: learned()[:1], 3),
    Example("through_learning", learned, 4),
    Example("trials", lambda: (made().trials,), 6, settings={"n": 2}),
    Example("tuning_contour", lambda: (tried_trials(1),), 1),
    Example("tuning_history", lambda: (tried_trials(2),), 2),
    Example("tuning_importance", lambda: (tried_trials(2),), 2),
    Example("tuning_slices", lambda: (tried_trials(1),), 3),
)
