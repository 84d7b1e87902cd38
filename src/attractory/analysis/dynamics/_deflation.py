"""Newton's method that cannot come back to the fixed points already known."""

from __future__ import annotations

import numpy as np

from attractory.analysis.dynamics._step import Step

MOST_UNITS = 64  # beyond, so many solutions of linear equations take too long
ITERATIONS = 40


def deflated_newton(
    step: Step, starts: np.ndarray, known: np.ndarray, longest: float
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
            moves = _plain_moves(step, states)
            away = states[:, None] - known
            squares = np.maximum((away**2).sum(axis=2), 1e-300)
            # ∇ log(1 + 1/s) along p, s = ‖h - known‖²
            along = -2.0 * np.einsum("skn,sn->sk", away, moves) / (squares * (squares + 1.0))
            moves = moves / (1.0 - along.sum(axis=1))[:, None]
            lengths = np.linalg.norm(moves, axis=1)
            moves *= np.minimum(1.0, longest / np.maximum(lengths, 1e-300))[:, None]
            moved = states + moves
        fine = np.isfinite(moved).all(axis=1)
        states[fine] = moved[fine]
    return states


def _plain_moves(step: Step, states: np.ndarray) -> np.ndarray:
    """Newton's step of each state; NaN where the equations have no solution."""
    systems = np.eye(step.units) - step.jacobians(states)
    residuals = states - step(states)
    try:
        return -np.linalg.solve(systems, residuals[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        nudge = 1e-8 * np.eye(step.units)
        return -np.linalg.solve(systems + nudge, residuals[:, :, None])[:, :, 0]
