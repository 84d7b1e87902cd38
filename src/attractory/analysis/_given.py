"""What is meant by what stands in the place of a network, a step or a trajectory."""

from __future__ import annotations

from typing import Any

from attractory._arguments import as_array, refusal
from attractory._errors import InvalidSetting
from attractory.models import Network, Trajectory, one_network

# how what is needed comes about, for the messages
POINTS = "at.analysis.fixed_points(network) finds them"
SPACE = "at.analysis.state_space(network, trials) makes one"


def network_or_step(name: str, value: Any) -> Any:
    """One network, or a function step(h, x) as it is."""
    if callable(value) and not isinstance(value, type):
        return value
    if not hasattr(value, "networks") and not isinstance(value, (list, tuple)):
        what = "a Network or a function step(h, x)"
        raise InvalidSetting(refusal(name, value, what))
    return one_network(name, value)


def network_or_trajectory(name: str, value: Any) -> Network | Trajectory:
    """A trajectory as it is, all else as one network."""
    return value if isinstance(value, Trajectory) else one_network(name, value)


def constant_input(name: str, value: Any) -> Any:
    """A constant input (input,); trials are none."""
    if hasattr(value, "inputs"):
        raise InvalidSetting(
            f"{name} = {type(value).__name__}(...) is not allowed: the constant input (input,); "
            "trials whose states the search starts from are given as task=trials"
        )
    return as_array(name, value)
