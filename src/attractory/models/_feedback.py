"""Feedback of a linear readout to the units, and the network without it that does the same."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Weights = dict[str, Any]
FEEDBACK = "feedback_weights"  # the name among the weights


def drawn_feedback(key: jax.Array, units: int, n_outputs: int, gain: float) -> jax.Array:
    """(unit, output): uniform from -gain to gain, as in Sussillo & Abbott (2009)."""
    return jax.random.uniform(key, (units, n_outputs), minval=-gain, maxval=gain)


def fed_back(weights: Weights, hidden: Any) -> Any:
    """What the outputs add to the drive of the units: W_fb (W_out h + c), (unit,)."""
    outputs = weights["output_weights"] @ hidden
    if "output_bias" in weights:
        outputs = outputs + weights["output_bias"]
    return weights[FEEDBACK] @ outputs


def closed(weights: Weights) -> Weights:
    """The weights without feedback that do the same: W_rec + W_fb W_out, and b + W_fb c.

    Of a low rank the outputs are further pairs of vectors: W_fb and W_out, times units.
    """
    back, out = weights[FEEDBACK], weights["output_weights"]
    made = {name: array for name, array in weights.items() if name != FEEDBACK}
    if "recurrent_weights" in weights:
        made["recurrent_weights"] = weights["recurrent_weights"] + back @ out
    else:
        units = len(back)
        joined = {"left_vectors": back, "right_vectors": units * out.T}
        # NumPy's stay NumPy's: in float64 whatever JAX's usual precision is
        join = np.concatenate if isinstance(back, np.ndarray) else jnp.concatenate
        made |= {name: join([weights[name], more], axis=1) for name, more in joined.items()}
    if "output_bias" in weights:
        made["bias"] = weights.get("bias", 0.0) + back @ weights["output_bias"]
    return made
