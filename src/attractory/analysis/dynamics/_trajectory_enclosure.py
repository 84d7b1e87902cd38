"""The true way of a rate network from one state, enclosed: every rounding is bounded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._certificate import RateErrors
from attractory.analysis.dynamics._form_norm import TINY, positive_definite
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._rounding import EPS, SLACK, sum_error
from attractory.analysis.dynamics._step import RateStep

LOOK = 8  # steps between two looks at whether the way has come into the region
# growth (its logarithm) since the last Jacobian from which a new one is made: little where the ball
# is nearly as large as the region, a share of what is left where it is far smaller than that
LOST, SHARE, RESERVE = 0.05, 0.1, 1e3
MOST_JACOBIANS = 1000  # of one way
FINER = 1e-4  # by so much the norm of a Jacobian is overestimated, to be proved easily


def entry(
    step: RateStep,
    region: Ellipsoid,
    start: np.ndarray,
    keeps: Callable[[np.ndarray, np.ndarray], bool],
    limit: int,
) -> int | None:
    """After how many steps the true way from `start` (unit,) is inside of the region, proved.

    keeps(outputs, errors): whether every read-out within `errors` (output,) of `outputs` is still
    allowed; asked at every step up to that one. None where it is not, or where nothing is proved
    within `limit` steps.

    The way is simulated, and the true state is in a ball around the simulated one in the norm of
    the region: of radius 0 at first, and r' = growth·r + error of the simulated step afterwards.
    Mean value theorem: growth is the norm of any Jacobian on the ball (`_Growth`).
    """
    tube = _Tube(step, region)
    reach = region.norm.reach(step.output_weights)
    state, radius = start, 0.0
    for t in range(limit + 1):
        outputs = step.outputs(state)
        if not keeps(outputs, reach * radius * SLACK + readout_error(step, state)):
            return None
        if (t % LOOK == 0 or t == limit) and region.holds(state, radius):
            return t
        with np.errstate(all="ignore"):  # a way may run away: its ball is not finite then
            state, radius = tube.advance(state, radius)
        if not radius < region.size:
            return None
    return None


def readout_error(step: RateStep, state: np.ndarray) -> np.ndarray:
    """The rounding of the read-out of a state, at most (output,)."""
    terms = np.abs(step.output_weights) @ np.abs(state) + np.abs(step.output_bias)
    return sum_error(step.units + 4) * terms * SLACK + TINY


class _Tube:
    """Balls around simulated states, step by step."""

    def __init__(self, step: RateStep, region: Ellipsoid) -> None:
        self.step, self.norm = step, region.norm
        self.growth = _Growth(step, region)
        weights = np.abs(step.recurrent)
        # errors of the drive of a state of size 1, and of the constant input
        self.by_state = sum_error(step.units + len(step.inputs) + 4) * weights.sum(1) * SLACK
        fixed = np.abs(step.input_weights) @ np.abs(step.inputs) + np.abs(step.bias)
        self.by_input = sum_error(step.units + len(step.inputs) + 4) * fixed * SLACK + TINY

    def advance(self, state: np.ndarray, radius: float) -> tuple[np.ndarray, float]:
        """The next simulated state, and the radius of the ball around it."""
        step = self.step
        drive = step.drive(state)
        drive_error = self.by_state * float(np.abs(state).max()) + self.by_input
        function = step.activation.rounding * np.maximum(1.0, np.abs(drive))
        growth = 0.0
        if radius > 0:
            growth = self.growth.bound(state, drive, drive_error, function, radius)
        rates = step.activation.value(drive)
        following = rates if step.leak == 1 else state + step.leak * (rates - state)
        error = step.leak * (step.activation.max_slope * drive_error + function)
        error += 8 * EPS * (np.abs(state) + np.abs(following))
        length = np.sqrt(self.norm.largest) * float(np.linalg.norm(error))
        return following, (growth * radius + length) * SLACK + TINY


class _Growth:
    """Bounds of ‖DF‖ on balls, in the norm of P.

    DF = (1 - leak) I + leak·diag(m) W, m the slopes. ‖DF‖ <= ‖DF at slopes s‖ + leak·max|m - s|·
    gain(W). The norm at s is proved by a factorisation, once for many steps: for the slopes at the
    fixed point, and for those at a state of the way when the ones in use are too far off.
    """

    def __init__(self, step: RateStep, region: Ellipsoid) -> None:
        self.step, self.norm, self.size = step, region.norm, region.size
        self.gain = step.leak * region.norm.gain(step.recurrent)
        self.reach = region.norm.reach(step.recurrent)
        self.hears = step.recurrent.any(axis=1)
        # the contraction is of the true slopes there; those compared with are computed ones
        known = RateErrors(step, region.state)
        error = self.gain * float(known.slopes(0.0).max()) / step.leak * SLACK
        self.references = [(step.activation.slope(known.drive), region.contraction + error)]
        # of the products 1 - leak and leak·m·w_ij, which DF at s was computed with
        rounding = 4 * EPS * (float(np.linalg.norm(step.recurrent)) + np.sqrt(step.units))
        largest_slope = max(1.0, step.activation.max_slope)
        condition = np.sqrt(region.norm.largest * region.norm.largest_inverse)
        self.rounding = float(rounding * largest_slope * condition) * SLACK
        self.lost, self.made = 0.0, 0

    def bound(
        self,
        state: np.ndarray,
        drive: np.ndarray,
        drive_error: np.ndarray,
        function: np.ndarray,
        radius: float,
    ) -> float:
        """‖DF‖ anywhere within `radius` (norm of P) of a state whose drive was computed so."""
        slopes = self.step.activation.slope(drive)
        spread = self._spread(drive, self.reach * radius * SLACK + drive_error) + function
        growth = self._best(slopes, spread)
        loss = float(np.log(growth)) if growth > 1 else 0.0
        left = float(np.log(max(1.0, self.size / (RESERVE * radius))))
        if self.lost + loss > max(LOST, SHARE * left) and self.made < MOST_JACOBIANS:
            self.references[1:] = [(slopes, self._proved_norm(state, slopes))]
            self.lost, self.made = 0.0, self.made + 1
            growth = min(growth, self._best(slopes, spread))
        else:
            self.lost += loss
        return growth

    def _best(self, slopes: np.ndarray, spread: np.ndarray) -> float:
        bounds = []
        for reference, norm in self.references:
            off = np.max((np.abs(slopes - reference) + spread)[self.hears], initial=0.0)
            bounds.append(norm + self.gain * float(off) + self.rounding)
        return min(bounds) * SLACK

    def _spread(self, drive: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """How far phi' can be from its value at a drive that moves by so much, (unit,)."""
        activation = self.step.activation
        assert activation.curvature is not None  # else there is no region
        spread = activation.curvature * moved
        for kink in activation.kinks:
            over = np.abs(drive - kink) <= moved * SLACK
            spread = np.where(over, 2 * activation.max_slope, spread)
        return spread

    def _proved_norm(self, state: np.ndarray, slopes: np.ndarray) -> float:
        """‖DF‖ with the slopes at a state: g with g²P - DFᵀ P DF positive definite, proved; inf
        where that fails."""
        leak, form = self.step.leak, self.norm.form
        jacobian = leak * slopes[:, None] * self.step.recurrent
        np.einsum("ii->i", jacobian)[...] += 1.0 - leak
        turned = jacobian.T @ form @ jacobian
        turned = (turned + turned.T) / 2
        last = len(form) - 1
        top = float(
            scipy.linalg.eigh(turned, form, eigvals_only=True, subset_by_index=[last] * 2)[0]
        )
        error = RateErrors(self.step, state).product_error(jacobian, form, 0.0)
        for square in (top + FINER, top + 100 * FINER):
            rounding = 4 * EPS * float(np.abs(form).max()) * (square + 1)
            if positive_definite(square * form - turned, error + len(form) * rounding):
                return float(np.sqrt(square)) * SLACK
        return float("inf")
