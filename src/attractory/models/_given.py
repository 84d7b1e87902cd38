"""What is meant by what stands in the place of networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attractory._arguments import refusal
from attractory._errors import InvalidSetting
from attractory._settings import Settings
from attractory.models._model import Network
from attractory.models._steps import check_meeting
from attractory.tasks import Task, Trials


def networks_of(value: Any, name: str = "networks") -> list[Network]:
    """The networks in one network, a sequence of them, or what holds some (a run, responses).

    Parameters
    ----------
    value : object
        What was given.
    name : str
        The argument, as the message names it.

    Returns
    -------
    list of Network
        At least one.

    Raises
    ------
    InvalidSetting
        Where there is none, or something else among them.
    """
    if isinstance(value, Network):
        return [value]
    held = getattr(value, "networks", value)
    if isinstance(held, (str, bytes, type, Settings)) or not isinstance(held, Iterable):
        raise InvalidSetting(refusal(name, value, "a Network, a sequence of them or a Run"))
    found = list(held)
    if not found:
        raise InvalidSetting(f"{name} is empty; at least one network is needed")
    for i, network in enumerate(found):
        if not isinstance(network, Network):
            raise InvalidSetting(refusal(f"{name}[{i}]", network, "a Network"))
    return found


def one_network(name: str, value: Any) -> Network:
    """One network: itself, the only one of a sequence, of a run.

    Parameters
    ----------
    name : str
        The argument, as the message names it.
    value : object
        What was given.

    Returns
    -------
    Network
        The network.

    Raises
    ------
    InvalidSetting
        Where there is none, or more than one.
    """
    found = networks_of(value, name)
    if len(found) > 1:
        which = "run.networks[0]" if hasattr(value, "networks") else f"{name}[0]"
        raise InvalidSetting(
            f"{name} holds {len(found)} networks; one is needed here, such as {which}"
        )
    return found[0]


def check_fit(
    networks: Sequence[Network], met: Task | Trials, called: Sequence[str] | None = None
) -> None:
    """Refuse a network with other inputs, outputs or steps than a task or trials.

    Parameters
    ----------
    networks : sequence of Network
        Those that meet it.
    met : Task or Trials
        What they meet.
    called : sequence of str, optional
        What each network is called in messages; "network 0" and so on when None.

    Raises
    ------
    InvalidSetting
        For the first that does not fit.
    """
    if isinstance(met, Task):
        task, sizes = f"the task {met.name} has", (met.n_inputs, met.n_outputs)
    else:
        task, sizes = "the trials have", (met.inputs.shape[-1], met.targets.shape[-1])
    names = called or [f"network {i}" for i in range(len(networks))]
    for own, network in zip(names, networks, strict=True):
        for size, wanted in zip(("n_inputs", "n_outputs"), sizes, strict=True):
            if getattr(network, size) != wanted:
                raise InvalidSetting(
                    f"{own} has {size} = {getattr(network, size)}, {task} {wanted}; "
                    "they must be equal"
                )
        check_meeting(network.model, met, own)
