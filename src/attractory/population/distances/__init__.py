"""The package's own distances; importing them makes them known."""

from attractory.population.distances._answers import behaviour
from attractory.population.distances._matched_weights import weights
from attractory.population.distances._point_labels import fixed_points
from attractory.population.distances._shapes import cka, cka_debiased, procrustes, rsa
from attractory.population.distances._spectra import spectra
from attractory.population.distances._stochastic_shapes import stochastic_shape
from attractory.population.distances._vector_fields import dmd_spectra, dsa

__all__ = [
    "behaviour",
    "cka",
    "cka_debiased",
    "dmd_spectra",
    "dsa",
    "fixed_points",
    "procrustes",
    "rsa",
    "spectra",
    "stochastic_shape",
    "weights",
]
