"""The fast recurrences that the models stand on, each beside its reference in plain JAX."""

from attractory.kernels._compile import compiled
from attractory.kernels._rate import Activation, rate_recurrence, rate_recurrence_reference

__all__ = ["Activation", "compiled", "rate_recurrence", "rate_recurrence_reference"]
