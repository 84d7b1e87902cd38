"""The optimiser of a rule: by its name, with a weight decay beside the gradient; a user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import optax

from attractory._errors import InvalidSetting, shown
from attractory.kernels import Shards
from attractory.rules._named import Chosen, Named, chosen, maker, makers
from attractory.rules._optimizers import GIVEN, KNOWN

Function = TypeVar("Function", bound=Callable[..., optax.GradientTransformation])

_registry = makers("optimizer", KNOWN)
optimizer_names = _registry.names


def optimizer(function: Function) -> Function:
    """Make an optimiser known by the name of its function; a decorator.

    `BPTT(optimizer="my_descent")` then trains by it, `BPTT(optimizer={"name": "my_descent",
    "size": 2.0})` with a setting.

    Parameters
    ----------
    function : callable
        It takes `rate`, which gives the learning rate for an update's number, counted from 0, and
        returns an `optax.GradientTransformation` whose updates are added to the weights. Further
        arguments with usual values are settings.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    InvalidSetting
        For a function with other arguments, and for the name of another optimiser.

    Notes
    -----
    Clipping, weight decay, the noise of gradients and the model's constraints are the rule's: the
    optimiser gets the gradient after clipping.

    Examples
    --------
    ::

        @at.rules.optimizer
        def bounded_steps(rate, size=1.0):
            return optax.chain(optax.clip(size), optax.scale_by_learning_rate(rate))
    """
    _registry.register(maker("optimizer", function, GIVEN))
    return function


def chosen_optimizer(field: str, value: Named) -> Chosen:
    """What the field of a rule names."""
    return chosen(field, value, _registry)


def optimiser(
    named: Chosen, rate: optax.Schedule, weight_decay: float, shards: Shards | None
) -> optax.GradientTransformation:
    """An optimiser whose every step takes rate · weight_decay of each weight away as well."""
    made = named(rate=rate, shards=shards)
    if not isinstance(made, optax.GradientTransformation):
        raise InvalidSetting(
            f"{named.field}: {named.maker.name} returned {shown(made)}; an "
            "optax.GradientTransformation is needed"
        )
    if weight_decay == 0:
        return made
    # beside the optimiser, not through it (Loshchilov & Hutter 2019)
    return optax.chain(made, _decay(lambda step: weight_decay * rate(step)))


def _decay(share: optax.Schedule) -> optax.GradientTransformation:
    """Takes a share of the weights away."""

    def update(changes: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
        taken = share(state.count)
        made = jax.tree.map(lambda change, weight: change - taken * weight, changes, weights)
        return made, optax.ScaleByScheduleState(state.count + 1)

    return optax.GradientTransformation(optax.scale_by_schedule(share).init, update)
