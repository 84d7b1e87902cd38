"""Slow points: where a network nearly stands still, though it has no fixed point there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from attractory._cores import one_blas_thread, spread
from attractory._result import Result
from attractory.analysis.dynamics._step import Step

NO_ZERO = 1e-7  # a speed below is that of a fixed point not reached yet
FLAT = 1e-3  # a minimum has |gradient of q| below this share of the speed
SCALE = 1e8  # of q at its start, for the optimiser
APART = 1e-2  # distance between two slow points, relative to the norm of a state


@dataclass(frozen=True, repr=False)
class SlowPoints(Result):
    """Local minima of q(h) = ½ ‖F(h) - h‖² that are no zeros.

    Attributes
    ----------
    states : array (point, unit)
        The states, slowest first.
    speed : array (point,)
        The speed ‖F(h) - h‖ (2-norm) per step.
    outputs : array (point, output)
        The readout of each.

    References
    ----------
    Sussillo & Barak (2013), Neural Computation 25:626, section 3.
    """

    states: np.ndarray
    speed: np.ndarray
    outputs: np.ndarray

    def __len__(self) -> int:
        return len(self.states)


@one_blas_thread
def find_slow_points(step: Step, starts: np.ndarray) -> SlowPoints:
    """Minimise q from each start (start, unit) and keep the minima that are no zeros."""
    found = [point for point in spread(lambda start: _minimum(step, start), starts) if point]
    kept: list[tuple[float, np.ndarray]] = []
    for speed, state in sorted(found, key=lambda point: point[0]):
        scale = APART * max(1e-6, float(np.linalg.norm(state)))
        if all(np.linalg.norm(state - other) > scale for _, other in kept):
            kept.append((speed, state))
    slow = [state for _, state in kept]
    states = np.array(slow).reshape(-1, step.units)
    speeds = np.array([speed for speed, _ in kept])
    return SlowPoints(
        states,
        speeds,
        step.outputs(states),
    )


def _minimum(step: Step, start: np.ndarray) -> tuple[float, np.ndarray] | None:
    def q(state: np.ndarray) -> tuple[float, np.ndarray]:
        residual = state - step(state[None])[0]
        pulled_back = step.pull_back(state[None], residual[None])[0]
        gradient = residual - pulled_back
        value = 0.5 * float(residual @ residual)
        return value, gradient

    if not np.isfinite(start).all():
        return None
    # the library's tolerance counts changes of a function below 1 as if it were 1
    first = max(q(start)[0], NO_ZERO**2)

    def scaled(state: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = q(state)
        return SCALE * value / first, SCALE * gradient / first

    made = optimize.minimize(
        scaled,
        start,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": 3000,
            "maxfun": 4000,
            "ftol": 1e-13,
            "gtol": 1e-9,
            "maxcor": 30,
        },
    )
    value, gradient = q(made.x)
    speed = float(np.sqrt(2 * value))
    if not speed > NO_ZERO or np.linalg.norm(gradient) > FLAT * speed:
        return None
    return speed, made.x
