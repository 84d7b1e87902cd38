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

    Numbers are those of `attractors`: of fixed points, then of oscillations.

    Attributes
    ----------
    attractors : Attractors
        What the ways may end in.
    reached : dict of int to tuple of int
        For each saddle followed, the attractors that were reached from it, sorted; -1 among them:
        some ways had led to none when the simulation ended.
    edges : array (edge, 3)
        Saddle, attractor, attractor, for each saddle that joins two: the ends of its two ways along
        the only real eigenvalue above 1 (other unstable directions, if any, are spirals).
    max_unstable : int
        Points with more unstable dimensions were not followed.
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
        """A networkx graph: a node for each attractor, an edge for each pair that saddles join.

        Nodes have `outputs`, the readout, and `stable`: whether the attractor is a fixed point.
        Edges have `saddles`: which.
        """
        from networkx import Graph

        graph: Graph[int] = Graph()
        for i in self.attractors.numbers:
            outputs = self.attractors.output(i)
            fixed = i < len(self.points)
            graph.add_node(i, outputs=outputs, stable=fixed)
        for saddle, one, other in self.edges.tolist():
            if graph.has_edge(one, other):
                graph.edges[one, other]["saddles"].append(saddle)
            else:
                graph.add_edge(one, other, saddles=[saddle])
        return graph

    @cached_property
    def hypercube(self) -> int | None:
        """The n of an n-cube that the stable points and the saddles between them are, else None.

        2ⁿ points, each pair that differs in one bit joined, whatever the bits may be called.
        """
        from networkx import hypercube_graph, is_isomorphic

        stable = self.graph.subgraph(self.points.stable.tolist())
        count = stable.number_of_nodes()
        n = count.bit_length() - 1
        if count < 2 or count != 2**n:
            return None
        if stable.number_of_edges() != n * 2 ** (n - 1):
            return None
        cube = hypercube_graph(n)
        return n if is_isomorphic(stable, cube) else None

    def ways(self, space: StateSpace, most: int = 250) -> list[np.ndarray]:
        """From the saddle of each edge to its two attractors, in a state space.

        Parameters
        ----------
        space : StateSpace
            The state space.
        most : int
            Places of each way at most, evenly along it.

        Returns
        -------
        list of array (place, n)
            The two ways of the first edge, then those of the second, and so on; simulated without
            noise until they are near the attractor.
        """
        return ways(self.attractors, self.edges, space, most)

    def table(self) -> pd.DataFrame:
        """A row for each point that was followed, and what was reached from it.

        Returns
        -------
        DataFrame
            With the columns point, n_unstable and reached.
        """
        n_unstable = [int(self.points.n_unstable[i]) for i in self.reached]
        reached = [_joined(ends) for ends in self.reached.values()]
        return pd.DataFrame(
            {
                "point": list(self.reached),
                "n_unstable": n_unstable,
                "reached": reached,
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

    Parameters
    ----------
    points : FixedPoints or Attractors
        Fixed points, whose oscillations are looked for too, or all attractors.
    max_unstable : int
        Points with more unstable dimensions are not followed.
    steps : int
        Length of the simulation of each way at most, in time constants.
    seed : int
        Of the random directions.
    samples : int
        `samples`·2ᵏ random directions are taken for k unstable dimensions.

    Returns
    -------
    Connections
        What is reached, seen, not proved.

    Raises
    ------
    InvalidSetting
        When a number is not allowed.

    Notes
    -----
    A saddle with one real eigenvalue above 1 is left in both directions of its eigenvector; all
    with several unstable dimensions also along each of them and in random directions of the space
    that they span. Each way is simulated without noise. For n independent bits a point with k
    unstable dimensions reaches the 2ᵏ corners of a face of the n-cube.
    """
    whole_number("max_unstable", max_unstable)
    whole_number("steps", steps)
    whole_number("samples", samples)
    known = points if isinstance(points, Attractors) else attractors(points)
    points = known.points
    followed = (points.n_unstable >= 1) & (points.n_unstable <= max_unstable)
    saddles = np.flatnonzero(followed).tolist()
    rng = np.random.default_rng(seed)
    directions = _all_directions(points, saddles, samples, rng)
    ends = _ends(known, saddles, directions, steps)
    reached = {}
    edges = []
    for saddle, own in zip(saddles, ends, strict=True):
        reached[saddle] = tuple(sorted(set(own)))
        if not _joins(points, saddle):
            continue
        one, other = sorted(own[:2])
        if one != other and one != -1:
            edges.append((saddle, one, other))
    return Connections(
        attractors=known,
        reached=reached,
        edges=np.array(edges, int).reshape(-1, 3),
        max_unstable=max_unstable,
    )


def _all_directions(
    points: FixedPoints,
    saddles: list[int],
    samples: int,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """The directions in which each saddle is left."""

    def spectrum(saddle: int) -> tuple[np.ndarray, np.ndarray]:
        state = points.states[saddle]
        jacobian = points.step.jacobians(state[None])[0]
        values, vectors = np.linalg.eig(jacobian)
        return values, vectors

    directions = []
    spectra = spread(spectrum, saddles)
    for saddle, (values, vectors) in zip(saddles, spectra, strict=True):
        own = _directions(points, saddle, values, vectors, samples, rng)
        directions.append(own)
    return directions


def _ends(
    known: Attractors,
    saddles: list[int],
    directions: list[np.ndarray],
    steps: int,
) -> list[list[int]]:
    """The numbers of the attractors that each saddle's directions lead to."""
    step = known.points.step
    push = PUSH * np.sqrt(step.units)
    starts = [np.empty((0, step.units))]
    for saddle, own in zip(saddles, directions, strict=True):
        state = known.points.states[saddle]
        starts.append(state + push * own)
    limit = round(steps / step.leak)
    all_ends = known.follow(np.concatenate(starts), limit)
    ends = []
    position = 0
    for own in directions:
        after = position + len(own)
        ends.append(all_ends[position:after].tolist())
        position = after
    return ends


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
    above_one = np.abs(values) > 1
    one_of_pair = values.imag >= 0
    unstable = vectors[:, above_one & one_of_pair]
    spanning = np.concatenate([unstable.real, unstable.imag], axis=1).T
    not_zero = np.linalg.norm(spanning, axis=1) > 1e-8
    spanning = spanning[not_zero]
    count = int(points.n_unstable[point])
    if count > 1:
        mixed = _mixed(spanning, count, samples, rng)
        # not exactly along an eigenvector: that way may end in another saddle, by symmetry
        lengths = np.linalg.norm(spanning, axis=1, keepdims=True)
        spanning = spanning + 1e-3 * lengths * mixed[0]
        spanning = np.concatenate([spanning, mixed])
    if _joins(points, point):
        real_above_one = (values.imag == 0) & (values.real > 1)
        growth = np.where(real_above_one, values.real, 0)
        along = vectors[:, int(np.argmax(growth))].real
        spanning = np.concatenate([along[None], spanning])
    lengths = np.linalg.norm(spanning, axis=1, keepdims=True)
    half = spanning / lengths
    both = np.stack([half, -half], axis=1)
    return both.reshape(-1, half.shape[1])


def _mixed(
    spanning: np.ndarray,
    count: int,
    samples: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Random vectors (direction, unit) in the space of `count` dimensions that others span."""
    _, _, rows = np.linalg.svd(spanning, full_matrices=False)
    basis = rows[:count]
    number = min(MOST, samples * 2**count) // 2
    return rng.normal(size=(number, count)) @ basis


def _joined(found: Sequence[int]) -> str:
    """Numbers of attractors for a table; ? for none."""
    words = ["?" if number < 0 else str(number) for number in found]
    return " ".join(words)
