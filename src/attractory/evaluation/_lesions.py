"""Networks some of whose units send nothing any more, and the units that are missed most."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from attractory._arguments import indices, instance_of, takes, whole
from attractory._errors import InvalidSetting
from attractory.evaluation._networks import check_fit
from attractory.models import Network
from attractory.tasks import Task, as_task, noise_seed

TRIALS = 64  # by which the harm of a lesion is told
_KEPT = 64  # orders that are kept, with their networks: each value of an axis asks for them again
_orders: OrderedDict[tuple[int, int, int], tuple[Network, Task, list[int]]] = OrderedDict()


@takes(network=instance_of(Network), units=indices)
def lesioned(network: Network, units: Sequence[int] | np.ndarray) -> Network:
    """The network in which some units send nothing, neither to others nor to the outputs.

    Parameters
    ----------
    network : Network
        Of whatever cell.
    units : sequence or array of int
        The units, counted over all layers in the order of `rates`.

    Returns
    -------
    Network
        With weights from these units of 0.

    Raises
    ------
    InvalidSetting
        For a unit that there is not, and a cell that does not say what reads its units.
    """
    count, which = network.model.all_units, np.asarray(units)
    if ((which < 0) | (which >= count)).any():
        raise InvalidSetting(f"units = {which.tolist()} is not allowed: 0 to {count - 1} each")
    sent = np.ones(count, np.float32)
    sent[which] = 0.0
    return Network(network.model, network.model.with_sent(network.weights, jnp.asarray(sent)))


@takes(network=instance_of(Network), task=as_task, most=whole(), n=whole(1), seed=whole())
def lesion_order(
    network: Network, task: Task, most: int, n: int = TRIALS, seed: int = 0
) -> np.ndarray:
    """The units in the order in which losing them does most harm, one after the other.

    Parameters
    ----------
    network : Network
        The network.
    task : Task
        What it is to do.
    most : int
        How many units are to be found.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the network's own noise.

    Returns
    -------
    array of int (unit,)
        First the unit without which the squared error, over the points that the mask counts, is
        largest; then the one without which, and without the first, it is largest; and so on. Of
        units that do the same harm the first one.

    Raises
    ------
    InvalidSetting
        Where the network does not fit the task.

    Notes
    -----
    Each unit that is found takes a simulation for each one that is left: for half of 100 units some
    4000. The order is the greedy one; the set of so many units that does most harm is not looked
    for.
    """
    check_fit([network], task)
    order = _known_order(network, task, n, seed)
    trials = task.sample(n, seed, compiled=False) if len(order) < most else None
    while trials is not None and len(order) < min(most, network.model.all_units):
        left = [unit for unit in range(network.model.all_units) if unit not in order]
        harms = []
        for unit in left:
            outputs = lesioned(network, [*order, unit]).respond(trials.inputs, noise_seed(seed))
            errors = trials.mask * np.square(outputs.astype(np.float64) - trials.targets)
            harms.append(errors.sum())
        order.append(left[int(np.argmax(harms))])
    return np.array(order[:most], int)


def _known_order(network: Network, task: Task, n: int, seed: int) -> list[int]:
    """The order as far as it is known: a list that is kept, and grows."""
    key = (id(network), n, seed)
    if key not in _orders or _orders[key][1] != task:
        _orders[key] = (network, task, [])  # the network itself: its id stays its own
        if len(_orders) > _KEPT:
            _orders.popitem(last=False)
    return _orders[key][2]
