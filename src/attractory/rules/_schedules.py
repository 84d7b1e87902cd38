"""The schedules of the learning rate by their names."""

from __future__ import annotations

import itertools

import optax

from attractory._errors import InvalidSetting, shown
from attractory.rules._named import maker

# What the function of a schedule may ask for: the rate, the number of the last update counted from
# the end of the warm-up, and two fields of the rule.
GIVEN = ("rate", "steps", "final_rate", "decay")


def constant(rate: float) -> optax.Schedule:
    """The rate."""
    return optax.constant_schedule(rate)


def cosine(rate: float, steps: int, final_rate: float, exponent: float = 1.0) -> optax.Schedule:
    """Half a cosine, to the final rate."""
    return optax.cosine_decay_schedule(rate, steps, alpha=final_rate, exponent=exponent)


def inverse_time(rate: float, decay: float) -> optax.Schedule:
    """Keras 2's learning-rate decay."""
    return lambda step: rate / (1.0 + decay * step)


def linear(rate: float, steps: int, final_rate: float) -> optax.Schedule:
    """A line to the final rate."""
    return optax.linear_schedule(rate, final_rate * rate, steps)


def polynomial(rate: float, steps: int, final_rate: float, power: float = 2.0) -> optax.Schedule:
    """What is left of the training to a power, down to the final rate."""
    _above_0("power", power)
    return optax.polynomial_schedule(rate, final_rate * rate, power, steps)


def exponential(
    rate: float, steps: int, decay_rate: float = 0.5, every: float = 0.1, staircase: bool = False
) -> optax.Schedule:
    """Times decay_rate over each `every`, a share of the training."""
    _above_0("decay_rate", decay_rate)
    _above_0("every", every)
    return optax.exponential_decay(rate, every * steps, decay_rate, staircase=staircase)


def piecewise_constant(
    rate: float,
    steps: int,
    boundaries: tuple[float, ...] = (0.5, 0.75),
    factors: tuple[float, ...] = (0.1, 0.1),
) -> optax.Schedule:
    """Times a factor from each boundary on, a share of the training."""
    rising = all(a < b for a, b in itertools.pairwise((0.0, *boundaries, 1.0)))
    if not rising:
        raise InvalidSetting(
            f"boundaries = {shown(boundaries)} is not allowed: rising shares of the training, "
            "above 0 and below 1"
        )
    if len(factors) != len(boundaries) or min(factors, default=0.0) < 0:
        raise InvalidSetting(
            f"factors = {shown(factors)} is not allowed: a number for each of the "
            f"{len(boundaries)} boundaries, 0 or more"
        )
    at = (share * steps for share in boundaries)
    return optax.piecewise_constant_schedule(rate, dict(zip(at, factors, strict=True)))


def cosine_onecycle(
    rate: float,
    steps: int,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> optax.Schedule:
    """From rate / div_factor up to the rate, and down to rate / (div_factor · final_div_factor)."""
    _shares(pct_start=pct_start)
    _above_0("div_factor", div_factor)
    _above_0("final_div_factor", final_div_factor)
    return optax.cosine_onecycle_schedule(steps, rate, pct_start, div_factor, final_div_factor)


def linear_onecycle(
    rate: float,
    steps: int,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> optax.Schedule:
    """The same in lines, with a third one from rate / div_factor to the end."""
    _shares(pct_start=pct_start, pct_final=pct_final)
    _above_0("div_factor", div_factor)
    _above_0("final_div_factor", final_div_factor)
    return optax.linear_onecycle_schedule(
        steps, rate, pct_start, pct_final, div_factor, final_div_factor
    )


def sgdr(
    rate: float, steps: int, final_rate: float, cycles: int = 4, lengthening: float = 1.0
) -> optax.Schedule:
    """Cosines, each from the rate to the final rate, one after another (Loshchilov & Hutter 2017).

    Each is `lengthening` times as long as the one before.
    """
    if cycles != int(cycles) or cycles < 1:
        raise InvalidSetting(f"cycles = {shown(cycles)} is not allowed: a whole number, 1 or more")
    _above_0("lengthening", lengthening)
    lengths = [lengthening**cycle for cycle in range(int(cycles))]
    ends = [steps * sofar / sum(lengths) for sofar in itertools.accumulate(lengths)]
    starts = [0.0, *ends[:-1]]
    cosines = [
        optax.cosine_decay_schedule(rate, end - start, alpha=final_rate)
        for start, end in zip(starts, ends, strict=True)
    ]
    return optax.join_schedules(cosines, starts[1:])


def _above_0(name: str, value: float) -> None:
    if value <= 0:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: a number above 0")


def _shares(**values: float) -> None:
    """InvalidSetting for shares of the training that are none, or do not rise."""
    if not all(a < b for a, b in itertools.pairwise((0.0, *values.values(), 1.0))):
        said = ", ".join(f"{name} = {shown(value)}" for name, value in values.items())
        raise InvalidSetting(f"{said}: shares of the training, rising, above 0 and below 1")


KNOWN = tuple(
    maker("schedule", function, GIVEN)
    for function in (
        constant,
        cosine,
        cosine_onecycle,
        exponential,
        inverse_time,
        linear,
        linear_onecycle,
        piecewise_constant,
        polynomial,
        sgdr,
    )
)
