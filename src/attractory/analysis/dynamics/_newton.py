"""Newton's method from many starts side by side, and from one to the last digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.analysis.dynamics._factors import Factors
from attractory.analysis.dynamics._step import Step

TOLERANCE = 1e-12  # residual at which a start has arrived, relative to max(1, |h|)
ITERATIONS = 40  # factorisations a start
REUSES = 12  # steps with the same factors
POLISHING = 4  # steps in double precision, at most
LEAST = 1e-300  # instead of a length or square of 0, by which it is divided


@dataclass(frozen=True)
class Ends:
    """Where Newton's method took a number of starts: states (start, unit), converged (start,)."""

    states: np.ndarray
    converged: np.ndarray


class Chunk:
    """Some starts on their way; arrays have one row a start."""

    def __init__(
        self,
        step: Step,
        starts: np.ndarray,
        longest: float,
    ) -> None:
        self.step = step
        self.longest = longest
        self.states = starts.copy()
        self.residuals = np.zeros_like(starts)
        self.best = starts.copy()
        self.size = np.full(len(starts), np.inf)
        self.going = np.ones(len(starts), bool)
        everything = np.arange(len(starts))
        self._measure(everything)

    def run(self) -> Ends:
        for _ in range(ITERATIONS):
            rows = np.flatnonzero(self.going)
            if not len(rows):
                break
            with np.errstate(all="ignore"):  # states may run away; they are dropped
                self._round(rows)
        converged = self.size <= TOLERANCE
        return Ends(self.best, converged)

    def _round(self, rows: np.ndarray) -> None:
        """Steps of these rows with the factors of I - DF where they are."""
        states = self.states[rows]
        jacobians = self.step.jacobians(states, np.float32)
        systems = -jacobians
        diagonals = np.einsum("...ii->...i", systems)
        diagonals[...] += np.float32(1.0)
        factors = Factors(systems)
        before = self.residuals[rows]
        moves, near = self._newton_step(rows, factors)
        self._cheaper_steps(rows, near, moves, before, factors)

    def _measure(self, rows: np.ndarray) -> None:
        """Residuals of these rows, which of them go on, and the best state each has seen."""
        here = self.states[rows]
        with np.errstate(all="ignore"):
            residuals = here - self.step(here)
            largest_residual = np.abs(residuals).max(axis=1)
            largest_state = np.abs(here).max(axis=1)
            size = largest_residual / np.maximum(1.0, largest_state)
        size[np.isnan(size)] = np.inf
        self.residuals[rows] = residuals
        better = size < self.size[rows]
        improved = rows[better]
        self.best[improved] = here[better]
        self.size[improved] = size[better]
        not_there = size > TOLERANCE
        self.going[rows] = not_there & np.isfinite(size)

    def _newton_step(
        self,
        rows: np.ndarray,
        factors: Factors,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One full step of these rows: the moves, and which of them were short ones."""
        own = np.arange(len(rows))
        moves = -factors.solve(self.residuals[rows], own)
        lengths = np.linalg.norm(moves, axis=1)
        failed = factors.singular | ~np.isfinite(lengths)
        for i in np.flatnonzero(failed):
            row = rows[i]
            smallest = _smallest_solution(
                self.step,
                self.states[row],
                self.residuals[row],
            )
            moves[i] = -smallest
            lengths[i] = np.linalg.norm(moves[i])
        allowed = self.longest / np.maximum(lengths, LEAST)
        shortening = np.minimum(1.0, allowed)
        moves *= shortening[:, None]
        self.states[rows] += moves
        self._measure(rows)
        short = lengths <= self.longest / 2
        near = np.flatnonzero(~failed & short)
        return moves, near

    def _cheaper_steps(
        self,
        rows: np.ndarray,
        near: np.ndarray,
        moves: np.ndarray,
        before: np.ndarray,
        factors: Factors,
    ) -> None:
        """Broyden's steps of the rows `near`, with the same factors, while they pay."""
        path = [moves]
        while True:
            paying = self._pays(rows[near], before[near])
            near = near[paying]
            if not len(near) or len(path) > REUSES:
                break
            moved = rows[near]
            before[near] = self.residuals[moved]
            latest = np.zeros_like(moves)
            path.append(latest)
            latest[near] = _broyden_move(
                path,
                near,
                factors,
                before[near],
            )
            self.states[moved] += latest[near]
            self._measure(moved)

    def _pays(
        self,
        rows: np.ndarray,
        before: np.ndarray,
    ) -> np.ndarray:
        """Which of these rows go on, and became much better by their last step."""
        size_after = np.linalg.norm(self.residuals[rows], axis=1)
        size_before = np.linalg.norm(before, axis=1)
        better = size_after < 0.3 * size_before
        return self.going[rows] & better


def _broyden_move(
    path: list[np.ndarray],
    near: np.ndarray,
    factors: Factors,
    residuals: np.ndarray,
) -> np.ndarray:
    """Broyden's step of the rows `near` from the steps so far (the last entry of path is new)."""
    move = -factors.solve(residuals, near)
    taken = [step[near] for step in path[:-1]]
    squares = [np.maximum((step**2).sum(1), LEAST) for step in taken]
    for j in range(len(taken) - 1):
        product = (taken[j] * move).sum(1)
        along = product / squares[j]
        move = move + taken[j + 1] * along[:, None]
    last_product = (taken[-1] * move).sum(1)
    last = last_product / squares[-1]
    denominator = 1.0 - np.minimum(last, 0.9)
    return move / denominator[:, None]


def _smallest_solution(
    step: Step,
    state: np.ndarray,
    residual: np.ndarray,
) -> np.ndarray:
    """The smallest solution of (I - DF) move = residual, where that matrix is singular."""
    system = _system(step, state)
    finite = np.isfinite(system).all() and np.isfinite(residual).all()
    if not finite:
        return np.full_like(residual, np.nan)  # this start has run away
    solution, *_ = np.linalg.lstsq(system, residual, rcond=1e-6)
    return solution


def polish(
    step: Step,
    state: np.ndarray,
) -> tuple[np.ndarray, float]:
    """The state (unit,) after Newton steps in double precision, and its residual (max norm)."""
    best = state
    size = residual_size(step, state)
    for _ in range(POLISHING):
        system = _system(step, best)
        residual = best - step(best[None])[0]
        try:
            state = best - np.linalg.solve(system, residual)
        except np.linalg.LinAlgError:
            break
        found = residual_size(step, state)
        if not found < size:
            break
        best = state
        size = found
    return best, size


def residual_size(step: Step, state: np.ndarray) -> float:
    """|h - F(h)| of a state (unit,), max norm."""
    following = step(state[None])[0]
    return float(np.abs(state - following).max())


def _system(step: Step, state: np.ndarray) -> np.ndarray:
    """I - DF at a state (unit,)."""
    jacobian = step.jacobians(state[None])[0]
    return np.eye(step.units) - jacobian
