"""Networks whose fixed points are known by hand."""

from __future__ import annotations

import itertools

import numpy as np
from scipy import optimize

from attractory.models import RateRNN


def plain_network(recurrent, bias=None, activation="tanh", tau=1.0, dt=1.0):
    """A network with one input and one output that read and drive all units alike."""
    recurrent = np.asarray(recurrent)
    units = len(recurrent)
    return RateRNN.from_weights(
        recurrent,
        np.ones((units, 1)),
        np.ones((1, units)),
        bias=bias,
        activation=activation,
        tau=tau,
        dt=dt,
    )


def held_value():
    """The positive a with a = tanh(2 a)."""
    return optimize.brentq(lambda a: a - np.tanh(2 * a), 0.5, 1.0, xtol=1e-15)


def planted_bits(bits, size=12, seed=0, tau=1.0, drive=1.0):
    """`bits` independent flip-flops of `size` units: W has the blocks (2/size) s sᵀ, s signs.

    A state a·s of a block goes to tanh(2 a)·s: the block has the fixed points a = 0 and ±a0 with
    a0 = tanh(2 a0). Input i enters block i along s, `drive` times; output i of a state a·s is a.
    """
    rng = np.random.default_rng(seed)
    recurrent = np.zeros((bits * size, bits * size))
    signs = np.zeros((bits * size, bits))
    for i in range(bits):
        block = slice(i * size, (i + 1) * size)
        signs[block, i] = rng.choice([-1.0, 1.0], size=size)
        recurrent[block, block] = 2 / size * np.outer(signs[block, i], signs[block, i])
    return RateRNN.from_weights(recurrent, drive * signs, signs.T / size, tau=tau)


def planted_points(network):
    """All fixed points of `planted_bits`: outputs (point, bit), states (point, unit)."""
    signs = np.sign(network.input_weights)
    a0 = held_value()
    outputs = np.array(list(itertools.product([-a0, 0.0, a0], repeat=signs.shape[1])))
    return outputs, outputs @ signs.T


def matched(found, expected, tolerance):
    """For each found row the index of the expected row next to it; each is used exactly once."""
    assert len(found) == len(expected)
    apart = np.abs(found[:, None] - expected[None]).max(axis=-1)
    nearest = apart.argmin(axis=1)
    assert apart.min(axis=1).max(initial=0.0) < tolerance
    assert len(set(nearest.tolist())) == len(expected)
    return nearest


def rotation(angle, gain=1.5):
    """Two tanh units whose state turns by `angle` a step and grows to a closed curve."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return RateRNN.from_weights(gain * turn, np.eye(2), np.eye(2))
