"""Measures that need nothing but the weights."""

from __future__ import annotations

import numpy as np

from attractory import analysis
from attractory._errors import InvalidSetting
from attractory.models import Network
from attractory.population._measure import measure_of
from attractory.population._measure_context import Context

# of the largest Lyapunov exponent: its interval is of order 0.01 per step by then, in a second
LYAPUNOV = {"n": 1, "steps": 2000, "washout": 500, "starts": 4}


@measure_of(
    "weights",
    larger="slower decay",
    source="Rajan & Abbott (2006), Phys. Rev. Lett. 97:188104",
)
def spectral_radius(network: Network, context: Context) -> float:
    """Largest modulus of the eigenvalues of the recurrent weights (see `at.analysis.spectrum`)."""
    return context.spectrum.radius


@measure_of(
    "weights",
    larger="more modes grow",
    source="Jarne (2024), Front. Syst. Neurosci. 18:1269190, figure 5",
    unit="eigenvalues",
)
def n_outside(network: Network, context: Context) -> float:
    """Number of eigenvalues outside of the unit circle, of modulus above 1.01."""
    return len(context.spectrum.outliers)


@measure_of(
    "weights",
    larger="more slow modes",
    source="Jarne (2024), Front. Syst. Neurosci. 18:1269190, figure 5",
    unit="share",
)
def share_near_circle(network: Network, context: Context) -> float:
    """Share of the eigenvalues whose modulus is within 0.02 of 1."""
    return context.spectrum.on_circle


@measure_of(
    "weights",
    larger="less normal",
    source="Henrici (1962), Numer. Math. 4:24: √(‖W‖² - Σ|λ|²) / ‖W‖",
)
def henrici_departure(network: Network, context: Context) -> float:
    """Departure of the recurrent weights from normality, 0 to 1."""
    return context.spectrum.nonnormality


@measure_of(
    "weights",
    larger="more early growth",
    source="Trefethen & Embree (2005), Spectra and Pseudospectra, chapter 17",
)
def numerical_abscissa(network: Network, context: Context) -> float:
    """Largest eigenvalue of (W + Wᵀ) / 2: what disturbances can grow by at first, even where all
    of them decay in the end."""
    matrix = analysis.spectral_matrix(network)
    return float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1])


@measure_of("weights", larger="more excitation", source="share of weights above 0", unit="share")
def excitatory_share(network: Network, context: Context) -> float:
    """Share of the recurrent weights other than 0 that are positive."""
    return context.connectivity.excitatory


@measure_of("weights", larger="more excitation", source="Σ positive / Σ |negative| weights")
def ei_balance(network: Network, context: Context) -> float:
    """Sum of the positive recurrent weights over that of the sizes of the negative ones."""
    balance = context.connectivity.balance
    if not np.isfinite(balance):
        raise InvalidSetting("there are no negative recurrent weights")
    return balance


@measure_of(
    "weights",
    larger="states part faster",
    source="Benettin et al. (1980); Engelken, Wolf & Abbott (2023)",
    unit="1/step",
)
def lyapunov_exponent(network: Network, context: Context) -> float:
    """Largest Lyapunov exponent without input (see `at.analysis.lyapunov_exponents`)."""
    settings = {**LYAPUNOV, "seed": context.seed}
    largest = context.analysed(analysis.lyapunov_exponents, **settings).exponents[0]
    if largest == -np.inf:
        raise InvalidSetting("disturbances vanish within a step: the exponent is minus infinity")
    return float(largest)
