"""The search for fixed points: Newton's method from many starts, and what it has found so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attractory._cores import spread
from attractory.analysis.dynamics._certificate import NOTHING, Certificate, certify
from attractory.analysis.dynamics._factors import Factors
from attractory.analysis.dynamics._kinks import certify_on_kink, on_kink
from attractory.analysis.dynamics._step import RateStep, Step

CHUNK = 16  # starts that a thread takes at a time, at least
CHUNK_SIZE = 2048  # entries of the states of such a chunk, where there are few units
TOLERANCE = 1e-12  # residual at which a start has arrived, relative to max(1, |h|)
ITERATIONS = 40  # factorisations a start
REUSES = 12  # steps with the same factors
SAME = 1e-6  # points without a certificate nearer than this are taken for one
LARGEST_BALL = 1e-3  # an end further from a point is looked at by itself
SINGULAR = 1e-5  # singular value of I - DF, relative to DF, below which it counts as singular
SAME_DEGENERATE = 3e-3  # as SAME, where Newton's method comes near only slowly
MANY_DEGENERATE = 32  # so many degenerate points are a continuum


@dataclass(frozen=True)
class Ends:
    """Where Newton's method took a number of starts: states (start, unit), converged (start,)."""

    states: np.ndarray
    converged: np.ndarray


def newton(step: Step, starts: np.ndarray, longest: float) -> Ends:
    """Newton's method from each start, no step longer than `longest` (2-norm).

    The factors of a Jacobian serve for several steps near a solution, corrected by Broyden's
    formula (Kelley 1995, algorithm brsol). They are in single precision, residuals in double: each
    step still gains digits, and the end is as exact as double precision allows.
    """
    size = max(CHUNK, CHUNK_SIZE // step.units)
    chunks = [starts[i : i + size] for i in range(0, len(starts), size)]
    ends = spread(lambda chunk: _Chunk(step, chunk, longest).run(), chunks)
    return Ends(
        np.concatenate([end.states for end in ends]),
        np.concatenate([end.converged for end in ends]),
    )


class _Chunk:
    """Some starts on their way; arrays have one row a start."""

    def __init__(self, step: Step, starts: np.ndarray, longest: float) -> None:
        self.step, self.longest = step, longest
        self.states, self.residuals = starts.copy(), np.zeros_like(starts)
        self.best, self.size = starts.copy(), np.full(len(starts), np.inf)
        self.going = np.ones(len(starts), bool)
        self._measure(np.arange(len(starts)))

    def run(self) -> Ends:
        for _ in range(ITERATIONS):
            rows = np.flatnonzero(self.going)
            if not len(rows):
                break
            with np.errstate(all="ignore"):  # states may run away; they are dropped
                self._round(rows)
        return Ends(self.best, self.size <= TOLERANCE)

    def _round(self, rows: np.ndarray) -> None:
        systems = -self.step.jacobians(self.states[rows], np.float32)
        np.einsum("...ii->...i", systems)[...] += np.float32(1.0)
        self._newton_step(rows, Factors(systems))

    def _measure(self, rows: np.ndarray) -> None:
        """Residuals of these rows, which of them go on, and the best state each has seen."""
        here = self.states[rows]
        with np.errstate(all="ignore"):
            residuals = here - self.step(here)
            size = np.abs(residuals).max(axis=1) / np.maximum(1.0, np.abs(here).max(axis=1))
        size[np.isnan(size)] = np.inf
        self.residuals[rows] = residuals
        better = size < self.size[rows]
        self.best[rows[better]], self.size[rows[better]] = here[better], size[better]
        self.going[rows] = (size > TOLERANCE) & np.isfinite(size)

    def _newton_step(self, rows: np.ndarray, factors: Factors) -> None:
        """One full step of these rows, and cheaper ones with the same factors while they pay."""
        moves = -factors.solve(self.residuals[rows], np.arange(len(rows)))
        lengths = np.linalg.norm(moves, axis=1)
        failed = factors.singular | ~np.isfinite(lengths)
        for i in np.flatnonzero(failed):
            moves[i] = -_smallest_solution(self.step, self.states[rows[i]], self.residuals[rows[i]])
            lengths[i] = np.linalg.norm(moves[i])
        moves *= np.minimum(1.0, self.longest / np.maximum(lengths, 1e-300))[:, None]
        before = self.residuals[rows]
        self.states[rows] += moves
        self._measure(rows)
        near = np.flatnonzero(~failed & (lengths <= self.longest / 2))
        path = [moves]
        while len(near := near[self._pays(rows[near], before[near])]) and len(path) <= REUSES:
            before[near] = self.residuals[rows[near]]
            path.append(np.zeros_like(moves))
            path[-1][near] = _broyden_move(path, near, factors, before[near])
            self.states[rows[near]] += path[-1][near]
            self._measure(rows[near])

    def _pays(self, rows: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Which of these rows go on, and became much better by their last step."""
        after = np.linalg.norm(self.residuals[rows], axis=1)
        return self.going[rows] & (after < 0.3 * np.linalg.norm(before, axis=1))


def _broyden_move(
    path: list[np.ndarray], near: np.ndarray, factors: Factors, residuals: np.ndarray
) -> np.ndarray:
    """Broyden's step of the rows `near` from the steps so far (the last entry of path is new)."""
    move = -factors.solve(residuals, near)
    squares = [np.maximum((step[near] ** 2).sum(1), 1e-300) for step in path[:-1]]
    for j in range(len(path) - 2):
        along = (path[j][near] * move).sum(1) / squares[j]
        move = move + path[j + 1][near] * along[:, None]
    last = (path[-2][near] * move).sum(1) / squares[-1]
    return move / (1.0 - np.minimum(last, 0.9))[:, None]


def _smallest_solution(step: Step, state: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """The smallest solution of (I - DF) move = residual, where that matrix is singular."""
    system = np.eye(step.units) - step.jacobians(state[None])[0]
    if not (np.isfinite(system).all() and np.isfinite(residual).all()):
        return np.full_like(residual, np.nan)  # this start has run away
    return np.linalg.lstsq(system, residual, rcond=1e-6)[0]


def polish(step: Step, state: np.ndarray) -> tuple[np.ndarray, float]:
    """The state (unit,) after Newton steps in double precision, and its residual (max norm)."""
    best, size = state, _residual(step, state)
    for _ in range(4):
        system = np.eye(step.units) - step.jacobians(best[None])[0]
        try:
            state = best - np.linalg.solve(system, best - step(best[None])[0])
        except np.linalg.LinAlgError:
            break
        found = _residual(step, state)
        if not found < size:
            break
        best, size = state, found
    return best, size


def _residual(step: Step, state: np.ndarray) -> float:
    return float(np.abs(state - step(state[None])[0]).max())


@dataclass(frozen=True)
class Point:
    """A fixed point and its evidence.

    weakest: the smallest singular value of I - DF (looked at where there is no certificate).
    kinked: it is on a kink, where DF is not defined. mirrored: it is the negative of the point
    before it.
    """

    state: np.ndarray
    residual: float
    certificate: Certificate
    weakest: float
    kinked: bool = False
    mirrored: bool = False

    @property
    def degenerate(self) -> bool:
        """I - DF is singular, as far as can be told: there is no isolated fixed point here."""
        return not self.certificate.exists and self.weakest < SINGULAR


class Points:
    """The distinct fixed points found so far, and how many starts led to each.

    Where the map is odd, points come in pairs h, -h; a start that leads to one counts for both (its
    mirror image would have led to the other). The list is closed once most of many points are
    degenerate: they are samples of a continuum (`continuum`).
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.all: list[Point] = []
        self.hits = np.zeros(0, int)
        self.starts = 0
        self.arrived = 0  # starts that led to a fixed point
        self.discovered = 0  # the start that led to the newest point, counted from 1
        self.lost: list[np.ndarray] = []  # where the other starts ended

    @property
    def continuum(self) -> bool:
        degenerate = sum(point.degenerate for point in self.all)
        return degenerate >= MANY_DEGENERATE and degenerate > len(self.all) / 2

    def add(self, ends: Ends) -> None:
        """Sort the ends of a round into points: known ones, and new ones."""
        before, which = self.starts, np.flatnonzero(ends.converged)
        self.starts += len(ends.states)
        found = ends.states[which]
        self.arrived += len(found)
        self.lost += list(ends.states[~ends.converged])
        home = self._home(found)
        while (home < 0).any() and not self.continuum:
            fresh = np.flatnonzero(home < 0)
            heads = fresh[_representatives(found[fresh], self.step.odd, MANY_DEGENERATE)]
            proved = spread(self._prove, found[heads])
            for head, point in zip(heads, proved, strict=True):
                home[head] = self._insert(point, before + int(which[head]) + 1)
            rest = home < 0
            home[rest] = self._home(found[rest])
        counts = np.bincount(home[home >= 0], minlength=len(self.all))
        for i, point in enumerate(self.all):
            if point.mirrored:
                counts[i] = counts[i - 1] = counts[i] + counts[i - 1]
        self.hits = np.pad(self.hits, (0, len(self.all) - len(self.hits))) + counts

    def states(self) -> np.ndarray:
        return np.array([point.state for point in self.all]).reshape(-1, self.step.units)

    def classes(self) -> np.ndarray:
        """Indices of the points that are no mirror images: what a search can find independently."""
        return np.flatnonzero([not point.mirrored for point in self.all])

    def _prove(self, state: np.ndarray) -> Point:
        step = self.step
        exact, residual = polish(step, state)
        proof = certify(step, exact) if isinstance(step, RateStep) else NOTHING
        kinked = not proof.exists and on_kink(step, exact)
        if kinked and isinstance(step, RateStep):
            exact, proof = certify_on_kink(step, exact)
            residual = _residual(step, exact)
        weakest = 1.0 if proof.exists else _weakest(step.jacobians(exact[None])[0])
        return Point(exact, residual, proof, weakest, kinked)

    def _insert(self, point: Point, start: int) -> int:
        """The index of the point that this start led to; it may have been there already."""
        for i, other in enumerate(self.all):
            if _same(point, other) or self._inseparable(point, other):
                return i
        self.discovered = max(self.discovered, start)
        mirror = replace(point, state=-point.state, mirrored=True)
        if not self.step.odd:
            self.all.append(point)
        elif _same(point, mirror):  # it is its own mirror image: 0, exactly
            self.all.append(self._prove(np.zeros(self.step.units)))
        else:
            self.all += [point, mirror]
            return len(self.all) - 2
        return len(self.all) - 1

    def _inseparable(self, one: Point, other: Point) -> bool:
        """Is the residual between two ends as small as at them, so that they may be one point?

        Next to a fold Newton's method ends on either side of it, as near as its residual can tell.
        """
        if one.certificate.exists and other.certificate.exists:
            return False
        size = max(1.0, float(np.abs(one.state).max()))
        if float(np.abs(one.state - other.state).max()) > SAME_DEGENERATE * size:
            return False
        between = _residual(self.step, (one.state + other.state) / 2)
        return between <= 4 * max(one.residual, other.residual, TOLERANCE * size)

    def _home(self, states: np.ndarray) -> np.ndarray:
        """The index of the point in whose ball each state lies, -1 for none."""
        home = np.full(len(states), -1)
        for i, point in enumerate(self.all):
            near = np.abs(states - point.state).max(axis=1) < _reach(point)
            home[near & (home < 0)] = i
        return home


def _reach(point: Point) -> float:
    """Within this distance there is no other fixed point, or none can be told apart."""
    if point.certificate.exists:
        return min(point.certificate.unique_radius, LARGEST_BALL)
    same = SAME_DEGENERATE if point.degenerate else SAME
    return same * max(1.0, float(np.abs(point.state).max()))


def _same(one: Point, other: Point) -> bool:
    """By the balls: one lies where the other is the only one. Else, unproved, by distance."""
    distance = float(np.abs(one.state - other.state).max())
    if not (one.certificate.exists and other.certificate.exists):
        return distance < max(_reach(one), _reach(other))
    return (
        distance + one.certificate.radius < other.certificate.unique_radius
        or distance + other.certificate.radius < one.certificate.unique_radius
    )


def _weakest(jacobian: np.ndarray) -> float:
    """The smallest singular value of I - DF, relative to DF."""
    if not np.isfinite(jacobian).all():
        return 0.0
    system = np.eye(len(jacobian)) - jacobian
    return float(np.linalg.norm(system, -2) / max(1.0, float(np.linalg.norm(jacobian, np.inf))))


def _representatives(states: np.ndarray, odd: bool, most: int) -> np.ndarray:
    """Indices of states that are not near to one another (nor, if odd, to their negatives): one of
    each cluster, at most so many."""
    heads: list[int] = []
    for i, state in enumerate(states):
        taken = np.concatenate([states[heads], -states[heads]]) if odd else states[heads]
        if not heads or np.abs(taken - state).max(axis=1).min() > SAME:
            heads.append(i)
        if len(heads) == most:
            break
    return np.array(heads, int)
