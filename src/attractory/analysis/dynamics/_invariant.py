"""A region around a stable point that is proved to hold whatever enters it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attractory._result import Result
from attractory.analysis.dynamics._certificate import RateErrors, solve_stein
from attractory.analysis.dynamics._form_norm import FormNorm, positive_definite
from attractory.analysis.dynamics._rounding import EPS, SLACK
from attractory.analysis.dynamics._step import RateStep, Step

WITHOUT_END = 1e6  # size of the ellipsoid of a linear map, of which any size is invariant


@dataclass(frozen=True, repr=False)
class Ellipsoid(Result):
    """{h: (h - h*)ᵀ P (h - h*) <= size²} around a stable fixed point h*: F maps it into itself.

    Every ellipsoid about h* that is smaller is mapped into itself, too. h* itself is known nearly:
    all that is measured from `state` allows for the way between the two.

    state (unit,): next to h*. offset: |state - h*| is at most this, in the norm of P. norm: that
    norm, with its bounds. size: the ellipsoid's. contraction: the norm of DF(h*), below 1.
    radius: a ball (2-norm) of this radius around `state` is inside of the ellipsoid. input_bound:
    any input of at most this size in every channel, however it changes in time, keeps a state of
    the ellipsoid `safe` times as large inside of that one. margin (output,): how far the read-out
    of any state of the ellipsoid can be from that of `state`.
    """

    state: np.ndarray
    offset: float
    norm: FormNorm
    size: float
    contraction: float
    radius: float
    input_bound: float
    safe: float
    margin: np.ndarray

    @property
    def form(self) -> np.ndarray:
        """P, (unit, unit), positive definite."""
        return self.norm.form

    def with_margin(self, room: float) -> Ellipsoid | None:
        """The largest one in this one where the read-out is within `room` of that of `state` in
        every channel; None where the state itself is not clearly in it."""
        margin = float(self.margin.max(initial=0.0))
        if margin <= room:
            return self
        reach = margin / (self.size + self.offset) * SLACK
        size = (room / reach - self.offset) / SLACK
        share = size / self.size
        if not size > self.offset * SLACK:
            return None
        return replace(
            self,
            size=size,
            radius=self.radius * (size - self.offset) / (self.size - self.offset) / SLACK,
            input_bound=self.input_bound * share / SLACK,
            margin=self.margin * (size + self.offset) / (self.size + self.offset) * SLACK,
        )

    def distance(self, state: np.ndarray) -> float:
        """How far a state (unit,) is from h* in the norm of P, at most."""
        away = state - self.state
        rounding = self.norm.longest(EPS * np.abs(away))
        return (self.norm.length(away) + rounding + self.offset) * SLACK

    def holds(self, state: np.ndarray, spread: float = 0.0) -> bool:
        """Is this state (unit,), and all that is within `spread` of it (norm of P), inside?"""
        return bool(self.distance(state) + spread * SLACK <= self.size)


def invariant_ellipsoid(step: RateStep, state: np.ndarray, near: float) -> Ellipsoid | None:
    """An ellipsoid around a stable fixed point h* that F maps into itself, proved; or None.

    state (unit,), near: h* is proved to be within `near` of the state (max norm; `certify`).

    With ‖DF(h*)‖ <= κ < 1 in the norm of P, and L the curvature of phi, the deviation from the
    linear step is in unit k at most leak·L/2 · (w_k·(h - h*))². Its norm is at most `bend`·ρ² on
    the ellipsoid of size ρ (`_bend`), which is therefore invariant when κρ + bend·ρ² <= ρ. P solves
    Stein's equation for DF slowed down. Where phi has kinks the ellipsoid ends at the next one.
    """
    curvature = step.activation.curvature
    if curvature is None or not np.isfinite(near):
        return None
    jacobian = step.jacobians(state[None])[0]
    n = len(jacobian)
    radius = float(np.abs(np.linalg.eigvals(jacobian)).max())
    if not radius < 1.0:
        return None
    contraction = (1.0 + radius) / 2
    form = solve_stein(jacobian / contraction, np.eye(n))
    norm = FormNorm.of(form)
    if norm is None:
        return None
    errors = RateErrors(step, state)
    if not _contracts(jacobian, form, contraction, errors, near):
        return None
    reach = norm.reach(step.recurrent)
    bend = step.leak * curvature * _bend(norm, step.recurrent, reach)
    size = (1.0 - contraction) / bend / SLACK if bend > 0 else WITHOUT_END
    # the drives of h* are this near to those of the state, whose distance to the kinks is known
    to_kinks = (errors.to_kinks - errors.row_sums * near * SLACK) / SLACK
    hears = errors.row_sums > 0  # the drive of a unit without recurrent input never changes
    size = min(size, float(np.min(to_kinks[hears] / reach[hears], initial=np.inf)) / SLACK)
    offset = norm.longest(np.full(n, near))
    if not size > offset * SLACK:
        return None
    pushed = step.leak * step.activation.max_slope * np.abs(step.input_weights).sum(1)
    push = norm.longest(pushed) if pushed.any() else 0.0
    # at half the size the step gains (1 - κ)ρ - bend ρ² >= (1 - κ) size / 4 against a push
    gain = ((1.0 - contraction) * size / 2 - bend * (size / 2) ** 2) / SLACK
    return Ellipsoid(
        state=state,
        offset=offset,
        norm=norm,
        size=float(size),
        contraction=contraction,
        radius=float((size - offset) / np.sqrt(norm.largest) / SLACK),
        input_bound=float(max(0.0, gain) / push / SLACK) if push > 0 else float("inf"),
        safe=0.5,
        margin=(size + offset) * norm.reach(step.output_weights) * SLACK,
    )


def _bend(norm: FormNorm, recurrent: np.ndarray, reach: np.ndarray) -> float:
    """|v| for any v with |v_k| <= (w_k·z)²/2 and |z| <= 1, at most, by two bounds.

    |w_k·z| <= reach_k gives it entry by entry. Or ‖v‖₂ <= max_k |w_k·z| ‖Wz‖₂ / 2.
    """
    by_entries = norm.longest(reach**2 / 2)
    by_length = float(reach.max()) * norm.gain(recurrent) / 2
    return min(by_entries, by_length) * SLACK


def _contracts(
    jacobian: np.ndarray, form: np.ndarray, rate: float, errors: RateErrors, radius: float
) -> bool:
    """Is κ²P - JᵀPJ positive definite for every J within the error of `jacobian`?"""
    difference = rate**2 * form - jacobian.T @ form @ jacobian
    error = errors.product_error(jacobian, form, radius)
    return positive_definite((difference + difference.T) / 2, error)


class Regions:
    """The invariant ellipsoids around fixed points (point, unit), each proved when it is asked for.

    near (point,): how near to each state a fixed point is proved to be (inf: it is not).
    """

    def __init__(self, step: Step, states: np.ndarray, near: np.ndarray) -> None:
        self.step, self.states, self.near = step, states, near
        self._known: dict[int, Ellipsoid | None] = {}

    def __getitem__(self, point: int) -> Ellipsoid | None:
        """That of a point; None where none is proved: not for every stable point there is one."""
        if point not in self._known:
            self._known[point] = self._mirrored(point) or self._proved(point)
        return self._known[point]

    def _proved(self, point: int) -> Ellipsoid | None:
        if not isinstance(self.step, RateStep):
            return None
        return invariant_ellipsoid(self.step, self.states[point], float(self.near[point]))

    def _mirrored(self, point: int) -> Ellipsoid | None:
        """Where the map is odd, that of the negative of the point, turned round."""
        state, near = self.states[point], self.near[point]
        if not self.step.odd:
            return None
        for other, region in list(self._known.items()):
            opposite = region is not None and np.array_equal(region.state, -state)
            if region is not None and opposite and self.near[other] == near:
                return replace(region, state=state)
        return None
