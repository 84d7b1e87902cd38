"""Axes of robustness that change the connections of networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._arguments import a_share, not_negative
from attractory._errors import InvalidSetting, whole_number
from attractory.evaluation._axes import axis
from attractory.models import Network
from attractory.tasks import Task

# what connects units to units, in any cell of a model
MATRIX = ("recurrent_weights",)
FACTORS = ("left_vectors", "right_vectors")  # of low rank: their product is the matrix
FLOAT_BITS = 32  # of a weight as it is: nothing is rounded then


@axis(
    "Noise on weights (share of their s.d.)",
    trained=0.0,
    battery=(0.0, 0.05, 0.1, 0.2, 0.4, 0.8),
)
def noise_on_weights(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> tuple[Network, Task]:
    """Normal noise on the connections that are there; what breaks a constraint is put back."""
    share = not_negative("noise_on_weights", value)
    if share == 0:
        return network, task

    def noisy(matrix: np.ndarray) -> np.ndarray:
        there = matrix != 0
        spread = matrix[there].std() if there.any() else 0.0
        return matrix + there * share * spread * rng.standard_normal(matrix.shape)

    return _with_recurrent(network, noisy), task


@axis("Precision of weights (bits)", trained=FLOAT_BITS, battery=(2, 3, 4, 5, 6, 8))
def weight_bits(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> tuple[Network, Task]:
    """Each matrix of weights rounded to 2^bits - 1 levels, 0 and its largest |w| among them."""
    bits = whole_number("weight_bits", value, 2)
    if bits >= FLOAT_BITS:
        return network, task
    fixed = _unchangeable(network)
    matrices = [name for name, array in network.weights.items() if np.ndim(array) == 2]
    rounded = {
        name: _rounded(network.weights[name], bits) for name in matrices if name not in fixed
    }
    return changed_weights(network, rounded), task


@axis("Silenced connections (share)", trained=0.0, battery=(0.0, 0.02, 0.05, 0.1, 0.2, 0.5))
def silenced_connections(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> tuple[Network, Task]:
    """A random share of the recurrent connections is cut, the same ones and more at each value."""
    share = a_share("silenced_connections", value)
    if share == 0:
        return network, task
    return _without(network, share, lambda matrix: rng.random(matrix.shape)), task


@axis("Pruned connections, weakest first (share)", trained=0.0, battery=(0.0, 0.2, 0.4, 0.6, 0.8))
def pruned_weights(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> tuple[Network, Task]:
    """The weakest recurrent connections are cut, a share of those that are there."""
    share = a_share("pruned_weights", value)
    if share == 0:
        return network, task
    return _without(network, share, np.abs), task


def changed_weights(network: Network, changes: dict[str, np.ndarray]) -> Network:
    """The network with some of its weights replaced, in their own type."""
    own = network.weights
    cast = {name: array.astype(own[name].dtype) for name, array in changes.items()}
    return Network(network.model, {**own, **cast})


def _named(network: Network, wanted: tuple[str, ...]) -> list[str]:
    """Those of the weights, in whatever layer, that have one of these names."""
    names = [name for name in network.weights if name.rpartition(".")[2] in wanted]
    if not names:
        raise InvalidSetting(
            f"this network has no weights named {' or '.join(wanted)}; it has "
            f"{', '.join(network.weights)}"
        )
    return names


def _unchangeable(network: Network) -> set[str]:
    """Names of the arrays that are kept among the weights, and are none."""
    return {
        part.prefix + name for part in network.model.parts() for name in part.cell.fixed_weights
    }


def _with_recurrent(network: Network, change: Any) -> Network:
    """Each recurrent matrix, or factor of one, changed; put back where a constraint wants it."""
    names = _named(network, MATRIX + FACTORS)
    made = changed_weights(network, {name: change(_exact(network, name)) for name in names})
    obeying = network.model.constrained(made.weights, network.weights)
    return Network(network.model, obeying)


def _without(network: Network, share: float, order: Any) -> Network:
    """Without the share of the connections that come first in an order; ties by their place."""

    def cut(matrix: np.ndarray) -> np.ndarray:
        ranked = order(matrix)
        there = np.flatnonzero(matrix)
        first = there[np.argsort(ranked.ravel()[there], kind="stable")]
        left = matrix.ravel().copy()
        left[first[: round(share * len(there))]] = 0.0
        return left.reshape(matrix.shape)

    names = _named(network, MATRIX)
    return changed_weights(network, {name: cut(_exact(network, name)) for name in names})


def _exact(network: Network, name: str) -> np.ndarray:
    return np.asarray(network.weights[name], np.float64)


def _rounded(matrix: Any, bits: int) -> np.ndarray:
    exact = np.asarray(matrix, np.float64)
    step = np.abs(exact).max() / (2 ** (bits - 1) - 1)
    return np.round(exact / step) * step if step > 0 else exact
