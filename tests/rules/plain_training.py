"""A tiny network, its loss and gradient in plain NumPy: what a learning rule is compared with."""

from __future__ import annotations

import jax
import numpy as np

from attractory.models import RateRNN
from attractory.tasks import Batch

UNITS, INPUTS, OUTPUTS, STEPS, TRIALS = 4, 2, 2, 5, 6
MODEL = RateRNN(units=UNITS, bias=True, tau=2.0, dt=1.0)
SHAPES = MODEL.weight_shapes(INPUTS, OUTPUTS)


def first_weights(seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in SHAPES.items()}


def batch(seed=0):
    """A batch whose mask has weights between 0 and 1, some of them 0."""
    rng = np.random.default_rng(100 + seed)
    inputs = rng.normal(size=(TRIALS, STEPS, INPUTS))
    targets = rng.normal(size=(TRIALS, STEPS, OUTPUTS))
    mask = rng.integers(0, 3, size=targets.shape) / 2.0
    return Batch(*(array.astype(np.float32) for array in (inputs, targets, mask)))


def plain_loss(weights, trials):
    """Mean of the squared errors, weighted by the mask, trial by trial and step by step."""
    error = 0.0
    for x, y, m in zip(*(np.asarray(a, np.float64) for a in trials), strict=True):
        h = np.zeros(UNITS)
        for t in range(STEPS):
            argument = weights["recurrent_weights"] @ h + weights["input_weights"] @ x[t]
            h = 0.5 * h + 0.5 * np.tanh(argument + weights["bias"])
            z = weights["output_weights"] @ h + weights["output_bias"]
            error += np.sum(m[t] * (z - y[t]) ** 2)
    return error / np.sum(trials.mask)


def plain_gradient(weights, trials):
    """Central finite differences of the loss."""
    found = {}
    for name, array in weights.items():
        slope = np.empty_like(array)
        for index in np.ndindex(array.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = array.copy()
                moved[index] += step
                ends.append(plain_loss({**weights, name: moved}, trials))
            slope[index] = (ends[0] - ends[1]) / 2e-5
        found[name] = slope
    return found


def norm(gradient):
    return np.sqrt(sum(np.sum(g**2) for g in gradient.values()))


def in_float32(weights):
    return {name: np.asarray(w, dtype=np.float32) for name, w in weights.items()}


def updated(rule, n, model=MODEL, weights=None, batches=None):
    """Weights and metrics after each of n updates with the rule."""
    weights = in_float32(first_weights() if weights is None else weights)
    state = rule.init(model, weights, jax.random.key(0))
    update = jax.jit(lambda w, s, b, step: rule.update(model, w, s, b, step, jax.random.key(0)))
    path = []
    for step in range(n):
        trials = batch(step) if batches is None else batches[step]
        weights, state, metrics = update(weights, state, trials, step)
        path.append((weights, metrics))
    return path
