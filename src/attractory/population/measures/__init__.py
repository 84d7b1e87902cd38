"""The package's own measures; importing them makes them known."""

from attractory.population.measures._dynamics import (
    automaton_margin,
    hold_time,
    n_attractors,
    n_fixed_points,
    n_saddles,
    n_saddles_of_index_1,
)
from attractory.population.measures._training import learning_time
from attractory.population.measures._trials import (
    accuracy,
    correct,
    mse,
    participation_ratio,
    two_nn_dimension,
)
from attractory.population.measures._weights import (
    ei_balance,
    excitatory_share,
    henrici_departure,
    lyapunov_exponent,
    n_outside,
    numerical_abscissa,
    share_near_circle,
    spectral_radius,
)

__all__ = [
    "accuracy",
    "automaton_margin",
    "correct",
    "ei_balance",
    "excitatory_share",
    "henrici_departure",
    "hold_time",
    "learning_time",
    "lyapunov_exponent",
    "mse",
    "n_attractors",
    "n_fixed_points",
    "n_outside",
    "n_saddles",
    "n_saddles_of_index_1",
    "numerical_abscissa",
    "participation_ratio",
    "share_near_circle",
    "spectral_radius",
    "two_nn_dimension",
]
