"""The fast recurrences that the models stand on, each beside its reference in plain JAX."""

from attractory.kernels._compile import compiled
from attractory.kernels._current import current_network
from attractory.kernels._gated import gated
from attractory.kernels._native import native, to_compile
from attractory.kernels._rate import bfloat16_missing, rate_network, rate_outputs
from attractory.kernels._rate_jax import Activation, Precision, RateWeights, linear
from attractory.kernels._shards import Shards, one_by_one, shards_of

__all__ = [
    "Activation",
    "Precision",
    "RateWeights",
    "Shards",
    "bfloat16_missing",
    "compiled",
    "current_network",
    "gated",
    "linear",
    "native",
    "one_by_one",
    "rate_network",
    "rate_outputs",
    "shards_of",
    "to_compile",
]
