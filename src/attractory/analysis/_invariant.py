"""A region around a stable point that is proved to hold whatever enters it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attractory.analysis._certificate import Certificate, RateErrors, solve_stein
from attractory.analysis._rounding import EPS, SLACK, sum_error
from attractory.analysis._step import RateStep


@dataclass(frozen=True)
class Ellipsoid:
    """{h: (h - h*)ᵀ P (h - h*) <= size²} around a stable fixed point h*: F maps it into itself.

    state (unit,): h* to within `offset` (max norm). form (unit, unit): P, positive definite.
    contraction: at least so much nearer, in the norm of P, comes a state in the ellipsoid in a step
    to first order. radius: of the largest ball (2-norm) inside of it. input_bound: any input of at
    most this size in every channel, however it changes in time, keeps a state of the ellipsoid
    `safe` times as large inside of that one. margin (output,): how far the readout can be from
    that of h* anywhere in the ellipsoid.
    """

    state: np.ndarray
    form: np.ndarray
    size: float
    contraction: float
    radius: float
    input_bound: float
    safe: float
    margin: np.ndarray

    def shrunk(self, share: float) -> Ellipsoid:
        """The concentric one of `share` of its size, 0 < share <= 1: it is invariant too."""
        return replace(
            self,
            size=share * self.size,
            radius=share * self.radius,
            input_bound=share * self.input_bound,
            margin=share * self.margin,
        )

    def holds(self, state: np.ndarray) -> bool:
        """Is this state (unit,) inside, clearly?"""
        away = state - self.state
        return bool(away @ self.form @ away < (0.99 * self.size) ** 2)


def invariant_ellipsoid(
    step: RateStep, state: np.ndarray, certificate: Certificate
) -> Ellipsoid | None:
    """An ellipsoid around a certified stable point that F maps into itself, proved; or None.

    With ‖DF(h*)‖ <= κ < 1 in the norm of P, and L the curvature of phi, the deviation from the
    linear step is in unit k at most leak·L/2 · (w_k·(h - h*))² <= leak·L/2 · c_k ρ² on the
    ellipsoid of size ρ, c_k = w_kᵀ P⁻¹ w_k. So it is invariant when κρ + leak·L/2 · √(cᵀ|P|c) ρ² <=
    ρ. P solves Stein's equation for DF slowed down. Rounding is bounded as in `certify`.
    """
    curvature = step.shape.curvature
    if curvature is None or not certificate.exists:
        return None
    jacobian = step.jacobians(state[None])[0]
    n = len(jacobian)
    radius = float(np.abs(np.linalg.eigvals(jacobian)).max())
    if radius >= 1.0:
        return None
    contraction = (1.0 + radius) / 2
    form = solve_stein(jacobian / contraction, np.eye(n))
    if not np.isfinite(form).all():
        return None
    errors = RateErrors(step, state)
    if not _contracts(jacobian, form, contraction, errors, certificate.radius):
        return None
    inverse = np.linalg.inv(form)
    sizes = np.abs(form)
    # ‖P⁻¹ - X‖ <= ‖X‖ ‖I - PX‖ / (1 - ‖I - PX‖), in the 2-norm bounded by the Frobenius norm
    wrong = np.linalg.norm(np.eye(n) - form @ inverse)
    wrong += sum_error(n + 2) * np.linalg.norm(sizes @ np.abs(inverse)) + n * EPS
    if wrong >= 0.5:
        return None
    inverse_size = float(np.linalg.norm(inverse))
    inverse_error = 2 * inverse_size * wrong

    def reach(vectors: np.ndarray) -> np.ndarray:
        """vᵀ P⁻¹ v for each row v: the square of its largest product on the ellipsoid of size 1."""
        rounding = sum_error(2 * n + 4) * (np.abs(vectors) @ np.abs(inverse) * np.abs(vectors))
        exact = vectors @ inverse * vectors + rounding
        return np.maximum(exact.sum(1) + inverse_error * (vectors**2).sum(1), 0.0) * SLACK

    curved = reach(step.recurrent)
    bend = step.leak * curvature / 2 * float(np.sqrt(curved @ (sizes @ curved))) * SLACK
    size = (1.0 - contraction) / bend / SLACK if bend > 0 else np.inf
    with np.errstate(divide="ignore"):
        size = min(size, float(np.min(errors.to_kinks / np.sqrt(curved))) / SLACK)
    if not np.isfinite(size):
        size = 1e6  # a linear map: any size would do
    pushed = step.leak * step.shape.max_slope * np.abs(step.input_weights).sum(1)
    push = float(np.sqrt(pushed @ (sizes @ pushed))) * SLACK
    # at half the size the step gains (1 - κ)ρ - bend ρ² >= (1 - κ) size / 4 against a push
    gain = (1.0 - contraction) * size / 2 - bend * (size / 2) ** 2
    largest = float(np.linalg.eigvalsh(form)[-1]) * SLACK
    return Ellipsoid(
        state=state,
        form=form,
        size=float(size),
        contraction=contraction,
        radius=float(size / np.sqrt(largest)),
        input_bound=float(max(0.0, gain) / push) if push > 0 else float("inf"),
        safe=0.5,
        margin=size * np.sqrt(reach(step.output_weights)) * SLACK,
    )


def _contracts(
    jacobian: np.ndarray, form: np.ndarray, rate: float, errors: RateErrors, radius: float
) -> bool:
    """Are P and κ²P - JᵀPJ positive definite for every J within the error of `jacobian`?"""
    difference = rate**2 * form - jacobian.T @ form @ jacobian
    error = errors.product_error(jacobian, form, radius)
    return _positive((difference + difference.T) / 2, error) and _positive(form, 0.0)


def _positive(matrix: np.ndarray, error: float) -> bool:
    """Is every symmetric matrix within `error` (spectral norm) of this one positive definite?"""
    values = np.linalg.eigvalsh(matrix)
    own = 16 * len(matrix) * EPS * float(np.abs(values).max())
    return bool(values[0] > error * SLACK + own)
