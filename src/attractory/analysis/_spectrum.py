"""Eigenvalues of the recurrent weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attractory.models import Network

OUTLIER_MARGIN = 0.01
CIRCLE_WIDTH = 0.02


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of W_rec, largest modulus first (complex, float64), and what they are like.

    radius: largest modulus (spectral radius).
    outliers: those of modulus above 1.01.
    on_circle: share within 0.02 of the unit circle.
    nonnormality: Henrici's departure from normality over the Frobenius norm,
        √(‖W‖² - Σ|λ|²) / ‖W‖: 0 for a normal matrix (Henrici 1962).
    leading_frequency: of the mode of largest modulus, in cycles per unit of dt (per ms when dt is
        in ms): |arg μ| / (2π dt) where μ = 1 - dt/tau + (dt/tau) λ is what one step of the network,
        linearised where the slope of its activation is 1, multiplies the mode by.
    """

    eigenvalues: np.ndarray
    radius: float
    outliers: np.ndarray
    on_circle: float
    nonnormality: float
    leading_frequency: float

    def summary(self) -> dict[str, float]:
        """The numbers without the eigenvalues."""
        return {
            "radius": self.radius,
            "outliers": len(self.outliers),
            "on_circle": self.on_circle,
            "nonnormality": self.nonnormality,
            "leading_frequency": self.leading_frequency,
        }


def spectrum(network: Network) -> Spectrum:
    """The eigenvalue spectrum of a network's recurrent weights (Jarne 2024, figures 4 and 5)."""
    weights = network.recurrent_weights.astype(np.float64)
    eigenvalues = np.linalg.eigvals(weights).astype(complex)
    # ties in modulus (conjugate pairs) are ordered by the imaginary part
    eigenvalues = eigenvalues[np.lexsort((-eigenvalues.imag, -np.abs(eigenvalues).round(12)))]
    moduli = np.abs(eigenvalues)
    squared = np.square(weights).sum()
    departure = np.sqrt(max(0.0, squared - np.square(moduli).sum()))
    step = 1.0 - network.model.leak + network.model.leak * eigenvalues[0]
    return Spectrum(
        eigenvalues=eigenvalues,
        radius=float(moduli[0]),
        outliers=eigenvalues[moduli > 1.0 + OUTLIER_MARGIN],
        on_circle=float(np.mean(np.abs(moduli - 1.0) <= CIRCLE_WIDTH)),
        nonnormality=float(departure / np.sqrt(squared)) if squared > 0 else 0.0,
        leading_frequency=float(np.abs(np.angle(step)) / (2 * np.pi * network.model.dt)),
    )
