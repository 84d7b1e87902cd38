"""DESIGN's equation as a plain loop in float64: what the models are compared with."""

from __future__ import annotations

import numpy as np


def plain_run(network, inputs, phi, start=None, leak=1.0):
    """States (trial, time, unit) and outputs (trial, time, output) of a network without noise."""
    weights = {name: np.asarray(w, dtype=np.float64) for name, w in network.weights.items()}
    bias = weights.get("bias", 0.0)
    readout_bias = weights.get("output_bias", 0.0)
    states, outputs = [], []
    for trial in np.asarray(inputs, dtype=np.float64):
        state = np.zeros(len(weights["recurrent_weights"])) if start is None else start
        path = []
        for x in trial:
            argument = weights["recurrent_weights"] @ state + weights["input_weights"] @ x + bias
            state = (1.0 - leak) * state + leak * phi(argument)
            path.append(state)
        states.append(path)
        outputs.append([weights["output_weights"] @ h + readout_bias for h in path])
    return np.array(states), np.array(outputs)
