"""The figures of a study, each drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from attractory import figures
from attractory.report._dynamics import Dynamics

if TYPE_CHECKING:
    from attractory.report._study import Study

Drawings = dict[str, Callable[[], Figure]]
PUBLISHED_MSE = 0.0133  # the author's network after 20 epochs, last step left out


def drawings(study: Study) -> Drawings:
    """The figures by file name."""
    made: Drawings = {}
    task = study.task
    picture = task.picture
    if picture is not None:
        made[f"figure1_{picture}"] = lambda: getattr(figures, picture)(task)
    made |= {
        "figure2_network": lambda: figures.network(study.run.networks[0]),
        "figure3_trials": lambda: _trials(study),
        "figure5_spectra": lambda: figures.spectrum(study.spectra),
    }
    if study.connectivity:
        made["figure4_connectivity"] = lambda: figures.connectivity(
            study.connectivity[0], study.spectra[0]
        )
    choices = study.choices
    if choices is not None:
        made["psychometric"] = lambda: figures.psychometric(choices)
    if study.spaces[0].coordinates.shape[-1] >= 3:
        made |= _of_state_space(study)
    made |= _of_learning(study)
    if study.dynamics is not None:
        made |= _of_dynamics(study, study.dynamics[0])
    if study.curves:
        made["robustness"] = lambda: figures.robustness(study.curves)
    return made


def _trials(study: Study) -> Figure:
    n = study.scores.n  # the generator is compiled for so many
    return figures.trials(study.task.sample(n, seed=study.run.seed), min(3, n))


def _of_learning(study: Study) -> Drawings:
    made: Drawings = {}
    history = study.run.history
    if len(history):
        target = PUBLISHED_MSE if study.scores_with_last_step is not None else None
        made["learning_curve"] = lambda: figures.learning_curve(
            history, target, f"published network, {PUBLISHED_MSE}"
        )
    if "spectral_radius" in history and history["spectral_radius"].notna().any():
        made["spectral_radius"] = lambda: figures.spectral_radius(history)
    return made


def _of_state_space(study: Study) -> Drawings:
    cube = study.cubes[0] if study.cubes else None
    return {
        "figure6_state_space": lambda: figures.state_space(
            study.spaces[0], study.trajectory, study.probe, cube
        ),
        "figure7_state_spaces": lambda: figures.state_spaces(study.spaces, study.cubes),
    }


def _of_dynamics(study: Study, found: Dynamics) -> Drawings:
    """Of network 0."""
    made: Drawings = {}
    joined, machine = found.connections, found.automaton
    if joined is not None:
        if study.spaces[0].coordinates.shape[-1] >= 3:
            made["fixed_points"] = lambda: figures.fixed_points(
                found.points, study.spaces[0], joined
            )
        made["connections"] = lambda: figures.connections(joined)
        made["jacobian_spectra"] = lambda: figures.jacobian_spectra(found.points)
    if found.continuations:
        made["continuation"] = lambda: figures.continuation(found.continuations[:2])
    if machine is not None:
        made["automaton"] = lambda: figures.automaton(machine)
    return made
