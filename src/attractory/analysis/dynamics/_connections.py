"""How the fixed points hang together: from each saddle to the attractors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from attractory._arguments import takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import whole_number
from attractory._result import Result
from attractory.analysis.dynamics._attractors import Attractors, attractors, points_or_attractors
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._ways import PUSH, ways
from attractory.analysis.states._state_space import StateSpace

if TYPE_CHECKING:
    from networkx import Graph

MOST = 128  # directions of a point at most


@dataclass(frozen=True, repr=False)
class Connections(Result):
    """From saddles along their unstable directions to attractors.

    Numbers are those of `attractors`: of fixed points, then of oscillations. reached: for each
    saddle followed, the attractors that were reached from it (sorted; -1 among them: some ways had
    led to none when the simulation ended). edges (edge, 3): saddle, attractor, attractor, for each
    saddle that joins two: the ends of its two ways along the only real eigenvalue above 1 (other
    unstable directions, if any, are spirals). max_unstable: points with more unstable dimensions
    were not followed.
    """

    attractors: Attractors
    reached: dict[int, tuple[int, ...]]
    edges: np.ndarray
    max_unstable: int

    @property
    def points(self) -> FixedPoints:
        """The fixed points."""
        return self.attractors.points

    @cached_property
    def graph(self) -> Graph[int]:
        """A networkx graph: a node for each attractor (`outputs`: its read-out, `stable`: whether
        it is a fixed point), an edge for each pair that saddles join (`saddles`: which)."""
        from networkx import Graph

        graph: Graph[int] = Graph()
        for i in self.attractors.numbers:
            fixed = i < len(self.points)
            graph.add_node(i, outputs=self.attractors.output(i), stable=fixed)
        for saddle, one, other in self.edges.tolist():
            if graph.has_edge(one, other):
                graph.edges[one, other]["saddles"].append(saddle)
            else:
                graph.add_edge(one, other, saddles=[saddle])
        return graph

    @cached_property
    def hypercube(self) -> int | None:
        """n where the stable points and the saddles between them are the n-cube (2ⁿ points, each
        pair that differs in one bit joined, whatever the bits may be called), else None."""
        from networkx import hypercube_graph, is_isomorphic

        stable = self.graph.subgraph(self.points.stable.tolist())
        count = stable.number_of_nodes()
        n = count.bit_length() - 1
        if count < 2 or count != 2**n or stable.number_of_edges() != n * 2 ** (n - 1):
            return None
        return n if is_isomorphic(stable, hypercube_graph(n)) else None

    def ways(self, space: StateSpace, most: int = 250) -> list[np.ndarray]:
        """From the saddle of each edge to its two attractors, in a state space: (place, n) each.

        The two ways of the first edge, then those of the second, and so on; simulated without noise
        until they are near the attractor. Each has at most `most` places, evenly along it.
        """
        return ways(self.attractors, self.edges, space, most)

    def table(self) -> pd.DataFrame:
        """A row for each point that was followed, and what was reached from it."""
        return pd.DataFrame(
            {
                "point": list(self.reached),
                "n_unstable": [int(self.points.n_unstable[i]) for i in self.reached],
                "reached": [_joined(ends) for ends in self.reached.values()],
            }
        )


@one_blas_thread
@takes(points=points_or_attractors, seed=whole())
def connections(
    points: FixedPoints | Attractors,
    max_unstable: int = 3,
    steps: int = 10_000,
    seed: int = 0,
    samples: int = 8,
) -> Connections:
    """Follow every saddle with at most `max_unstable` unstable dimensions to the attractors.

    A saddle with one real eigenvalue above 1 is left in both directions of its eigenvector; all
    with several unstable dimensions also along each of them and in random directions of the space
    that they span, `samples`·2ᵏ of them for k dimensions. Each way is
    simulated, without noise, for up to `steps` time constants. For n independent bits a point with
    k unstable dimensions reaches the 2ᵏ corners of a face of the n-cube. Given fixed points alone,
    oscillations that the ways end in are looked for too. What is reached is seen, not proved.
    """
    for name, value in [("max_unstable", max_unstable), ("steps", steps), ("samples", samples)]:
        whole_number(name, value)
    known = points if isinstance(points, Attractors) else attractors(points)
    points = known.points
    rng = np.random.default_rng(seed)
    saddles = np.flatnonzero(
        (points.n_unstable >= 1) & (points.n_unstable <= max_unstable)
    ).tolist()
    bases = spread(
        lambda i: np.linalg.eig(points.step.jacobians(points.states[i][None])[0]), saddles
    )
    directions = [
        _directions(points, i, *basis, samples, rng)
        for i, basis in zip(saddles, bases, strict=True)
    ]
    size = PUSH * np.sqrt(points.step.units)
    starts = [points.states[i] + size * each for i, each in zip(saddles, directions, strict=True)]
    ends = known.follow(
        np.concatenate([np.empty((0, points.step.units)), *starts]),
        round(steps / points.step.leak),
    )
    reached, edges, position = {}, [], 0
    for i, each in zip(saddles, directions, strict=True):
        own = ends[position : position + len(each)].tolist()
        position += len(each)
        reached[i] = tuple(sorted(set(own)))
        if _joins(points, i) and own[0] != own[1] and -1 not in own[:2]:
            edges.append((i, *sorted(own[:2])))
    return Connections(known, reached, np.array(edges, int).reshape(-1, 3), max_unstable)


def _joins(points: FixedPoints, point: int) -> bool:
    """Has the Jacobian there exactly one real eigenvalue above 1, and otherwise spirals?"""
    values = points.eigenvalues[point]
    unstable = values[np.abs(values) > 1]
    real = unstable[unstable.imag == 0].real
    return len(real) == 1 and real[0] > 1


def _directions(
    points: FixedPoints,
    point: int,
    values: np.ndarray,
    vectors: np.ndarray,
    samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Unit vectors (direction, unit) in the unstable space of a point, each with its negative.

    values, vectors: eigenvalues and eigenvectors of the Jacobian there. Where the point joins
    attractors the first pair is the eigenvector along which it does.
    """
    unstable = vectors[:, (np.abs(values) > 1) & (values.imag >= 0)]
    spanning = np.concatenate([unstable.real, unstable.imag], axis=1).T
    spanning = spanning[np.linalg.norm(spanning, axis=1) > 1e-8]
    count = int(points.n_unstable[point])
    basis = np.linalg.svd(spanning, full_matrices=False)[2][:count]
    if count > 1:
        mixed = rng.normal(size=(min(MOST, samples * 2**count) // 2, count)) @ basis
        # not exactly along an eigenvector: that way may end in another saddle, by symmetry
        spanning = spanning + 1e-3 * np.linalg.norm(spanning, axis=1, keepdims=True) * mixed[0]
        spanning = np.concatenate([spanning, mixed])
    if _joins(points, point):
        along = int(np.argmax(np.where((values.imag == 0) & (values.real > 1), values.real, 0)))
        spanning = np.concatenate([vectors[:, along].real[None], spanning])
    half = spanning / np.linalg.norm(spanning, axis=1, keepdims=True)
    return np.stack([half, -half], axis=1).reshape(-1, half.shape[1])


def _joined(found: Sequence[int]) -> str:
    """Numbers of attractors for a table; ? for none."""
    return " ".join("?" if number < 0 else str(number) for number in found)
