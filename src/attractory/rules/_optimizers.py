"""The optimisers by their names: Optax's, Muon, and gradient descent of fractional order."""

from __future__ import annotations

import inspect
import math
from typing import Any

import jax
import jax.numpy as jnp
import optax

from attractory._errors import InvalidSetting, shown
from attractory.kernels import Shards
from attractory.models import Weights
from attractory.rules._muon import muon as muon_of_matrices
from attractory.rules._named import Maker, maker

GIVEN = ("rate", "shards")  # what the function of an optimiser may ask for

# Those of Optax that step by a gradient and a rate alone. Others need the loss's value at each
# trial step (polyak_sgd, lbfgs), are deprecated (optimistic_adam), or draw the same noise in all
# networks (noisy_sgd; rules have a setting for noise).
OF_OPTAX = (
    "adabelief",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "adan",
    "amsgrad",
    "fromage",
    "lamb",
    "lars",
    "lion",
    "nadam",
    "nadamw",
    "novograd",
    "optimistic_adam_v2",
    "optimistic_gradient_descent",
    "radam",
    "rmsprop",
    "sign_sgd",
    "signum",
    "yogi",
)
WITHOUT_SCHEDULE = ("rprop", "sm3")  # whose rate is one number in Optax


def muon(rate: optax.Schedule, shards: Shards | None) -> optax.GradientTransformation:
    """Muon for matrices, Adam for vectors."""
    groups = {"matrix": muon_of_matrices(rate, shards), "vector": optax.adam(rate)}
    return optax.partition(groups, _kind)


def sgd(
    rate: optax.Schedule, momentum: float = 0.9, nesterov: bool = False
) -> optax.GradientTransformation:
    """Gradient descent with momentum."""
    return optax.sgd(rate, momentum=momentum, nesterov=nesterov)


def fractional(
    rate: optax.Schedule, order: float = 0.9, share: float = 0.5
) -> optax.GradientTransformation:
    """Gradient descent, a share of it of fractional order (Khan et al. 2018).

    A step of the weight w with the gradient g is rate · g · (1 - share + share · |w|^(1 - order) /
    Γ(2 - order)): a rate of its own for each weight, by its size. Order 1 is gradient descent.
    """
    for name, value in (("order", order), ("share", share)):
        if not 0 <= value <= 1 or (name == "order" and value == 0):
            allowed = "a number above 0, 1 at the most" if name == "order" else "from 0 to 1"
            raise InvalidSetting(f"{name} = {shown(value)} is not allowed: {allowed}")

    def scaled(gradient: jax.Array, weight: jax.Array) -> jax.Array:
        size = jnp.abs(weight) ** (1.0 - order) / math.gamma(2.0 - order)
        # in this form exactly 1 where the order is 1
        return gradient * (1.0 + share * (size - 1.0))

    by_size = optax.stateless(lambda gradients, weights: jax.tree.map(scaled, gradients, weights))
    return optax.chain(by_size, optax.scale_by_learning_rate(rate))


def _of_optax(name: str) -> Maker:
    made = getattr(optax, name)

    def function(rate: optax.Schedule, **settings: Any) -> optax.GradientTransformation:
        if name in WITHOUT_SCHEDULE:
            return optax.chain(made(1.0, **settings), optax.scale_by_schedule(rate))
        of_optax: optax.GradientTransformation = made(rate, **settings)
        return of_optax

    function.__name__ = function.__qualname__ = name
    return Maker(function, ("rate",), _settings_of(made))


def _settings_of(made: Any) -> dict[str, Any]:
    """The numbers and flags among the arguments after the rate; no data types, no masks."""
    _, *others = inspect.signature(made).parameters.values()
    return {
        each.name: each.default
        for each in others
        if "dtype" not in each.name and "mask" not in each.name
    }


def _kind(weights: Weights) -> Any:
    return jax.tree.map(lambda w: "matrix" if w.ndim == 2 else "vector", weights)


KNOWN = (
    *map(_of_optax, (*OF_OPTAX, *WITHOUT_SCHEDULE)),
    *(maker("optimizer", function, GIVEN) for function in (muon, sgd, fractional)),
)
