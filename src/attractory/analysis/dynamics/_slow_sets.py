"""The search for continuous sets of slow states: lines, rings, planes on which memory can lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist

from attractory._arguments import as_array, optional, takes, whole
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, shown, whole_number
from attractory.analysis._given import constant_input, network_or_step
from attractory.analysis.dynamics._set_geometry import (
    averaged,
    described,
    dimension_of,
    path_through,
    refined,
)
from attractory.analysis.dynamics._slow_set import SlowSet, SlowSets
from attractory.analysis.dynamics._starts import checked_states
from attractory.analysis.dynamics._step import Step, step_of
from attractory.analysis.dynamics._visited import Visited, visited_by
from attractory.models import Network, check_meeting
from attractory.runs import kept
from attractory.tasks import Task, Trials, as_task_or_trials

ROUNDS = 20  # of Newton's method for one state and one share
# singular values of J - 1 below these shares of the leak are those of a slow direction; the next is
# tried where the state is not slow yet
SLOW_SHARES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.001)
STILL = 1e-3  # of a piece: a state that moves less comes no nearer
THICKNESS = 3  # pieces: slow states beside one another across a line are averaged over so much
PIECES = 40  # the reach is cut into so many pieces: states of a set are that near to each other
FARTHER = 0.8  # a state between two others is nearer to both than this share of their distance
MOST_GROWN = 100  # states that a set grows by at each end
OUTWARD = 12  # directions in which a set of two dimensions grows
BEYOND = 1.2  # a set is followed to so many times the trajectories' distance from their mean


@kept
@one_blas_thread
@takes(
    network=network_or_step,
    inputs=optional(constant_input),
    initial_states=optional(as_array),
    task=optional(as_task_or_trials),
    units=optional(whole(1)),
    n_starts=whole(1),
    duration=optional(whole(1)),
)
def slow_sets(
    network: Network | Callable[[Any, Any], Any],
    inputs: Any = None,
    *,
    task: Task | Trials | None = None,
    tolerance: float = 0.05,
    n_starts: int = 96,
    seed: int = 0,
    units: int | None = None,
    initial_states: Any = None,
    duration: int | None = None,
) -> SlowSets:
    """The sets of states on which a network nearly stands still: points, lines, rings, planes.

    Parameters
    ----------
    network : Network or callable
        A network of any model, or a step(h, x) -> h written in JAX operations.
    inputs : array (input,), optional
        The constant input; 0 when None. Of a decision task: the context without a stimulus, or with
        the mean of one.
    task : Task or Trials, optional
        Whose trajectories the starts are taken from, and by whose speed slow is measured; random
        pulses on the inputs when None.
    tolerance : float
        A state is slow when its speed ‖F(h) - h‖ is at most this share of the median length of a
        step on the trajectories, above 0 and below 1.
    n_starts : int
        How many states of the trajectories are brought to the nearest slow state.
    seed : int
        Of the trials and of the choice of starts.
    units : int, optional
        The size of h, for a step(h, x) without initial states.
    initial_states : array (state, unit), optional
        Further starts; of a step(h, x) its trajectories begin there.
    duration : int, optional
        In steps: points that states on a line go to within it are told apart, and are called a
        chain, no line. A trial's length when None.

    Returns
    -------
    SlowSets
        Each set with its kind, dimension, states, extents, and the drift along it.

    Raises
    ------
    InvalidSetting
        For sizes and numbers that are not allowed.

    Notes
    -----
    Fixed points (`fixed_points`) cannot show a line attractor: it has one or few of them, or none,
    and what is slow between them is the memory. From each start Newton's method on F(h) - h moves
    the state along the directions that are fast there, and leaves it where it is along the slow
    ones (Levenberg's damping between the two); it comes to the nearest slow state. States belong to
    one set when everything between them is slow, too: the middle is brought to its nearest slow
    state, then the quarters, down to 1/40 of the trajectories' range. Open ends are followed until
    they are slow no more, or 1.2 times as far out as the trajectories come. A set smaller than a
    tenth of their range is a point. Noise of the model is left out.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78, for the line attractors of trained
    networks; Levenberg (1944), Q. Appl. Math. 2:164, for the damping.
    """
    _check(tolerance, task, network)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    given = checked_states(initial_states, network, units)
    step = step_of(network, inputs, units if given is None else given.shape[1])
    visited = visited_by(step, task, seed, rng, given)
    if duration is not None:
        visited = replace(visited, duration=duration)
    search = Search(step, visited, tolerance * visited.typical_speed)
    chosen = rng.permutation(len(visited.states))[:n_starts]
    starts = visited.states[chosen]
    if given is not None:
        starts = np.concatenate([starts, given])
    sets = search.alone([search.described(found) for found in search.components(starts)])
    return SlowSets(
        sets=sets,
        typical_speed=visited.typical_speed,
        tolerance=float(tolerance),
        reach=visited.reach,
        duration=visited.duration,
        inputs=step.inputs,
    )


class Search:
    """Slow states of one map, and which of them hang together."""

    def __init__(self, step: Step, visited: Visited, slow: float) -> None:
        self.step = step
        self.visited = visited
        self.slow = slow
        self.reach = visited.reach
        self.piece = self.reach / PIECES

    def speed(self, states: np.ndarray) -> np.ndarray:
        return np.linalg.norm(self.step(states) - states, axis=1)

    def nearest(self, start: np.ndarray) -> np.ndarray | None:
        """The slow state that is reached from `start` along fast directions; None: there is none.

        One direction after the other is allowed to count as fast until the state is slow: so it
        moves as little as it can.
        """
        state = start
        for share in SLOW_SHARES:
            state = self._moved(state, share * self.step.leak)
            if not np.isfinite(state).all():
                return None
            if self.speed(state[None])[0] <= self.slow:
                return state
        return None

    def _moved(self, state: np.ndarray, slow_value: float) -> np.ndarray:
        """Where the damped Newton method takes a state until it is slow: singular values of J - 1
        well above `slow_value` are solved for, those well below leave the state where it is."""
        damping = slow_value**2 * np.eye(self.step.units)
        for _ in range(ROUNDS):
            residual = self.step(state[None])[0] - state
            if np.linalg.norm(residual) <= self.slow:
                break
            jacobian = self.step.jacobians(state[None])[0]
            slopes = jacobian - np.eye(self.step.units)
            curvature = slopes.T @ slopes + damping
            gradient = slopes.T @ residual
            move = -np.linalg.solve(curvature, gradient)
            state, length = self._shortened(state, move, float(residual @ residual))
            if length <= self.piece * STILL:
                break
        return state

    def _shortened(
        self, state: np.ndarray, move: np.ndarray, before: float
    ) -> tuple[np.ndarray, float]:
        """The state after a move that is cut until it does not raise the speed, and its length."""
        length = float(np.linalg.norm(move))
        if not np.isfinite(length):
            return np.full_like(state, np.nan), 0.0
        share = min(1.0, self.reach / (4 * length)) if length else 1.0
        for _ in range(8):
            tried = state + share * move
            residual = self.step(tried[None])[0] - tried
            if residual @ residual <= before:
                return tried, share * length
            share = share / 2
        return state, 0.0

    def _slow_next_to(self, starts: np.ndarray) -> np.ndarray:
        """The slow states (state, unit) that the starts are brought to."""
        arrived = [state for state in spread(self.nearest, list(starts)) if state is not None]
        return np.array(arrived).reshape(-1, self.step.units)

    def components(self, starts: np.ndarray) -> list[np.ndarray]:
        """The slow states (state, unit) next to the starts, set by set."""
        states = _distinct(self._slow_next_to(starts), self.piece / 4)
        if not len(states):
            return []
        tree = minimum_spanning_tree(cdist(states, states)).tocoo()
        edges = list(zip(tree.row.tolist(), tree.col.tolist(), strict=True))

        def between(edge: tuple[int, int]) -> list[np.ndarray] | None:
            one, other = edge
            return self.joined(states[one], states[other])

        ways = zip(edges, spread(between, edges), strict=True)
        joined = [(edge, found) for edge, found in ways if found is not None]
        label = _labels(len(states), [edge for edge, _ in joined])
        count = label.max() + 1
        made: list[list[np.ndarray]] = [[] for _ in range(count)]
        for i, state in enumerate(states):
            made[label[i]].append(state)
        for (first, _), found in joined:
            made[label[first]].extend(found)
        return [np.array(component) for component in made]

    def joined(self, one: np.ndarray, other: np.ndarray) -> list[np.ndarray] | None:
        """Slow states from one to the other, a piece apart at most; None where something between
        them is not slow."""
        distance = np.linalg.norm(one - other)
        if distance <= self.piece:
            return []
        middle = self.nearest((one + other) / 2)
        if middle is None:
            return None
        to_one = np.linalg.norm(middle - one)
        to_other = np.linalg.norm(middle - other)
        if max(to_one, to_other) > FARTHER * distance:
            return None
        before = self.joined(one, middle)
        after = self.joined(middle, other) if before is not None else None
        if before is None or after is None:
            return None
        return [*before, middle, *after]

    def grown(self, end: np.ndarray, outward: np.ndarray) -> list[np.ndarray]:
        """Slow states beyond an end, a piece apart, nearer at the very end, as far as there are."""
        found: list[np.ndarray] = []
        direction = outward / np.linalg.norm(outward)
        length = self.piece
        while len(found) < MOST_GROWN and length >= self.piece / 8:
            ahead = self.nearest(end + length * direction)
            if ahead is None or not self._onward(end, ahead, direction, length):
                length = length / 2
                continue
            found.append(ahead)
            if length == self.piece:  # a shorter way is too short to tell the direction
                direction = (ahead - end) / np.linalg.norm(ahead - end)
            end = ahead
        return found

    def _onward(
        self, end: np.ndarray, ahead: np.ndarray, direction: np.ndarray, length: float
    ) -> bool:
        """Whether a state is about so much further out than the end, and still within bounds."""
        advance = float((ahead - end) @ direction)
        from_mean = np.linalg.norm(ahead - self.visited.mean)
        within = bool(from_mean <= BEYOND * self.visited.farthest)
        return advance > length / 2 and within

    def alone(self, sets: list[SlowSet]) -> list[SlowSet]:
        """The sets, largest first, without those that lie on a larger one: it has grown since."""

        def rank(each: SlowSet) -> tuple[float, ...]:
            return -each.dimension, -each.extent.sum(), each.speed.max()

        kept: list[SlowSet] = []
        for each in sorted(sets, key=rank):
            larger = [other.states for other in kept if other.kind != "point"]
            if not larger or not self._lies_on(each.states, np.concatenate(larger)):
                kept.append(each)
        return kept

    def _lies_on(self, states: np.ndarray, larger: np.ndarray) -> bool:
        """Whether every state is one of a larger set, about."""
        apart = cdist(states, larger).min(axis=1)
        return bool((apart <= 2 * self.piece).all())

    def described(self, states: np.ndarray) -> SlowSet:
        """One set of slow states, grown to its ends, with what is known of it."""
        dimension = dimension_of(states, self.reach, self.piece)
        closed = False
        if dimension == 1:
            states, closed = self._line(states)
        elif dimension == 2:
            states = self._plane(states)
        if dimension:
            states = refined(self.step, states, dimension, closed, self.piece, self.slow)
        return described(self.step, states, dimension, closed, self.visited.duration)

    def _line(self, states: np.ndarray) -> tuple[np.ndarray, bool]:
        """The states of a line in order, and whether it closes."""
        middle = averaged(states, THICKNESS * self.piece)
        apart = self.piece / 2
        next_to = self._slow_next_to(_distinct(middle, apart))
        slow = _distinct(next_to, apart)
        # where nothing is slow about the means the states stay as they are
        path = path_through(slow if len(slow) > 1 else states, self.piece)
        if self._closes(path):
            return path, True
        outward = path[-1] - path[-2]
        begun = path[: len(path) // 2]
        beyond = self.grown(path[-1], outward)
        ahead = _until_met(beyond, begun, self.piece)
        path = np.array([*path, *ahead])
        if self._closes(path):
            return path, True
        backward = path[0] - path[1]
        behind = self.grown(path[0], backward)
        whole = [*behind[::-1], *path]
        return np.array(whole), False

    def _closes(self, path: np.ndarray) -> bool:
        """Whether a path comes back to where it began, by way of slow states."""
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        gap = np.linalg.norm(path[-1] - path[0])
        if len(path) < 8 or gap > length / 4:
            return False
        return self.joined(path[-1], path[0]) is not None

    def _plane(self, states: np.ndarray) -> np.ndarray:
        """The states of a set of two dimensions, and those beyond its edge."""
        centre = states.mean(axis=0)
        axes = np.linalg.svd(states - centre, full_matrices=False)[2][:2]
        angles = 2 * np.pi * np.arange(OUTWARD) / OUTWARD
        ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        flat = (states - centre) @ axes.T
        further = []
        for way in ways:
            outermost = states[(flat @ way).argmax()]
            further.extend(self.grown(outermost, way @ axes))
        return np.array([*states, *further])


def _until_met(ahead: list[np.ndarray], begun: np.ndarray, piece: float) -> list[np.ndarray]:
    """The states of a growing line up to where it comes back to its beginning."""
    for i, state in enumerate(ahead):
        if np.linalg.norm(begun - state, axis=1).min() < piece:
            return ahead[: i + 1]
    return ahead


def _distinct(states: np.ndarray, apart: float) -> np.ndarray:
    """The states that are not within a distance of an earlier one."""
    chosen: list[int] = []
    for i, state in enumerate(states):
        known = states[chosen]
        if not len(known) or np.linalg.norm(known - state, axis=1).min() > apart:
            chosen.append(i)
    return states[chosen]


def _labels(count: int, edges: list[tuple[int, int]]) -> np.ndarray:
    """For each of so many states the number of the set that it is in."""
    from scipy.sparse import coo_array

    ends = np.array(edges, int).reshape(-1, 2)
    first, second = ends.T
    weights = np.ones(len(ends))
    graph = coo_array((weights, (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _check(tolerance: Any, task: Any, network: Any) -> None:
    flag = isinstance(tolerance, bool)
    number = isinstance(tolerance, (int, float, np.number))
    if flag or not number or not 0 < tolerance < 1:
        raise InvalidSetting(
            f"tolerance = {shown(tolerance)} is not allowed: a share above 0 and below 1"
        )
    if task is not None and isinstance(network, Network):
        check_meeting(network.model, task)
