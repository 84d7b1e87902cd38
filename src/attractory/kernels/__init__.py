"""The fast recurrences that the models stand on, each beside its reference in plain JAX."""

from attractory.kernels._activation import Activation, ActivationFunction
from attractory.kernels._activations import ACTIVATIONS, activation_of, linear
from attractory.kernels._compile import compiled
from attractory.kernels._current import current_network
from attractory.kernels._gated import gated, gated_twice
from attractory.kernels._native import native, to_compile
from attractory.kernels._own_activation import activation, check_elementwise, of_settings
from attractory.kernels._rate import (
    bfloat16_missing,
    rate_network,
    rate_outputs,
    rate_outputs_and_sizes,
)
from attractory.kernels._rate_jax import Precision, RateWeights
from attractory.kernels._shards import Shards, at_once, one_by_one, shards_of
from attractory.kernels._windows import in_windows, window_argument

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ActivationFunction",
    "Precision",
    "RateWeights",
    "Shards",
    "activation",
    "activation_of",
    "at_once",
    "bfloat16_missing",
    "check_elementwise",
    "compiled",
    "current_network",
    "gated",
    "gated_twice",
    "in_windows",
    "linear",
    "native",
    "of_settings",
    "one_by_one",
    "rate_network",
    "rate_outputs",
    "rate_outputs_and_sizes",
    "shards_of",
    "to_compile",
    "window_argument",
]
