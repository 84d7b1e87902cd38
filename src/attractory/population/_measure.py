"""Measures, one number a network: each a record, known by its name; a user's own too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attractory._errors import InvalidSetting, shown
from attractory._registry import Registry
from attractory.models import Network
from attractory.population._measure_context import Context

# (network, what else is known of it) -> the number
Function = Callable[[Network, Context], float]

# in the order in which a table has them, where no names are given
NEEDS = ("trials", "states", "history", "weights", "fixed points", "machine")


@dataclass(frozen=True)
class Measure:
    """One number a network, and what it is.

    Attributes
    ----------
    name : str
        As `names` of `measure` says it.
    function : callable
        Computes it: (network, context) give a number. Where there is none it raises InvalidSetting,
        whose message is kept as the reason.
    unit : str
        Of the number; "" where it has none.
    larger : str
        What a larger number means, in a few words.
    needs : str
        "weights", "trials" (outputs in the task's trials), "states" (states in them), "fixed
        points", "machine" (the task's, and fixed points), or "history" (of a run).
    source : str
        The paper or equation that it comes from.
    """

    name: str
    function: Function
    unit: str
    larger: str
    needs: str
    source: str


_registry: Registry[Measure] = Registry(
    "measure",
    None,
    "attractory.population",
    name_of=lambda made: made.name,
    decorator="attractory.population.measure_of",
    accepts=lambda made: isinstance(made, Measure),
)
measure_names, find_measure = _registry.names, _registry.find


def measure_of(
    needs: str, *, larger: str, source: str, unit: str = ""
) -> Callable[[Function], Function]:
    """Make a function known as a measure of networks, under its own name; a decorator.

    Parameters
    ----------
    needs : str
        "weights", "trials", "states", "fixed points", "machine" or "history": what it asks the
        context for. A measure of "states" can also be asked for in one epoch, as "name@epoch".
    larger : str
        What a larger number means, in a few words.
    source : str
        The paper or equation that it comes from.
    unit : str
        Of the number; "" where it has none.

    Returns
    -------
    callable
        The decorator. Its function takes a network and a `Context`, and returns a number; where
        there is none it raises InvalidSetting, and the message is kept as the reason.

    Raises
    ------
    InvalidSetting
        For the name of another measure, and for needs that are not among those.

    Examples
    --------
    ::

        @at.population.measure_of("states", larger="louder", source="defined here", unit="a.u.")
        def mean_size(network, context):
            return np.abs(context.states).mean()
    """
    if needs not in NEEDS:
        raise InvalidSetting(f"needs = {shown(needs)} is not allowed: {', '.join(NEEDS)}")

    def registered(function: Function) -> Function:
        _registry.register(Measure(function.__name__, function, unit, larger, needs, source))
        return function

    return registered
