"""What is meant by what stands in the place of a network, a step or a trajectory."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._arguments import as_array, refusal
from attractory._errors import InvalidSetting
from attractory.models import Network, Trajectory, check_meeting, one_network
from attractory.tasks import Trials, noise_seed

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


def trajectory_in(
    network: Network | Trajectory, trials: Trials, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """States (trial, time, unit) and outputs (trial, time, output) in these trials, float64."""
    if isinstance(network, Network):
        check_meeting(network.model, trials)
        network = network.simulate(
            trials.inputs,
            noise_seed(seed),
            precision="float64",
        )
    states = np.asarray(network.states, np.float64)
    outputs = np.asarray(network.outputs, np.float64)
    if states.ndim != 3:
        states, outputs = states[None], outputs[None]
    if not np.isfinite(states).all():
        raise InvalidSetting(
            "network = one whose states in these trials are not finite: it diverges; there is "
            "nothing to analyse"
        )
    if states.shape[:2] != trials.inputs.shape[:2]:
        raise InvalidSetting(
            f"network = a trajectory of {states.shape[:2]} (trials, steps); the trials are "
            f"{trials.inputs.shape[:2]}: it must be of these trials"
        )
    return states, outputs


def constant_input(name: str, value: Any) -> Any:
    """A constant input (input,); trials are none."""
    if hasattr(value, "inputs"):
        raise InvalidSetting(
            f"{name} = {type(value).__name__}(...) is not allowed: the constant input (input,); "
            "trials whose states the search starts from are given as task=trials"
        )
    return as_array(name, value)
