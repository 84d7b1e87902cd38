"""A region around a stable point that is proved to hold whatever enters it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attractory._result import Result
from attractory.analysis.dynamics._form_norm import FormNorm, positive_definite
from attractory.analysis.dynamics._rate_errors import RateErrors
from attractory.analysis.dynamics._rounding import EPS, SLACK
from attractory.analysis.dynamics._stein import solve_stein
from attractory.analysis.dynamics._step import RateStep, Step

SAFE = 0.5  # share of the size that states may have under the input that is allowed for ever
WITHOUT_END = 1e6  # size of the ellipsoid of a linear map, of which any size is invariant


@dataclass(frozen=True, repr=False)
class Ellipsoid(Result):
    """A region around a stable fixed point h* that the map F takes into itself.

    Attributes
    ----------
    state : array (unit,)
        A state next to h*.
    offset : float
        The distance |state - h*| is at most this, in the norm of P.
    norm : FormNorm
        The norm of P, with its bounds.
    size : float
        The ellipsoid's size, in the norm of P.
    contraction : float
        The norm of DF(h*), below 1.
    radius : float
        A ball (2-norm) of this radius around `state` is inside of the ellipsoid.
    input_bound : float
        Any input of at most this size in every channel, however it changes in time, keeps a state
        of the ellipsoid `safe` times as large inside of that one.
    safe : float
        The share of the size that `input_bound` is about.
    margin : array (output,)
        How far the read-out of any state of the ellipsoid can be from that of `state`.

    Notes
    -----
    The ellipsoid is {h: (h - h*)ᵀ P (h - h*) <= size²}. Every ellipsoid about h* that is smaller is
    mapped into itself, too. h* itself is known nearly: all that is measured from `state` allows for
    the way between the two.
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
        """The matrix P (unit, unit), positive definite."""
        return self.norm.form

    def with_margin(self, room: float) -> Ellipsoid | None:
        """The largest ellipsoid in this one where the read-out stays near that of `state`.

        Parameters
        ----------
        room : float
            How far the read-out may be from that of `state`, in every channel.

        Returns
        -------
        Ellipsoid or None
            None where the state itself is not clearly in it.
        """
        margin = float(self.margin.max(initial=0.0))
        if margin <= room:
            return self
        largest_distance = self.size + self.offset
        reach = margin / largest_distance * SLACK
        size = (room / reach - self.offset) / SLACK
        if not size > self.offset * SLACK:
            return None
        share = size / self.size
        radius = self.radius * (size - self.offset) / (self.size - self.offset)
        margins = self.margin * (size + self.offset) / largest_distance
        return replace(
            self,
            size=size,
            radius=radius / SLACK,
            input_bound=self.input_bound * share / SLACK,
            margin=margins * SLACK,
        )

    def distance(self, state: np.ndarray) -> float:
        """How far a state is from h* in the norm of P, at most.

        Parameters
        ----------
        state : array (unit,)
            The state.

        Returns
        -------
        float
            The bound, every rounding included.
        """
        away = state - self.state
        rounding = self.norm.longest(EPS * np.abs(away))
        length = self.norm.length(away)
        return (length + rounding + self.offset) * SLACK

    def holds(
        self,
        state: np.ndarray,
        spread: float = 0.0,
    ) -> bool:
        """Whether a state is inside, and all that is near it.

        Parameters
        ----------
        state : array (unit,)
            The state.
        spread : float
            All that is within this distance of the state, in the norm of P, has to be inside.

        Returns
        -------
        bool
            True only where that is proved.
        """
        furthest = self.distance(state) + spread * SLACK
        return bool(furthest <= self.size)


def invariant_ellipsoid(
    step: RateStep,
    state: np.ndarray,
    near: float,
) -> Ellipsoid | None:
    """An ellipsoid around a stable fixed point h* that F maps into itself, proved; or None.

    state (unit,), near: h* is proved to be within `near` of the state (max norm; `certify`).

    With ‖DF(h*)‖ <= κ < 1 in the norm of P, and L the curvature of phi, the deviation from the
    linear step is in unit k at most leak·L/2 · (w_k·(h - h*))². Its norm is at most `bend`·ρ² on
    the ellipsoid of size ρ (`_bend`), which is therefore invariant when κρ + bend·ρ² <= ρ. P solves
    Stein's equation for DF slowed down. Where phi has kinks the ellipsoid ends at the next one.
    """
    if step.activation.curvature is None or not np.isfinite(near):
        return None
    linear = _linear_part(step, state, near)
    if linear is None:
        return None
    norm = linear.norm
    offset = norm.longest(np.full(len(state), near))
    bend = _bend(step, norm)
    size = _largest_size(step, linear, bend, near)
    if not size > offset * SLACK:
        return None
    in_length = (size - offset) / np.sqrt(norm.largest)
    read_out = (size + offset) * norm.reach(step.output_weights)
    return Ellipsoid(
        state=state,
        offset=offset,
        norm=norm,
        size=float(size),
        contraction=linear.contraction,
        radius=float(in_length / SLACK),
        input_bound=_input_bound(step, linear, size, bend),
        safe=SAFE,
        margin=read_out * SLACK,
    )


@dataclass(frozen=True)
class _LinearPart:
    """A norm in which DF(h*) contracts, proved, and what is known of the drives at the state."""

    norm: FormNorm
    contraction: float
    errors: RateErrors


def _linear_part(
    step: RateStep,
    state: np.ndarray,
    near: float,
) -> _LinearPart | None:
    """The norm from Stein's equation for DF slowed down; None where it proves no contraction."""
    jacobian = step.jacobians(state[None])[0]
    eigenvalues = np.linalg.eigvals(jacobian)
    radius = float(np.abs(eigenvalues).max())
    if not radius < 1.0:
        return None
    contraction = (1.0 + radius) / 2
    identity = np.eye(len(jacobian))
    form = solve_stein(jacobian / contraction, identity)
    norm = FormNorm.of(form)
    if norm is None:
        return None
    errors = RateErrors(step, state)
    if not _contracts(jacobian, form, contraction, errors, near):
        return None
    return _LinearPart(norm, contraction, errors)


def _largest_size(
    step: RateStep,
    linear: _LinearPart,
    bend: float,
    near: float,
) -> float:
    """The size up to which the ellipsoid is invariant: where κρ + bend·ρ² <= ρ, and no kink is."""
    size = WITHOUT_END
    if bend > 0:
        size = (1.0 - linear.contraction) / bend / SLACK
    errors = linear.errors
    # the drives of h* are this near to those of the state, whose distance to the kinks is known
    between = errors.row_sums * near * SLACK
    to_kinks = (errors.to_kinks - between) / SLACK
    hears = errors.row_sums > 0  # the drive of a unit without recurrent input never changes
    reach = linear.norm.reach(step.recurrent)
    sizes_to_kinks = to_kinks[hears] / reach[hears]
    to_next = float(np.min(sizes_to_kinks, initial=np.inf))
    return min(size, to_next / SLACK)


def _input_bound(
    step: RateStep,
    linear: _LinearPart,
    size: float,
    bend: float,
) -> float:
    """How large an input may be in every channel, for ever, and keep states in a smaller one."""
    weights = np.abs(step.input_weights).sum(1)
    pushed = step.leak * step.activation.max_slope * weights
    push = linear.norm.longest(pushed) if pushed.any() else 0.0
    if not push > 0:
        return float("inf")
    # at half the size the step gains (1 - κ)ρ - bend ρ² >= (1 - κ) size / 4 against a push
    by_contraction = (1.0 - linear.contraction) * size / 2
    by_bend = bend * (size / 2) ** 2
    gain = (by_contraction - by_bend) / SLACK
    return float(max(0.0, gain) / push / SLACK)


def _bend(step: RateStep, norm: FormNorm) -> float:
    """The norm of the deviation from the linear step on the ellipsoid of size 1, at most.

    leak·L times |v| for any v with |v_k| <= (w_k·z)²/2 and |z| <= 1, by two bounds:
    |w_k·z| <= reach_k gives it entry by entry. Or ‖v‖₂ <= max_k |w_k·z| ‖Wz‖₂ / 2.
    """
    curvature = step.activation.curvature
    assert curvature is not None  # else there is no region
    reach = norm.reach(step.recurrent)
    by_entries = norm.longest(reach**2 / 2)
    by_length = float(reach.max()) * norm.gain(step.recurrent) / 2
    of_squares = min(by_entries, by_length) * SLACK
    return step.leak * curvature * of_squares


def _contracts(
    jacobian: np.ndarray,
    form: np.ndarray,
    rate: float,
    errors: RateErrors,
    radius: float,
) -> bool:
    """Is κ²P - JᵀPJ positive definite for every J within the error of `jacobian`?"""
    turned = jacobian.T @ form @ jacobian
    difference = rate**2 * form - turned
    symmetric = (difference + difference.T) / 2
    error = errors.product_error(jacobian, form, radius)
    return positive_definite(symmetric, error)


class Regions:
    """The invariant ellipsoids around fixed points (point, unit), each proved when it is asked for.

    near (point,): how near to each state a fixed point is proved to be (inf: it is not).
    """

    def __init__(
        self,
        step: Step,
        states: np.ndarray,
        near: np.ndarray,
    ) -> None:
        self.step = step
        self.states = states
        self.near = near
        self._known: dict[int, Ellipsoid | None] = {}

    def __getitem__(self, point: int) -> Ellipsoid | None:
        """That of a point; None where none is proved: not for every stable point there is one."""
        if point not in self._known:
            self._known[point] = self._mirrored(point) or self._proved(point)
        return self._known[point]

    def _proved(self, point: int) -> Ellipsoid | None:
        if not isinstance(self.step, RateStep):
            return None
        return invariant_ellipsoid(
            self.step,
            self.states[point],
            float(self.near[point]),
        )

    def _mirrored(self, point: int) -> Ellipsoid | None:
        """Where the map is odd, that of the negative of the point, turned round."""
        if not self.step.odd:
            return None
        state = self.states[point]
        near = self.near[point]
        for other, region in list(self._known.items()):
            if region is None or self.near[other] != near:
                continue
            if np.array_equal(region.state, -state):
                return replace(region, state=state)
        return None
