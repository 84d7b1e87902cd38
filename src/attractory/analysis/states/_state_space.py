"""The states of a network in few dimensions, and the cube that its memories make there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np

from attractory._arguments import a_name, array_of, as_array, instance_of, optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import SPACE, network_or_trajectory
from attractory.models import Network, Trajectory, check_meeting
from attractory.runs import kept
from attractory.tasks import Trials, as_trials, memory_states, noise_seed, state_names

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
        The states in this space: a state h has components @ (h - center).
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
    """

    method: str
    coordinates: np.ndarray
    components: np.ndarray
    center: np.ndarray
    explained_variance: np.ndarray
    memory: np.ndarray
    targets: np.ndarray

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
        return held_states(self.memory)


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
    states = _states(network, trials, seed)
    time_points = np.prod(trials.inputs.shape[:2])
    if time_points <= n:
        raise InvalidSetting(f"n = {n} is not allowed: the trials have too few time points for it")
    by_time = states.transpose(1, 0, 2)  # in which they lie in memory
    flat = by_time.reshape(-1, size)
    components, center, explained = _decompose(
        flat,
        method,
        int(n),
    )
    projected = flat @ components.T - center @ components.T
    coordinates = projected.reshape(*by_time.shape[:2], -1)
    return StateSpace(
        method=method,
        coordinates=np.ascontiguousarray(coordinates.transpose(1, 0, 2)),
        components=components,
        center=center,
        explained_variance=explained,
        memory=memory_states(trials.targets),
        targets=trials.targets,
    )


def _states(
    network: Network | Trajectory,
    trials: Trials,
    seed: int,
) -> np.ndarray:
    """(trial, time, unit), float64."""
    if isinstance(network, Network):
        check_meeting(network.model, trials)
        network = network.simulate(
            trials.inputs,
            noise_seed(seed),
            precision="float64",
        )
    states = np.asarray(network.states, np.float64)
    if states.ndim != 3:
        states = states[None]
    if states.shape[:2] != trials.inputs.shape[:2]:
        raise InvalidSetting(
            f"network = a trajectory of {states.shape[:2]} (trials, steps); the trials are "
            f"{trials.inputs.shape[:2]}: it must be of these trials"
        )
    return states


def _singular(states: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The leading n singular values, and right singular vectors as rows, at least n of them.

    No left vectors are computed: they have as many rows as there are time points. The eigenvectors
    of SᵀS are the right vectors, found four times as fast as by a decomposition of S; but squares
    lose half of the digits of what is small, so that another way is taken where that would show.
    """
    squares, vectors = np.linalg.eigh(states.T @ states)
    squares, vectors = squares[::-1], vectors[:, ::-1]
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


@dataclass(frozen=True, repr=False)
class Hypercube(Result):
    """How the memory states of n bits lie in state space: a (sheared) n-cube or not.

    Attributes
    ----------
    names : list of str
        The 2**n states as signs.
    centroids : array (state, dimension)
        The centroid of each.
    middle : array (dimension,)
        The middle of the cube that fits best.
    edges : array (bits, dimension)
        Its edges: the affine cube is middle + Σ_i sign_i · edges_i / 2.
    r_squared : float
        Share of the centroids' variance that this cube explains (1: exact).
    neighbours : list of (int, int)
        Pairs of state indices that are next to each other, found without looking at the names: the
        n·2**(n-1) closest pairs after the centroids were whitened (a sheared cube becomes a regular
        one).
    one_bit_apart : float
        Share of these pairs that differ in exactly one bit (1: the edges of the cube are the single
        bit flips).
    separation : float
        Share of the variance of visits (the mean state of each time that a memory state is held)
        that lies between the memory states, not between histories.

    Notes
    -----
    R² says that what the inputs write adds up, no more: an untrained network, which adds up echoes
    of its inputs, reaches 0.99. `separation` tells a memory from an echo. On trials in random order
    it is 0.9 for the network of the paper and 0.05 for the same before training; on a walk, whose
    order repeats, it is high for any network.
    """

    names: list[str]
    centroids: np.ndarray
    middle: np.ndarray
    edges: np.ndarray
    r_squared: float
    neighbours: list[tuple[int, int]]
    one_bit_apart: float
    separation: float = float("nan")

    def summary(self) -> dict[str, float]:
        """What is known of the cube's shape, for a table.

        Returns
        -------
        dict of float
            The fields `r_squared` and `one_bit_apart`.
        """
        return {
            "r_squared": self.r_squared,
            "one_bit_apart": self.one_bit_apart,
        }


@takes(
    space=instance_of(StateSpace, hint=SPACE), visits=optional(instance_of(StateSpace, hint=SPACE))
)
def hypercube(space: StateSpace, visits: StateSpace | None = None) -> Hypercube:
    """Whether the centroids of the memory states are a cube.

    Parameters
    ----------
    space : StateSpace
        States of trials that visit every memory state, in at least as many dimensions as bits.
    visits : StateSpace, optional
        A space of trials in random order, such as task.sample(128), by which `separation` is
        judged; `space` itself when None.

    Returns
    -------
    Hypercube
        The cube that fits best, and how well it does.

    Raises
    ------
    InvalidSetting
        When a state is never held, or the space has fewer dimensions than there are bits.

    Notes
    -----
    The centroid of a state is the mean of the coordinates while it is held: from 10 % to 40 % of
    each period of constant target (earlier the network may still be on its way there, later the
    next pulse may have come).

    References
    ----------
    Sussillo & Barak (2013), Neural Computation 25:626. Jarne (2024), Front. Syst. Neurosci.
    18:1269190, figure 6.
    """
    bits = space.targets.shape[-1]
    dimensions = space.coordinates.shape[-1]
    if dimensions < bits:
        raise InvalidSetting(
            f"space has {dimensions} dimensions; a cube of {bits} bits needs at least {bits}"
        )
    combinations_of_signs = list(product([-1, 1], repeat=bits))
    signs = np.array(combinations_of_signs)
    codes = memory_states(signs)
    names = state_names(codes, bits)
    held = space.held
    centroids = np.empty((len(codes), dimensions))
    for i, code in enumerate(codes):
        in_state = space.memory == code
        points = space.coordinates[held & in_state]
        if not len(points):
            raise InvalidSetting(
                f"the trials never hold the memory state {names[i]}; use trials that visit all "
                f"{len(codes)}, such as task.walk()"
            )
        centroids[i] = points.mean(axis=0)
    middle = centroids.mean(axis=0)
    centered = centroids - middle
    # least squares: the columns of signs are orthogonal
    edges = 2.0 * signs.T @ centered / len(signs)
    residual = centered - signs @ edges / 2.0
    misfit = np.square(residual).sum()
    variance = np.square(centered).sum()
    edges_of_cube = bits * 2 ** (bits - 1)
    neighbours = _closest_pairs(_whitened(centered, bits), edges_of_cube)
    one_bit = [np.sum(signs[a] != signs[b]) == 1 for a, b in neighbours]
    return Hypercube(
        names=names,
        centroids=centroids,
        middle=middle,
        edges=edges,
        r_squared=float(1.0 - misfit / variance),
        neighbours=neighbours,
        one_bit_apart=float(np.mean(one_bit)),
        separation=_separation(space if visits is None else visits, codes),
    )


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
            held[trial, start + length // 10 : start + max(1, length * 4 // 10)] = True
    return held


def _separation(space: StateSpace, codes: np.ndarray) -> float:
    """Share of the variance of visits to the memory states `codes` that lies between these."""
    held = space.held
    means = []
    names = []
    for trial, states in enumerate(space.memory):
        changes = np.flatnonzero(np.diff(states)) + 1
        for start, end in zip([0, *changes], [*changes, len(states)], strict=True):
            own = start + np.flatnonzero(held[trial, start:end])
            if states[start] in codes and len(own):
                means.append(space.coordinates[trial, own].mean(axis=0))
                names.append(states[start])
    visits = np.array(means)
    which = np.array(names)
    total = np.square(visits - visits.mean(axis=0)).sum()
    centers = {name: visits[which == name].mean(axis=0) for name in set(names)}
    within = sum(np.square(visits[which == name] - c).sum() for name, c in centers.items())
    return float(1.0 - within / total) if total > 0 else 0.0


def _whitened(centered: np.ndarray, bits: int) -> np.ndarray:
    """Points in their `bits` leading directions, with unit variance along each."""
    left, scale, _ = np.linalg.svd(centered, full_matrices=False)
    usable = scale[:bits] > 1e-12 * scale[0]
    leading = left[:, :bits] * usable
    return leading * np.sqrt(len(centered))


def _closest_pairs(points: np.ndarray, count: int) -> list[tuple[int, int]]:
    pairs = list(combinations(range(len(points)), 2))
    distances = [np.linalg.norm(points[a] - points[b]) for a, b in pairs]
    order = np.argsort(distances, kind="stable")
    return [pairs[i] for i in order[:count]]
