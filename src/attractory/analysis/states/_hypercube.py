"""How memory states lie in state space: a cube or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from attractory._arguments import instance_of, optional, takes
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis._given import SPACE
from attractory.analysis.states._state_space import StateSpace
from attractory.tasks import memory_states, state_names


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
def hypercube(
    space: StateSpace,
    visits: StateSpace | None = None,
) -> Hypercube:
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
    differing = [np.sum(signs[a] != signs[b]) for a, b in neighbours]
    one_bit = [count == 1 for count in differing]
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
    centers = {}
    for name in set(names):
        of_name = visits[which == name]
        centers[name] = of_name.mean(axis=0)
    within = 0.0
    for name, center in centers.items():
        apart = visits[which == name] - center
        within += np.square(apart).sum()
    return float(1.0 - within / total) if total > 0 else 0.0


def _whitened(centered: np.ndarray, bits: int) -> np.ndarray:
    """Points in their `bits` leading directions, with unit variance along each."""
    left, scale, _ = np.linalg.svd(centered, full_matrices=False)
    usable = scale[:bits] > 1e-12 * scale[0]
    leading = left[:, :bits] * usable
    return leading * np.sqrt(len(centered))


def _closest_pairs(points: np.ndarray, count: int) -> list[tuple[int, int]]:
    pairs = list(combinations(range(len(points)), 2))
    ways = [points[a] - points[b] for a, b in pairs]
    distances = [np.linalg.norm(way) for way in ways]
    order = np.argsort(distances, kind="stable")
    return [pairs[i] for i in order[:count]]
