"""The distance between shapes whose points are clouds: states of noisy networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attractory.population._distance import distance
from attractory.population._subject import Subject

REPEATS = 16  # simulations of the same trials, each with noise of its own
MOST_POINTS = 64  # states whose clouds are compared: each pair aligns all of them at every step
STEPS = 300  # of the search for the rotation
SETTLED = 1e-12  # of the squared distance, in one step, relative to the size of the states


class Clouds(NamedTuple):
    """Where the states of a network are in the same moments of the same trials.

    means: (point, unit), their mean over points is 0. spreads: (point, unit, repeat), the repeats
    minus their mean, over √repeats: a spread times its transpose is the covariance.
    """

    means: np.ndarray
    spreads: np.ndarray


def clouds(subject: Subject) -> Clouds:
    samples = np.stack([each.samples for each in subject.repeated(REPEATS)], axis=-1)
    if len(samples) > MOST_POINTS:
        # the same ones of every network
        drawn = np.random.default_rng(2).choice(len(samples), MOST_POINTS, replace=False)
        samples = samples[drawn]
    means = samples.mean(axis=-1)
    spreads = (samples - means[..., None]) / np.sqrt(REPEATS)
    return Clouds(means - means.mean(axis=0), spreads)


@distance(
    needs="states",
    source="Duong, Zhou, Nassar, Berman, Olieslagers & Williams (2023), with α = 1",
    invariances=("permutation", "rotation"),
    unit="a.u.",
    prepare=clouds,
)
def stochastic_shape(a: Clouds, b: Clouds) -> float:
    """How far states and their noise are apart after the best rotation.

    In each moment the states of a network over 16 repeats are taken for a normal distribution; the
    distance is the root mean square, over moments, of Wasserstein's distance of order 2 between
    those of the two networks. The rotation is found by steps that never go up, which may end in a
    local optimum. Without noise it is Procrustes' distance of states that keep their size.
    """
    units = max(a.means.shape[1], b.means.shape[1])
    a, b = _widened(a, units), _widened(b, units)
    size = sum(float(np.square(part).sum()) for net in (a, b) for part in net)
    squared = np.inf
    turns = np.broadcast_to(np.eye(REPEATS), (len(a.means), REPEATS, REPEATS))
    for _ in range(STEPS):
        across = a.means.T @ b.means + np.einsum("pur,prs,pvs->uv", a.spreads, turns, b.spreads)
        left, _, right = np.linalg.svd(across)
        rotation = left @ right
        spreads = rotation @ b.spreads
        turns = _best_turns(a.spreads, spreads)
        before, squared = squared, _squared(a, b.means @ rotation.T, spreads, turns)
        if before - squared <= SETTLED * size:
            break
    return float(np.sqrt(squared / len(a.means)))


def _widened(net: Clouds, units: int) -> Clouds:
    more = units - net.means.shape[1]
    means = np.pad(net.means, ((0, 0), (0, more)))
    return Clouds(means, np.pad(net.spreads, ((0, 0), (0, more), (0, 0))))


def _best_turns(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation R of the repeats at each point for which ‖A R - B‖ is least."""
    left, _, right = np.linalg.svd(a.transpose(0, 2, 1) @ b)
    turns: np.ndarray = left @ right
    return turns


def _squared(a: Clouds, means: np.ndarray, spreads: np.ndarray, turns: np.ndarray) -> float:
    """The sum of squared distances of the means and of the spreads, which are aligned."""
    apart = np.square(a.means - means).sum() + np.square(a.spreads @ turns - spreads).sum()
    return float(apart)
