"""The fast recurrences that the models stand on, each beside its reference in plain JAX."""

from attractory.kernels._compile import compiled
from attractory.kernels._current import current_network
from attractory.kernels._gated import gated, gated_twice
from attractory.kernels._native import native, to_compile
from attractory.kernels._rate import bfloat16_missing, rate_network, rate_outputs
from attractory.kernels._rate_jax import Activation, Precision, RateWeights, linear

__all__ = [
    "Activation",
    "Precision",
    "RateWeights",
    "bfloat16_missing",
    "compiled",
    "current_network",
    "gated",
    "gated_twice",
    "linear",
    "native",
    "rate_network",
    "rate_outputs",
    "to_compile",
]
