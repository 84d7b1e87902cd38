"""The states of a network in few dimensions, and the cube that its memories make there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from attractory._arguments import a_name, array_of, as_array, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Trials, as_trials, memory_states

# of a square of a singular value, in the largest: below it 1e-16 of rounding would be 1e-12 of it
SMALLEST_SQUARE = 1e-4


@dataclass(frozen=True, repr=False)
class StateSpace(Result):
    """States projected to n dimensions.

    Attributes
    ----------
    method : {"svd", "pca"}
        How the components were found (see `state_space`).
    coordinates : array (trial, time, n)
        The states in this space: a state h has components @ (h - center). NaN after a trial is
        over, where it is filled up to the length of the longest one.
    components : array (n, unit)
        The directions, orthonormal rows.
    center : array (unit,)
        The state at the origin, 0 for "svd".
    explained_variance : array (n,)
        Share of the variance of the states along each component.
    memory : array (trial, time)
        The memory state that the target asks for (see attractory.tasks.memory_states).
    targets : array (trial, time, output)
        The targets of the trials.
    epoch_names : tuple of str
        Of the parts of a trial, in order.
    epoch : array (trial, time) or None
        Which of them a step is in, -1 after the trial; None where the task has none.
    conditions : dict of str to array (trial,)
        What each trial is, by name.
    """

    method: str
    coordinates: np.ndarray
    components: np.ndarray
    center: np.ndarray
    explained_variance: np.ndarray
    memory: np.ndarray
    targets: np.ndarray
    epoch_names: tuple[str, ...] = ()
    epoch: np.ndarray | None = None
    conditions: dict[str, np.ndarray] = field(default_factory=dict)

    @takes(states=as_array)
    def project(self, states: np.ndarray) -> np.ndarray:
        """States of the same network in this space.

        Parameters
        ----------
        states : array (…, unit)
            The states.

        Returns
        -------
        array (…, n)
            Their coordinates.
        """
        units = len(self.center)
        if np.shape(states)[-1:] != (units,):
            raise InvalidSetting(f"states has shape {np.shape(states)}; it must be (…, {units})")
        return (states - self.center) @ self.components.T

    @property
    def held(self) -> np.ndarray:
        """Whether the memory state is held then, (trial, time) (see `held_states`)."""
        return held_states(self.memory) & self.within

    @property
    def within(self) -> np.ndarray:
        """The trials' own steps, (trial, time) of bool."""
        within: np.ndarray = np.isfinite(self.coordinates).all(axis=-1)
        return within


@kept
@one_blas_thread
@takes(network=network_or_trajectory, trials=as_trials, method=a_name)
def state_space(
    network: Network | Trajectory,
    trials: Trials,
    method: Literal["svd", "pca"] = "svd",
    n: int = 3,
    seed: int = 0,
) -> StateSpace:
    """Reduce a network's states during trials to their n leading dimensions, in float64.

    Only the trials' own steps count, not those that fill shorter trials up to the longest.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states are taken as they are, so that one simulation
        serves several spaces: `network.simulate(trials.inputs, precision="float64")`. They are
        whole: an LSTM's memory and all layers of a stack are units, too.
    trials : Trials
        What the network is given, and asked.
    method : {"svd", "pca"}
        "svd" is the truncated singular value decomposition of the states as they are (Jarne 2024,
        section 5.2, figures 6 and 7), "pca" that of the states minus their mean. Each component's
        sign is such that its largest entry is positive.
    n : int
        Number of dimensions, 1 to the number of units.
    seed : int
        Of the network's own noise, where it has any: the seed of the trials gives the noise that
        scores on these trials have.

    Returns
    -------
    StateSpace
        The coordinates, and how to project other states.

    Raises
    ------
    InvalidSetting
        For another method, an n outside of 1 .. units, and states that are of other trials.
    """
    if method not in ("svd", "pca"):
        raise InvalidSetting(f"method = {shown(method)} is not allowed: 'svd' or 'pca'")
    size = network.states.shape[-1] if isinstance(network, Trajectory) else network.state_size
    whole = isinstance(n, (int, np.integer))
    if not whole or not 1 <= n <= size:
        raise InvalidSetting(f"n = {shown(n)} is not allowed: 1 to {size}, the number of units")
    states, _ = trajectory_in(network, trials, seed)
    within = trials.within.T
    if within.sum() <= n:
        raise InvalidSetting(f"n = {n} is not allowed: the trials have too few time points for it")
    by_time = states.transpose(1, 0, 2)  # in which they lie in memory
    flat = by_time.reshape(-1, size) if within.all() else by_time[within]
    components, center, explained = _decompose(
        flat,
        method,
        int(n),
    )
    shape = (*by_time.shape[:2], len(components))
    coordinates = np.full(shape, np.nan)
    coordinates[within] = flat @ components.T - center @ components.T
    return StateSpace(
        method=method,
        coordinates=np.ascontiguousarray(coordinates.transpose(1, 0, 2)),
        components=components,
        center=center,
        explained_variance=explained,
        memory=memory_states(trials.targets),
        targets=trials.targets,
        epoch_names=trials.epoch_names,
        epoch=trials.epoch,
        conditions=dict(trials.conditions),
    )


def _singular(states: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The leading n singular values, and right singular vectors as rows, at least n of them.

    No left vectors are computed: they have as many rows as there are time points. The eigenvectors
    of SᵀS are the right vectors, found four times as fast as by a decomposition of S; but squares
    lose half of the digits of what is small, so that another way is taken where that would show.
    """
    squares, vectors = np.linalg.eigh(states.T @ states)
    squares = squares[::-1]
    vectors = vectors[:, ::-1]
    if squares[n - 1] > SMALLEST_SQUARE * squares[0]:
        return np.sqrt(squares[:n]), vectors.T
    triangle = np.linalg.qr(states, mode="r")  # has the singular values and right vectors of S
    _, singular_values, directions = np.linalg.svd(triangle)
    return singular_values, directions


def _decompose(
    states: np.ndarray,
    method: str,
    n: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Components (n, unit), center (unit,), shares of variance (n,)."""
    mean = states.mean(axis=0)
    center = mean if method == "pca" else np.zeros(states.shape[1])
    singular_values, directions = _singular(states - center, n)
    components = directions[:n]
    largest = np.abs(components).argmax(axis=1)
    largest_entries = components[np.arange(n), largest]
    signs = np.sign(largest_entries)
    # |S v|² is σ²; the variance along v is that of S v about its own mean
    squares = singular_values[:n] ** 2 / len(states)
    along = squares - (components @ (mean - center)) ** 2
    variance = along / states.var(axis=0).sum()
    return components * signs[:, None], center, variance


@takes(memory=array_of("trial", "time"))
def held_states(memory: np.ndarray) -> np.ndarray:
    """When a memory state is held: from 10 % to 40 % of each period in which it stays the same.

    Parameters
    ----------
    memory : array (trial, time)
        The memory state that the target asks for.

    Returns
    -------
    array of bool (trial, time)
        Whether it is held then.
    """
    held = np.zeros(memory.shape, bool)
    for trial, states in enumerate(memory):
        changes = np.flatnonzero(np.diff(states)) + 1
        for start, end in zip([0, *changes], [*changes, len(states)], strict=True):
            length = end - start
            begin = start + length // 10
            end = start + max(1, length * 4 // 10)
            held[trial, begin:end] = True
    return held
