"""Eigenvalues of the recurrent weights, or of a step's Jacobian where there is no such matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from attractory._arguments import takes
from attractory._result import Result
from attractory.analysis.dynamics._kinks import on_kink
from attractory.analysis.dynamics._model_step import in_float64
from attractory.analysis.dynamics._step import step_of
from attractory.models import Network, one_network
from attractory.runs import kept

OUTLIER_MARGIN = 0.01
CIRCLE_WIDTH = 0.02
BESIDE = 1e-8  # of each unit's state, where 0 is on a kink

Of = Literal["recurrent weights", "closed loop", "Jacobian at 0", "Jacobian beside 0"]


@dataclass(frozen=True, repr=False)
class Spectrum(Result):
    """Eigenvalues of a matrix W in float64, and what they are like.

    Attributes
    ----------
    eigenvalues : complex array (unit,)
        Largest modulus first.
    radius : float
        Largest modulus (spectral radius).
    outliers : complex array (outlier,)
        Those of modulus above 1.01.
    on_circle : float
        Share within 0.02 of the unit circle.
    nonnormality : float
        Henrici's departure from normality over the Frobenius norm, √(‖W‖² - Σ|λ|²) / ‖W‖: 0 for a
        normal matrix [1]_.
    leading_frequency : float
        Of the mode that decays slowest or grows fastest, that of largest |μ|, in cycles per unit of
        dt (per ms when dt is in ms): |arg μ| / (2π dt).
    of : {"recurrent weights", "closed loop", "Jacobian at 0", "Jacobian beside 0"}
        What W is: "recurrent weights"; "closed loop", W_rec + W_fb W_out of a network with feedback
        of its outputs; or "Jacobian at 0" of models without one square matrix of
        them: the derivative of one step at the state 0 without input; "Jacobian beside 0" where 0
        is on a kink of the activation and has none: that on the side where all units are active.

    Notes
    -----
    For recurrent weights μ = 1 - dt/tau + (dt/tau) λ is what one step of the network, linearised
    where the slope of its activation is 1, multiplies a mode by: with dt < tau its λ need not be
    that of largest modulus. For a Jacobian μ = λ.

    References
    ----------
    .. [1] Henrici (1962).
    """

    eigenvalues: np.ndarray
    radius: float
    outliers: np.ndarray
    on_circle: float
    nonnormality: float
    leading_frequency: float
    of: Of = "recurrent weights"

    def summary(self) -> dict[str, float]:
        """The numbers without the eigenvalues.

        Returns
        -------
        dict of float
            The number of outliers, and the fields that are numbers, by name.
        """
        return {
            "radius": self.radius,
            "outliers": len(self.outliers),
            "on_circle": self.on_circle,
            "nonnormality": self.nonnormality,
            "leading_frequency": self.leading_frequency,
        }


@kept
@takes(network=one_network)
def spectrum(network: Network) -> Spectrum:
    """The eigenvalue spectrum of a network's recurrent weights.

    Parameters
    ----------
    network : Network
        A network of any model.

    Returns
    -------
    Spectrum
        The eigenvalues and their measures.

    Notes
    -----
    With feedback of the outputs it is the spectrum of the closed loop, W_rec + W_fb W_out; that of
    W_rec is `spectrum(network.open_loop())`.

    Gated cells (GRU, LSTM) have several matrices, layers have several too, and a user's cell may
    have none; of these it is the spectrum of the Jacobian of one step at the state 0, without input
    (see `Spectrum.of`): their linear dynamics where they start. `linearisation` gives it anywhere.

    References
    ----------
    Jarne (2024), Front. Syst. Neurosci. 18:1269190, figures 4 and 5.
    """
    matrix, leak, of = _matrix(network)
    return _spectrum_of(matrix, leak, network.model.step_length, of)


@takes(network=one_network)
def spectral_matrix(network: Network) -> np.ndarray:
    """The matrix W whose eigenvalues `spectrum` gives (see `Spectrum.of`).

    Parameters
    ----------
    network : Network
        A network of any model.

    Returns
    -------
    array (unit, unit)
        The matrix in float64, [to, from].
    """
    return _matrix(network)[0]


def _matrix(network: Network) -> tuple[np.ndarray, float, Of]:
    """The matrix, the leak of its modes, and what it is."""
    model = network.model
    weights = in_float64(network)
    of: Of = "recurrent weights"
    if model.has_feedback:
        weights, of = model.closed_loop(weights), "closed loop"
    square = model.square_recurrent_weights(weights)
    if square is not None:
        return square, model.leak, of
    step = step_of(network, None, None)
    state = np.zeros(step.units)
    of = "Jacobian at 0"
    if on_kink(step, state):
        state = np.full(step.units, BESIDE)
        of = "Jacobian beside 0"
    return step.jacobians(state[None])[0], 1.0, of


def _spectrum_of(
    weights: np.ndarray,
    leak: float,
    dt: float,
    of: Of,
) -> Spectrum:
    eigenvalues = np.linalg.eigvals(weights).astype(complex)
    # ties in modulus (conjugate pairs) are ordered by the imaginary part
    radii = np.abs(eigenvalues).round(12)
    order = np.lexsort((-eigenvalues.imag, -radii))
    eigenvalues = eigenvalues[order]
    moduli = np.abs(eigenvalues)
    squared = np.square(weights).sum()
    of_eigenvalues = np.square(moduli).sum()
    departure = np.sqrt(max(0.0, squared - of_eigenvalues))
    multipliers = 1.0 - leak + leak * eigenvalues
    # of two that are equal to 12 digits the first: the one of largest modulus
    slowest = multipliers[np.abs(multipliers).round(12).argmax()]
    return Spectrum(
        eigenvalues=eigenvalues,
        radius=float(moduli[0]),
        outliers=eigenvalues[moduli > 1.0 + OUTLIER_MARGIN],
        on_circle=float(np.mean(np.abs(moduli - 1.0) <= CIRCLE_WIDTH)),
        nonnormality=float(departure / np.sqrt(squared)) if squared > 0 else 0.0,
        leading_frequency=float(np.abs(np.angle(slowest)) / (2 * np.pi * dt)),
        of=of,
    )
