"""The distance between weights after the units of two networks are matched."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment, quadratic_assignment
from scipy.spatial.distance import cdist

from attractory._errors import InvalidSetting
from attractory.population._distance import distance
from attractory.population._subject import Subject

TIE = 1e-6  # of correlations: units that never change, or do so alike, are told by outer weights


class Matchable(NamedTuple):
    """Weights of a network, and what its units are matched by.

    recurrent: (unit, unit). outer: (unit, input + output), weights from inputs and to outputs.
    scores: (sample, unit), states of mean 0 and length 1; 0 of a unit that never changes.
    """

    recurrent: np.ndarray
    outer: np.ndarray
    scores: np.ndarray


def matchable(subject: Subject) -> Matchable:
    network = subject.network
    square = network.model.square_recurrent_weights(network.weights)
    if square is None:
        raise InvalidSetting(
            "networks: the distance 'weights' is of models with one square matrix of recurrent "
            f"weights; {type(network.model).__name__} has none"
        )
    states = subject.samples - subject.samples.mean(axis=0)
    lengths = np.linalg.norm(states, axis=0)
    scores = states / np.where(lengths > 0, lengths, 1.0)
    outer = np.hstack([network.input_weights, network.output_weights.T])
    return Matchable(np.asarray(square, float), outer.astype(float), scores)


@distance(
    needs=("weights", "states"),
    source="Frobenius norm after matching; Vogelstein et al. (2015) for the matching",
    invariances="permutation",
    unit="relative",
    prepare=matchable,
)
def weights(a: Matchable, b: Matchable) -> float:
    """How different the weights of two networks are after their units are matched.

    The Frobenius norm of the difference of all weights over √(‖W_a‖² + ‖W_b‖²): 0 for the same
    weights, 1 for such that have nothing to do with each other. Units are matched by the
    correlations of their states (Hungarian method), and from there by their recurrent weights (fast
    approximate quadratic assignment); the better one counts. The best matching may be missed: the
    triangle inequality is no promise.
    """
    if len(a.recurrent) != len(b.recurrent):
        raise InvalidSetting(
            f"networks: one has {len(a.recurrent)} units, another {len(b.recurrent)}; the distance "
            "'weights' is of networks of equal numbers"
        )
    if np.linalg.norm(a.recurrent) > np.linalg.norm(b.recurrent):
        a, b = b, a  # any order: (b, a) has the same search
    whole = sum(np.square(part).sum() for net in (a, b) for part in net[:2])
    least = min(_difference(a, b, order) for order in _matchings(a, b))
    return float(np.sqrt(least / whole)) if whole > 0 else 0.0


def _matchings(a: Matchable, b: Matchable) -> list[np.ndarray]:
    """For each, the unit of b that stands for each unit of a."""
    unlike = TIE * cdist(a.outer, b.outer, "sqeuclidean")
    by_states = linear_sum_assignment(unlike - a.scores.T @ b.scores)[1]
    begin = np.eye(len(by_states))[by_states]
    # nothing is drawn where it is told where to begin; without one it looks at NumPy's global one
    options = {"P0": begin, "maximize": True, "rng": np.random.default_rng(0)}
    by_weights = quadratic_assignment(a.recurrent, b.recurrent, "faq", options).col_ind
    return [by_states, by_weights]


def _difference(a: Matchable, b: Matchable, order: np.ndarray) -> float:
    """The sum of squares of what is left between all weights."""
    recurrent = a.recurrent - b.recurrent[np.ix_(order, order)]
    outer = a.outer - b.outer[order]
    return float(np.square(recurrent).sum() + np.square(outer).sum())
