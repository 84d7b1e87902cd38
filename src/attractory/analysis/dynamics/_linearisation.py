"""The linear dynamics next to a state: modes, and what they read from the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.linalg

from attractory._arguments import as_array, optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, shown, whole_number
from attractory._result import Result
from attractory.analysis._given import constant_input, network_or_step
from attractory.analysis.dynamics._kinks import on_kink
from attractory.analysis.dynamics._step import AnyStep, step_of
from attractory.models import Network
from attractory.runs import kept

EQUAL = 1e-7  # eigenvalues nearer than this are treated as one that repeats
KINK_WIDTH = 1e-8  # how far along a side the Jacobian is taken: further than round-off reaches
INSEPARABLE = 1e-10  # overlap of left and right eigenvectors below which modes are undefined


@dataclass(frozen=True, repr=False)
class Linearisation(Result):
    """The linear dynamics h(t+dt) - h* ≈ J (h(t) - h*) + B x near a state h*, in float64.

    Attributes
    ----------
    step : step of the network
        The map that was linearised.
    state : array (unit,)
        The whole state h*, an LSTM's memory too.
    jacobian : array (unit, unit)
        The Jacobian J, [to, from].
    input_jacobian : array (unit, input)
        The derivative B with respect to the input.
    eigenvalues : complex array (mode,)
        Of J, largest modulus first: slowest mode first.
    modes : complex array (unit, mode)
        Right eigenvectors, unit length.
    selection : complex array (mode, unit)
        Left eigenvectors, scaled so that selection[i] @ modes[:, i] = 1; selection[i] @ (h - h*) is
        the amplitude of mode i. NaN for a mode that cannot be told from others: a defective
        eigenvalue.
    input_selection : complex array (mode, input)
        The product selection @ B: what a mode takes in from each input [1]_.
    decay_times : array (mode,)
        The times -dt/ln|λ|, in the unit of dt, negative where the mode grows.
    frequencies : array (mode,)
        The frequencies |arg λ| / (2π dt), in cycles per unit of dt.

    References
    ----------
    .. [1] Mante, Sussillo, Shenoy & Newsome (2013), Nature 503:78.
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
        self,
        steps: int = 50,
        size: float = 0.01,
        n: int = 64,
        seed: int = 0,
    ) -> np.ndarray:
        """How wrong the linear prediction is after 1 .. `steps` steps.

        Parameters
        ----------
        steps : int
            Number of steps.
        size : float
            Length of the disturbances: `size`·‖h*‖ (2-norm), `size` itself where h* = 0.
        n : int
            Number of random disturbances.
        seed : int
            Seed of the disturbances.

        Returns
        -------
        array (steps,)
            Mean ‖linear - true‖ over mean ‖true‖, both as deviations from the undisturbed
            trajectory. 0: exact; 1: as wrong as predicting no deviation.

        Raises
        ------
        InvalidSetting
            For steps or n below 1, a negative seed, or a size that is not above 0.
        """
        for name, value, least in [("steps", steps, 1), ("n", n, 1), ("seed", seed, 0)]:
            whole_number(name, value, least)
        is_number = isinstance(size, (int, float, np.number))
        if not is_number or not np.isfinite(size) or size <= 0:
            raise InvalidSetting(f"size = {shown(size)} is not allowed: a number above 0")
        deviation = self._disturbances(size, n, seed)
        base = self.state[None]
        true = self.state + deviation
        errors = []
        for _ in range(steps):
            base = self.step(base)
            true = self.step(true)
            deviation = deviation @ self.jacobian.T
            true_deviation = true - base
            wrong = np.linalg.norm(true_deviation - deviation, axis=1).mean()
            length = np.linalg.norm(true_deviation, axis=1).mean()
            errors.append(wrong / max(1e-300, length))
        return np.array(errors)

    def _disturbances(
        self,
        size: float,
        n: int,
        seed: int,
    ) -> np.ndarray:
        """Random deviations (n, unit) of one length."""
        rng = np.random.default_rng(seed)
        deviation = rng.normal(size=(n, len(self.state)))
        length = size * (np.linalg.norm(self.state) or 1.0)
        lengths = np.linalg.norm(deviation, axis=1, keepdims=True)
        deviation *= length / lengths
        return deviation

    def table(self, n: int = 10) -> pd.DataFrame:
        """The slowest modes, a row each.

        Parameters
        ----------
        n : int
            How many, at most.

        Returns
        -------
        DataFrame
            Columns: mode, real, imaginary, decay_time, frequency, and input_0, input_1, …: the size
            of what a mode takes in from each input.
        """
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
        taken_in = np.abs(self.input_selection[:shown])
        for i, column in enumerate(taken_in.T):
            table[f"input_{i}"] = column
        return table


@kept
@one_blas_thread
@takes(
    network=network_or_step,
    inputs=optional(constant_input),
    state=as_array,
    side=optional(as_array),
)
def linearisation(
    network: Network | Callable[[Any, Any], Any],
    state: Any,
    inputs: Any = None,
    *,
    side: Any = None,
) -> Linearisation:
    """The linear dynamics of a network, or of a step(h, x), at a state and constant input.

    Parameters
    ----------
    network : Network or callable
        A network of any model, or a step(h, x) -> h written in JAX operations.
    state : array (unit,)
        Usually a fixed point; elsewhere the deviation is that from the trajectory that begins
        there. It has `network.state_size` entries: that of an LSTM holds its memory after h, that
        of a stack all layers, the last first.
    inputs : array (input,), optional
        The constant input; 0 when None.
    side : array (unit,), optional
        On a kink of the activation the direction that tells which side is meant: that of states a
        little way along it.

    Returns
    -------
    Linearisation
        Jacobians, modes and what the modes read from the input.

    Raises
    ------
    InvalidSetting
        For a state, input or side of a wrong size or not finite, and for a state on a kink without
        a side.

    Notes
    -----
    On a kink of the activation (a relu unit whose drive is exactly 0, as all are at the origin of a
    network without bias) there is no Jacobian, but one on each side.
    """
    at = _checked_state(network, state)
    units = None if isinstance(network, Network) else len(at)
    step = step_of(network, inputs, units)
    place = _beside(step, at, side)
    jacobian = step.jacobians(place[None])[0]
    from_inputs = step.input_jacobian(place)
    modes = modes_of(jacobian)
    with np.errstate(divide="ignore"):
        decay_times = -step.dt / np.log(np.abs(modes.eigenvalues))
    decay_times[np.abs(modes.eigenvalues) == 1] = np.inf
    angles = np.abs(np.angle(modes.eigenvalues))
    return Linearisation(
        step=step,
        state=at,
        jacobian=jacobian,
        input_jacobian=from_inputs,
        eigenvalues=modes.eigenvalues,
        modes=modes.right,
        selection=modes.selection,
        input_selection=modes.selection @ from_inputs,
        decay_times=decay_times,
        frequencies=angles / (2 * np.pi * step.dt),
    )


def _checked_state(
    network: Network | Callable[[Any, Any], Any],
    state: Any,
) -> np.ndarray:
    """The state (unit,) in float64, or InvalidSetting."""
    try:
        at = np.empty((0, 0)) if np.iscomplexobj(state) else np.asarray(state, np.float64)
    except (TypeError, ValueError):
        raise InvalidSetting(
            f"state = {shown(state)} is not allowed: an array of numbers"
        ) from None
    size = network.state_size if isinstance(network, Network) else None
    is_vector = at.ndim == 1 and bool(at.size)
    if not is_vector or size not in (None, len(at)):
        wanted = "unit" if size is None else size
        raise InvalidSetting(f"state has shape {at.shape}; it must be ({wanted},)")
    if not np.isfinite(at).all():
        raise InvalidSetting("state has values that are not finite; all must be")
    return at


class Modes(NamedTuple):
    """Eigenvalues (mode,), right eigenvectors (unit, mode), and their dual (mode, unit)."""

    eigenvalues: np.ndarray
    right: np.ndarray
    selection: np.ndarray


def modes_of(jacobian: np.ndarray) -> Modes:
    """The modes of a Jacobian, largest modulus first."""
    eigenvalues, left, right = scipy.linalg.eig(
        jacobian,
        left=True,
        right=True,
    )
    # moduli that are equal to 12 digits (conjugate pairs) are ordered by the imaginary part
    moduli = np.abs(eigenvalues).round(12)
    order = np.lexsort((-eigenvalues.imag, -moduli))
    eigenvalues = eigenvalues[order].astype(complex)
    right = right[:, order].astype(complex)
    left = left[:, order].conj().T.astype(complex)
    selection = _dual(eigenvalues, right, left)
    return Modes(eigenvalues, right, selection)


def _beside(
    step: AnyStep,
    state: np.ndarray,
    side: Any,
) -> np.ndarray:
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
    right_shape = direction.shape == state.shape
    if not right_shape or not np.isfinite(direction).all() or not direction.any():
        raise InvalidSetting(
            f"side has shape {np.shape(side)}; a direction of shape {state.shape} with finite "
            "entries, not all 0, is needed"
        )
    largest = float(np.abs(state).max())
    size = KINK_WIDTH * max(1.0, largest)
    return state + size * direction / np.abs(direction).max()


def _dual(
    eigenvalues: np.ndarray,
    modes: np.ndarray,
    left: np.ndarray,
) -> np.ndarray:
    """Left eigenvectors (mode, unit) scaled against the modes, eigenvalue by eigenvalue.

    Those of an eigenvalue that repeats are combined so that each belongs to one mode; NaN where
    that cannot be done (a defective eigenvalue).
    """
    selection = np.full_like(left, np.nan)
    todo = np.ones(len(eigenvalues), bool)
    for i, value in enumerate(eigenvalues):
        if not todo[i]:
            continue
        equal = np.abs(eigenvalues - value) < EQUAL
        group = np.flatnonzero(todo & equal)
        todo[group] = False
        overlap = left[group] @ modes[:, group]
        if np.linalg.norm(overlap, -2) > INSEPARABLE:
            selection[group] = np.linalg.solve(overlap, left[group])
    return selection
