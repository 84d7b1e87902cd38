"""What a task may know of the network that is to learn it, and the recipe of most tasks, as data.

Tasks know no models and no rules: a recipe is names and settings, as in a configuration file, and
`attractory.training` makes the model and the rule of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Section = dict[str, Any]  # settings, and under "name" what they are of


@dataclass(frozen=True)
class NetworkFacts:
    """What the rule of a task's recipe may depend on.

    Attributes
    ----------
    rates : bool
        Whether the units are rates with one matrix of recurrent weights (not gated cells, currents,
        layers, or a user's own cell).
    leak : float
        The step over the time constant: the share of the state that a step replaces at most.
    constrained : bool
        Whether the weights have constraints (Dale's law, zeros, bounds).
    rank : int or None
        Of the recurrent weights where it is low by construction.
    feedback : bool
        Whether its outputs can come back to its units.
    """

    rates: bool = True
    leak: float = 1.0
    constrained: bool = False
    rank: int | None = None
    feedback: bool = True


def usual_network(dt: float) -> Section:
    """A rate network whose time constant is 10 steps of 1 ms, or about 100 ms.

    Parameters
    ----------
    dt : float
        Length of one step (ms).

    Returns
    -------
    dict
        The settings of its model.
    """
    # a little beyond the edge of chaos: activity at the start outlasts the longest delays
    return {**leaky(dt), "units": 96, "recurrent_gain": 1.5}


def leaky(dt: float) -> Section:
    """The time constant (ms) of rate networks for steps of dt ms, and a bias."""
    steps = 10 if dt < 10 else max(1, round(100 / dt))
    return {"tau": steps * dt, "dt": dt, "bias": True}


def usual_rule(network: NetworkFacts, steps: int = 1500) -> Section:
    """Backpropagation through time for a network of these facts.

    Parameters
    ----------
    network : NetworkFacts
        What is known of the network.
    steps : int
        Updates where the network is free and of full rank.

    Returns
    -------
    dict
        The settings of the rule.
    """
    if network.constrained:
        return {"learning_rate": 1e-2, "steps": 1000, "batch": 32}
    if network.rank is not None:  # Muon would turn few long vectors as if they were many
        return {"optimizer": "adam", "learning_rate": 1e-2, "steps": 4000, "batch": 32}
    return {"learning_rate": 5e-3, "steps": steps, "batch": 32}
