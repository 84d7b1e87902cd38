"""The schedule of a rule's learning rate: by its name, after a warm-up; a user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import optax

from attractory._errors import InvalidSetting, shown
from attractory.rules._named import Chosen, Named, chosen, maker, makers
from attractory.rules._schedules import GIVEN, KNOWN

Function = TypeVar("Function", bound=Callable[..., optax.Schedule])

_registry = makers("schedule", KNOWN)
schedule_names = _registry.names


def schedule(function: Function) -> Function:
    """Make a schedule of the learning rate known by the name of its function; a decorator.

    `BPTT(schedule="my_schedule")` then trains by it, `BPTT(schedule={"name": "my_schedule",
    "waves": 3.0})` with a setting.

    Parameters
    ----------
    function : callable
        It takes `rate`, the learning rate, and returns a function in JAX operations that gives the
        rate of an update by the update's number, counted from 0 after the warm-up. It may take
        `steps`, the number that the last update has, and the rule's `final_rate` and `decay`.
        Further arguments with usual values are settings.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    InvalidSetting
        For a function with other arguments, and for the name of another schedule.

    Examples
    --------
    ::

        @at.rules.schedule
        def waves(rate, steps, waves=3.0):
            return lambda step: rate * jnp.cos(jnp.pi * waves * step / steps) ** 2
    """
    _registry.register(maker("schedule", function, GIVEN))
    return function


def chosen_schedule(value: Named) -> Chosen:
    """What the field `schedule` of a rule names."""
    return chosen("schedule", value, _registry)


def rates(named: Chosen, rate: float, n_steps: int, warmup: int, **fields: Any) -> optax.Schedule:
    """The rate of every update: a linear rise over the warm-up, then the schedule.

    fields: those of the rule that a schedule may ask for.
    """
    after = max(1, n_steps - 1 - warmup)  # the last update has the final rate
    main: optax.Schedule = named(rate=rate, steps=after, **fields)
    if not callable(main):
        raise InvalidSetting(
            f"schedule: {named.maker.name} returned {shown(main)}; a function of the update is "
            "needed"
        )
    if warmup == 0:
        return main
    # a schedule of one cycle begins below the rate: the warm-up ends where it begins
    begins = rate / named.settings.get("div_factor", 1.0)
    rise = optax.linear_schedule(begins / warmup, begins, warmup)
    return optax.join_schedules([rise, main], [warmup])
