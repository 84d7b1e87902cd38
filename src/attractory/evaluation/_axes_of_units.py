"""Axes of robustness that change units (lesions, noise, pushes), and how long they hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from attractory._arguments import a_share, not_negative
from attractory._errors import InvalidSetting, whole_number
from attractory.evaluation._axes import axis
from attractory.evaluation._lesions import lesion_order, lesioned
from attractory.evaluation._pushed import pushed
from attractory.models import Network
from attractory.tasks import Task

Changed = tuple[Network, Task]
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)


@axis("Recurrent noise, s.d. (a.u.)", battery=(0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3))
def recurrent_noise(network: Network, task: Task, value: Any, rng: np.random.Generator) -> Changed:
    """The units' own noise, in all cells that have such a setting."""
    spread = not_negative("recurrent_noise", value)
    if not any("recurrent_noise" in type(part.cell).model_fields for part in network.model.parts()):
        raise InvalidSetting(f"{type(network.model).__name__} has no noise of its units")

    def noisy(cell: Any) -> Any:
        has_noise = "recurrent_noise" in type(cell).model_fields
        return cell.replace(recurrent_noise=spread) if has_noise else cell

    return Network(network.model.with_cells(noisy), network.weights), task


@axis("Time held (times that of the task)", trained=1.0, battery=(1.0, 2.0, 5.0, 10.0))
def held_longer(network: Network, task: Task, value: Any, rng: np.random.Generator) -> Changed:
    """What the task asks to hold is held longer (`Task.held_longer`)."""
    return network, task if value == 1 else task.held_longer(value)


@axis("Lesioned units (share)", trained=0.0, battery=SHARES)
def lesioned_units(network: Network, task: Task, value: Any, rng: np.random.Generator) -> Changed:
    """Random units send nothing any more; the same ones and more at each value."""
    units = np.arange(network.model.all_units)
    return _lesioned_among(network, units, "lesioned_units", value, rng), task


@axis("Lesioned excitatory units (share of these)", trained=0.0, battery=SHARES)
def lesioned_excitatory(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> Changed:
    """The same of the units that Dale's law makes excitatory."""
    return _lesioned_among(network, _of_sign(network, 1), "lesioned_excitatory", value, rng), task


@axis("Lesioned inhibitory units (share of these)", trained=0.0, battery=SHARES)
def lesioned_inhibitory(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> Changed:
    """The same of the units that Dale's law makes inhibitory."""
    return _lesioned_among(network, _of_sign(network, -1), "lesioned_inhibitory", value, rng), task


@axis("Lesioned area (index)")
def lesioned_area(network: Network, task: Task, value: Any, rng: np.random.Generator) -> Changed:
    """All units of one area send nothing any more."""
    constraints = network.model.weight_constraints
    if constraints is None or constraints.areas is None:
        raise InvalidSetting("this network has no areas (Constraints(areas=...))")
    area = whole_number("lesioned_area", value, 0)
    if area >= len(constraints.areas):
        raise InvalidSetting(
            f"lesioned_area = {area} is not allowed: 0 to {len(constraints.areas) - 1}"
        )
    return lesioned(network, np.flatnonzero(constraints.area_of(network.units) == area)), task


@axis("Lesioned units, most harmful first (share)", trained=0.0)
def lesioned_greedily(
    network: Network, task: Task, value: Any, rng: np.random.Generator
) -> Changed:
    """The units without which the task is done worst send nothing any more (`lesion_order`)."""
    share = a_share("lesioned_greedily", value)
    most = round(share * network.model.all_units)
    return lesioned(network, lesion_order(network, task, most)) if most else network, task


@axis(
    "Push to the state, r.m.s. over units (a.u.)", trained=0.0, battery=(0.0, 0.25, 0.5, 1.0, 2.0)
)
def pushed_states(network: Network, task: Task, value: Any, rng: np.random.Generator) -> Changed:
    """Halfway through a trial the state is moved, in a random direction that is each network's."""
    size = not_negative("pushed_states", value)
    if size == 0:
        return network, task
    direction = rng.standard_normal(network.state_size)
    move = size * direction / np.sqrt(np.square(direction).mean())
    return pushed(network, move, task.n_steps // 2), task


def _of_sign(network: Network, sign: int) -> np.ndarray:
    constraints = network.model.weight_constraints
    signs = None if constraints is None else constraints.column_signs(network.units)
    if signs is None:
        raise InvalidSetting("this network does not obey Dale's law: its units have no sign")
    return np.flatnonzero(signs == sign)


def _lesioned_among(
    network: Network, units: np.ndarray, name: str, value: Any, rng: np.random.Generator
) -> Network:
    """Without a random share of these units."""
    share = a_share(name, value)
    order = rng.permutation(units)[: round(share * len(units))]
    return lesioned(network, order) if len(order) else network
