"""The true way of a rate network from one state, enclosed: every rounding is bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from attractory.analysis.dynamics._form_norm import TINY, positive_definite
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._rate_errors import RateErrors
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
    state = start
    radius = 0.0
    for t in range(limit + 1):
        outputs = step.outputs(state)
        by_ball = reach * radius * SLACK
        by_rounding = readout_error(step, state)
        if not keeps(outputs, by_ball + by_rounding):
            return None
        looked_at = t % LOOK == 0 or t == limit
        if looked_at and region.holds(state, radius):
            return t
        with np.errstate(all="ignore"):  # a way may run away: its ball is not finite then
            state, radius = tube.advance(state, radius)
        if not radius < region.size:
            return None
    return None


def readout_error(
    step: RateStep,
    state: np.ndarray,
) -> np.ndarray:
    """The rounding of the read-out of a state, at most (output,)."""
    from_units = np.abs(step.output_weights) @ np.abs(state)
    terms = from_units + np.abs(step.output_bias)
    gamma = sum_error(step.units + 4)
    return gamma * terms * SLACK + TINY


class _Tube:
    """Balls around simulated states, step by step."""

    def __init__(
        self,
        step: RateStep,
        region: Ellipsoid,
    ) -> None:
        self.step = step
        self.norm = region.norm
        self.growth = _Growth(step, region)
        gamma = sum_error(step.units + len(step.inputs) + 4)
        # errors of the drive of a state of size 1, and of the constant input
        row_sums = np.abs(step.recurrent).sum(1)
        self.by_state = gamma * row_sums * SLACK
        by_input = np.abs(step.input_weights) @ np.abs(step.inputs)
        fixed = by_input + np.abs(step.bias)
        self.by_input = gamma * fixed * SLACK + TINY

    def advance(
        self,
        state: np.ndarray,
        radius: float,
    ) -> tuple[np.ndarray, float]:
        """The next simulated state, and the radius of the ball around it."""
        step = self.step
        drive = step.drive(state)
        largest = float(np.abs(state).max())
        drive_error = self.by_state * largest + self.by_input
        value_error = step.activation.rounding * np.maximum(1.0, np.abs(drive))
        growth = 0.0
        if radius > 0:
            growth = self.growth.bound(
                state,
                drive,
                drive_error,
                value_error,
                radius,
            )
        rates = step.activation.value(drive)
        following = rates
        if step.leak != 1:
            following = state + step.leak * (rates - state)
        # of phi, then of the sums with the leak
        error = step.leak * (step.activation.max_slope * drive_error + value_error)
        error += 8 * EPS * (np.abs(state) + np.abs(following))
        error_length = float(np.linalg.norm(error))
        error_in_norm = np.sqrt(self.norm.largest) * error_length
        following_radius = (growth * radius + error_in_norm) * SLACK + TINY
        return following, following_radius


@dataclass(frozen=True)
class _Reference:
    """Slopes (unit,) for which the norm of DF is proved to be at most `norm`."""

    slopes: np.ndarray
    norm: float


class _Growth:
    """Bounds of ‖DF‖ on balls, in the norm of P.

    DF = (1 - leak) I + leak·diag(m) W, m the slopes. ‖DF‖ <= ‖DF at slopes s‖ + leak·max|m - s|·
    gain(W). The norm at s is proved by a factorisation, once for many steps: for the slopes at the
    fixed point, and for those at a state of the way when the ones in use are too far off.
    """

    def __init__(
        self,
        step: RateStep,
        region: Ellipsoid,
    ) -> None:
        self.step = step
        self.norm = region.norm
        self.size = region.size
        self.gain = step.leak * region.norm.gain(step.recurrent)
        self.reach = region.norm.reach(step.recurrent)
        self.hears = step.recurrent.any(axis=1)
        self.references = [self._at_fixed_point(region)]
        self.rounding = self._rounding()
        self.lost = 0.0
        self.made = 0

    def _at_fixed_point(self, region: Ellipsoid) -> _Reference:
        # the contraction is of the true slopes there; those compared with are computed ones
        known = RateErrors(self.step, region.state)
        largest = float(known.slopes(0.0).max())
        error = self.gain * largest / self.step.leak * SLACK
        slopes = self.step.activation.slope(known.drive)
        return _Reference(slopes, region.contraction + error)

    def _rounding(self) -> float:
        """Of the products 1 - leak and leak·m·w_ij, which DF at s was computed with."""
        step = self.step
        length = float(np.linalg.norm(step.recurrent))
        entries = 4 * EPS * (length + np.sqrt(step.units))
        largest_slope = max(1.0, step.activation.max_slope)
        condition = np.sqrt(self.norm.largest * self.norm.largest_inverse)
        return float(entries * largest_slope * condition) * SLACK

    def bound(
        self,
        state: np.ndarray,
        drive: np.ndarray,
        drive_error: np.ndarray,
        value_error: np.ndarray,
        radius: float,
    ) -> float:
        """‖DF‖ anywhere within `radius` (norm of P) of a state whose drive was computed so."""
        slopes = self.step.activation.slope(drive)
        moved = self.reach * radius * SLACK
        spread = self._spread(drive, moved + drive_error) + value_error
        growth = self._best(slopes, spread)
        loss = float(np.log(growth)) if growth > 1 else 0.0
        if not self._needs_another(loss, radius):
            self.lost += loss
            return growth
        proved = self._proved_norm(state, slopes)
        self.references[1:] = [_Reference(slopes, proved)]
        self.lost = 0.0
        self.made += 1
        return min(growth, self._best(slopes, spread))

    def _needs_another(
        self,
        loss: float,
        radius: float,
    ) -> bool:
        """Has so much been lost that another Jacobian pays?"""
        share_of_size = self.size / (RESERVE * radius)
        left = float(np.log(max(1.0, share_of_size)))
        allowed = max(LOST, SHARE * left)
        return self.lost + loss > allowed and self.made < MOST_JACOBIANS

    def _best(
        self,
        slopes: np.ndarray,
        spread: np.ndarray,
    ) -> float:
        """‖DF‖ for slopes within `spread` of these, by the reference that gives the least."""
        bounds = []
        for reference in self.references:
            off = np.abs(slopes - reference.slopes) + spread
            furthest = np.max(off[self.hears], initial=0.0)
            bound = reference.norm + self.gain * float(furthest) + self.rounding
            bounds.append(bound)
        return min(bounds) * SLACK

    def _spread(
        self,
        drive: np.ndarray,
        moved: np.ndarray,
    ) -> np.ndarray:
        """How far phi' can be from its value at a drive that moves by so much, (unit,)."""
        activation = self.step.activation
        assert activation.curvature is not None  # else there is no region
        spread = activation.curvature * moved
        for kink in activation.kinks:
            over = np.abs(drive - kink) <= moved * SLACK
            spread = np.where(
                over,
                2 * activation.max_slope,
                spread,
            )
        return spread

    def _proved_norm(
        self,
        state: np.ndarray,
        slopes: np.ndarray,
    ) -> float:
        """‖DF‖ with the slopes at a state: g with g²P - DFᵀ P DF positive definite, proved; inf
        where that fails."""
        form = self.norm.form
        jacobian = self.step.leak * slopes[:, None] * self.step.recurrent
        diagonal = np.einsum("ii->i", jacobian)
        diagonal[...] += 1.0 - self.step.leak
        turned = jacobian.T @ form @ jacobian
        turned = (turned + turned.T) / 2
        top = _largest_relative_eigenvalue(turned, form)
        errors = RateErrors(self.step, state)
        error = errors.product_error(jacobian, form, 0.0)
        largest_entry = float(np.abs(form).max())
        for square in (top + FINER, top + 100 * FINER):
            rounding = 4 * EPS * largest_entry * (square + 1)
            difference = square * form - turned
            if positive_definite(difference, error + len(form) * rounding):
                return float(np.sqrt(square)) * SLACK
        return float("inf")


def _largest_relative_eigenvalue(
    matrix: np.ndarray,
    form: np.ndarray,
) -> float:
    """About the largest λ of M v = λ P v: the square of the norm to be proved."""
    last = len(form) - 1
    values = scipy.linalg.eigh(
        matrix,
        form,
        eigvals_only=True,
        subset_by_index=[last, last],
    )
    return float(values[0])
