"""The linear dynamics next to a state: modes, and what they read from the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.linalg

from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown, whole_number
from attractory._result import Result
from attractory.analysis.dynamics._kinks import on_kink
from attractory.analysis.dynamics._step import AnyStep, step_of
from attractory.models import Network
from attractory.runs import kept

EQUAL = 1e-7  # eigenvalues nearer than this are treated as one that repeats
KINK_WIDTH = 1e-8  # how far along a side the Jacobian is taken: further than round-off reaches
INSEPARABLE = 1e-10  # overlap of left and right eigenvectors below which modes are undefined


@dataclass(frozen=True, repr=False)
class Linearisation(Result):
    """h(t+dt) - h* ≈ J (h(t) - h*) + B x near a state h*, in float64; modes slowest first.

    state (unit,): the whole state, an LSTM's memory too. jacobian J (unit, unit), [to, from].
    input_jacobian B (unit, input).
    eigenvalues (mode,), largest modulus first. modes (unit, mode): right eigenvectors, unit length.
    selection (mode, unit): left eigenvectors, scaled so that selection[i] @ modes[:, i] = 1;
    selection[i] @ (h - h*) is the amplitude of mode i (NaN for a mode that cannot be told from
    others: a defective eigenvalue). input_selection (mode, input): selection @
    B, what a mode takes in from each input (Mante et al. 2013). decay_times (mode,): -dt/ln|λ|, in
    the unit of dt, negative where the mode grows. frequencies (mode,): |arg λ| / (2π dt).
    """

    step: AnyStep
    state: np.ndarray
    jacobian: np.ndarray
    input_jacobian: np.ndarray
    eigenvalues: np.ndarray
    modes: np.ndarray
    selection: np.ndarray
    input_selection: np.ndarray
    decay_times: np.ndarray
    frequencies: np.ndarray

    def prediction_error(
        self, steps: int = 50, size: float = 0.01, n: int = 64, seed: int = 0
    ) -> np.ndarray:
        """How wrong the linear prediction is after 1 .. `steps` steps, (steps,).

        For `n` random disturbances of length `size`·‖h*‖ (2-norm; of length `size` where h* = 0):
        mean ‖linear - true‖ over mean ‖true‖, both as deviations from the undisturbed trajectory.
        0: exact; 1: as wrong as predicting no deviation.
        """
        for name, value, least in [("steps", steps, 1), ("n", n, 1), ("seed", seed, 0)]:
            whole_number(name, value, least)
        if not isinstance(size, (int, float, np.number)) or not np.isfinite(size) or size <= 0:
            raise InvalidSetting(f"size = {shown(size)} is not allowed: a number above 0")
        rng = np.random.default_rng(seed)
        deviation = rng.normal(size=(n, len(self.state)))
        length = size * (np.linalg.norm(self.state) or 1.0)
        deviation *= length / np.linalg.norm(deviation, axis=1, keepdims=True)
        base, true, errors = self.state[None], self.state + deviation, []
        for _ in range(steps):
            base, true, deviation = self.step(base), self.step(true), deviation @ self.jacobian.T
            wrong = np.linalg.norm(true - base - deviation, axis=1).mean()
            errors.append(wrong / max(1e-300, np.linalg.norm(true - base, axis=1).mean()))
        return np.array(errors)

    def table(self, n: int = 10) -> pd.DataFrame:
        """The `n` slowest modes, a row each."""
        shown = min(n, len(self.eigenvalues))
        table = pd.DataFrame(
            {
                "mode": np.arange(shown),
                "real": self.eigenvalues.real[:shown],
                "imaginary": self.eigenvalues.imag[:shown],
                "decay_time": self.decay_times[:shown],
                "frequency": self.frequencies[:shown],
            }
        )
        for i, column in enumerate(np.abs(self.input_selection[:shown]).T):
            table[f"input_{i}"] = column
        return table


@kept
@one_blas_thread
def linearisation(
    network: Network | Callable[[Any, Any], Any],
    state: Any,
    inputs: Any = None,
    *,
    side: Any = None,
) -> Linearisation:
    """The linear dynamics of a network, or of a step(h, x), at a state (unit,) and constant input.

    The state has `network.state_size` entries: that of an LSTM holds its memory after h, that of a
    stack all layers, the last first.

    The state is usually a fixed point; elsewhere the deviation is that from the trajectory that
    begins there. On a kink of the activation (a relu unit whose drive is exactly 0, as all are at
    the origin of a network without bias) there is no Jacobian, but one on each side: `side`, a
    direction (unit,), tells which is meant, that of states a little way along it.

    Raises InvalidSetting for a state, input or side of a wrong size or not finite, and for a state
    on a kink without a side.
    """
    try:
        at = np.asarray(state, np.float64) if not np.iscomplexobj(state) else np.empty((0, 0))
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"state = {shown(state)} is not allowed: an array of numbers"
        ) from None
    size = network.state_size if isinstance(network, Network) else None
    if at.ndim != 1 or not at.size or size not in (None, len(at)):
        wanted = "unit" if size is None else size
        raise InvalidSetting(f"state has shape {at.shape}; it must be ({wanted},)")
    if not np.isfinite(at).all():
        raise InvalidSetting("state has values that are not finite; all must be")
    step = step_of(network, inputs, None if isinstance(network, Network) else len(at))
    place = _beside(step, at, side)
    jacobian = step.jacobians(place[None])[0]
    from_inputs = step.input_jacobian(place)
    eigenvalues, left, modes = scipy.linalg.eig(jacobian, left=True, right=True)
    order = np.lexsort((-eigenvalues.imag, -np.abs(eigenvalues).round(12)))
    eigenvalues, modes = eigenvalues[order].astype(complex), modes[:, order].astype(complex)
    left = left[:, order].conj().T.astype(complex)
    selection = _dual(eigenvalues, modes, left)
    with np.errstate(divide="ignore"):
        decay_times = -step.dt / np.log(np.abs(eigenvalues))
    decay_times[np.abs(eigenvalues) == 1] = np.inf
    return Linearisation(
        step=step,
        state=at,
        jacobian=jacobian,
        input_jacobian=from_inputs,
        eigenvalues=eigenvalues,
        modes=modes,
        selection=selection,
        input_selection=selection @ from_inputs,
        decay_times=decay_times,
        frequencies=np.abs(np.angle(eigenvalues)) / (2 * np.pi * step.dt),
    )


def _beside(step: AnyStep, state: np.ndarray, side: Any) -> np.ndarray:
    """The state itself where it has a Jacobian, else one next to it on the given side."""
    if side is None:
        if on_kink(step, state):
            raise InvalidSetting(
                "state is on a kink of the activation: there is no Jacobian here; give side=, a "
                "direction (unit,) whose side of the kink is meant"
            )
        return state
    try:
        direction = np.asarray(side, np.float64)
    except (TypeError, ValueError):
        direction = np.empty(0)
    if direction.shape != state.shape or not np.isfinite(direction).all() or not direction.any():
        raise InvalidSetting(
            f"side has shape {np.shape(side)}; a direction of shape {state.shape} with finite "
            "entries, not all 0, is needed"
        )
    size = KINK_WIDTH * max(1.0, float(np.abs(state).max()))
    return state + size * direction / np.abs(direction).max()


def _dual(eigenvalues: np.ndarray, modes: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Left eigenvectors (mode, unit) scaled against the modes, eigenvalue by eigenvalue.

    Those of an eigenvalue that repeats are combined so that each belongs to one mode; NaN where
    that cannot be done (a defective eigenvalue).
    """
    selection = np.full_like(left, np.nan)
    todo = np.ones(len(eigenvalues), bool)
    for i, value in enumerate(eigenvalues):
        if not todo[i]:
            continue
        group = np.flatnonzero(todo & (np.abs(eigenvalues - value) < EQUAL))
        todo[group] = False
        overlap = left[group] @ modes[:, group]
        if np.linalg.norm(overlap, -2) > INSEPARABLE:
            selection[group] = np.linalg.solve(overlap, left[group])
    return selection
