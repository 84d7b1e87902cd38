"""Newton's method that cannot come back to the fixed points already known."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._step import Step

MOST_UNITS = 64  # beyond, so many solutions of linear equations take too long
ITERATIONS = 40
LEAST = 1e-300  # of a length that is divided by
NUDGE = 1e-8  # of a system that has no solution


def deflated_newton(
    step: Step,
    starts: np.ndarray,
    known: np.ndarray,
    longest: float,
) -> np.ndarray:
    """Where the starts (start, unit) come to when the known points (point, unit) are taken out.

    Newton's method for m(h) · (h - F(h)) with m = Π (1 + 1/‖h - known‖²), which has no zero at the
    known points (Farrell, Birkisson & Funke 2015, section 2). Its step is a multiple of the plain
    one, 1/(1 - ∇m·p/m), and may turn it round. The ends are starts for the plain method, which
    tells whether they are fixed points.
    """
    states = starts.copy()
    for _ in range(ITERATIONS):
        with np.errstate(all="ignore"):
            plain = _plain_moves(step, states)
            moves = _deflated(plain, states, known)
            moved = states + _shortened(moves, longest)
        fine = np.isfinite(moved).all(axis=1)
        states[fine] = moved[fine]
    return states


def _deflated(
    moves: np.ndarray,
    states: np.ndarray,
    known: np.ndarray,
) -> np.ndarray:
    """The plain steps p of Newton's method times 1/(1 - ∇m·p/m)."""
    away = states[:, None] - known
    squares = (away**2).sum(axis=2)
    squares = np.maximum(squares, LEAST)
    # ∇ log(1 + 1/s) along p, s = ‖h - known‖²
    products = np.einsum("skn,sn->sk", away, moves)
    along = -2.0 * products / (squares * (squares + 1.0))
    divisor = 1.0 - along.sum(axis=1)
    return moves / divisor[:, None]


def _shortened(moves: np.ndarray, longest: float) -> np.ndarray:
    lengths = np.linalg.norm(moves, axis=1)
    share = longest / np.maximum(lengths, LEAST)
    share = np.minimum(1.0, share)
    return moves * share[:, None]


def _plain_moves(step: Step, states: np.ndarray) -> np.ndarray:
    """Newton's step of each state; NaN where the equations have no solution."""
    identity = np.eye(step.units)
    systems = identity - step.jacobians(states)
    residuals = states - step(states)
    columns = residuals[:, :, None]
    try:
        solutions = np.linalg.solve(systems, columns)
    except np.linalg.LinAlgError:
        nudged = systems + NUDGE * identity
        solutions = np.linalg.solve(nudged, columns)
    return -solutions[:, :, 0]
