"""The distance between two networks' fixed points: how many have no counterpart."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from attractory.analysis import FixedPoints, connections
from attractory.population._distance import distance
from attractory.population._subject import Subject

MOST_OUTPUTS = 4  # that are tried in other orders and with other signs: 384 ways
MOVING = -2  # in the place of the unstable dimensions (-1: on a kink) of what is no fixed point


class LabelledPoints(NamedTuple):
    """Fixed points and attractors that move, and what joins them, by what is said there.

    nodes: (node, 1 + output), the number of unstable dimensions and the sign of each output. edges:
    (edge, 3, 1 + output), the labels of a saddle and of the two attractors that it joins.
    """

    nodes: np.ndarray
    edges: np.ndarray


def labelled_points(subject: Subject) -> LabelledPoints:
    joined = connections(subject.points)
    known = joined.attractors
    count = len(subject.points) + len(known.oscillations)
    outputs = np.array([known.output(i) for i in range(count)], float)
    outputs = outputs.reshape(count, subject.network.n_outputs)
    moving = np.full(len(known.oscillations), MOVING)
    unstable = np.concatenate([subject.points.n_unstable, moving])
    nodes = np.column_stack([unstable, _signs(outputs, subject.points)]).astype(int)
    return LabelledPoints(nodes, nodes[joined.edges])


def _signs(outputs: np.ndarray, points: FixedPoints) -> np.ndarray:
    """-1, 0 or 1 for each output: 0 where it is less than half of the largest at any point."""
    largest = np.abs(outputs).max(axis=0, initial=0.0)
    return np.sign(outputs) * (np.abs(outputs) > largest / 2)


@distance(
    needs="fixed points",
    source="symmetric difference of labelled fixed points and their connections",
    invariances="permutation",
    metric=True,
    paired=False,
    unit="points and connections",
    prepare=labelled_points,
)
def fixed_points(a: LabelledPoints, b: LabelledPoints) -> float:
    """How many fixed points and connections of two networks have no counterpart in the other.

    A counterpart of a point has as many unstable dimensions and the same signs of the outputs; that
    of a connection joins counterparts. Of up to 4 outputs the order and the signs are the best
    ones: 0 where one network's graph is the other's after its bits are exchanged or turned around.
    Where points share their labels it is a lower bound of what must be changed.
    """
    outputs = a.nodes.shape[1] - 1
    own = _counted(a)
    least = min(
        sum(((own - other) + (other - own)).values())
        for other in (_counted(_relabelled(b, *way)) for way in _ways(outputs))
    )
    return float(least)


def _ways(outputs: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Orders and signs of so many outputs."""
    if outputs > MOST_OUTPUTS:
        return [(tuple(range(outputs)), (1,) * outputs)]
    orders, signs = permutations(range(outputs)), product((1, -1), repeat=outputs)
    return list(product(orders, signs))


def _relabelled(
    points: LabelledPoints, order: tuple[int, ...], signs: tuple[int, ...]
) -> LabelledPoints:
    columns, factors = [0, *(1 + i for i in order)], np.array([1, *signs])
    return LabelledPoints(points.nodes[:, columns] * factors, points.edges[:, :, columns] * factors)


def _counted(points: LabelledPoints) -> Counter[object]:
    """How often each label of a point, and of a connection, is there."""
    nodes = map(tuple, points.nodes.tolist())
    edges = (
        (tuple(saddle), *sorted((tuple(one), tuple(other))))
        for saddle, one, other in points.edges.tolist()
    )
    return Counter([*nodes, *edges])
