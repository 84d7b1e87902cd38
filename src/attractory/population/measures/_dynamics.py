"""Measures that count fixed points, and of the machine that the task asks for."""

from __future__ import annotations

import numpy as np

from attractory._errors import InvalidSetting
from attractory.models import Network
from attractory.population._measure import measure_of
from attractory.population._measure_context import Context

SUSSILLO = "Sussillo & Barak (2013), Neural Computation 25:626"
JARNE = "Jarne (2024), Front. Syst. Neurosci. 18:1269190"


@measure_of("fixed points", larger="more rest states", source=SUSSILLO, unit="points")
def n_fixed_points(network: Network, context: Context) -> float:
    """Number of fixed points found without input, of any stability."""
    return len(context.fixed_points)


@measure_of("fixed points", larger="more states kept", source=SUSSILLO, unit="attractors")
def n_attractors(network: Network, context: Context) -> float:
    """Number of attractors seen without input: stable points and oscillations."""
    return len(context.attractors.numbers)


@measure_of("fixed points", larger="more borders", source=SUSSILLO, unit="points")
def n_saddles(network: Network, context: Context) -> float:
    """Number of fixed points that are unstable along some dimensions and stable along others."""
    unstable = context.fixed_points.n_unstable
    return int(np.sum((unstable > 0) & (unstable < network.state_size)))


@measure_of("fixed points", larger="more borders", source=SUSSILLO, unit="points")
def n_saddles_of_index_1(network: Network, context: Context) -> float:
    """Number of saddles with one unstable dimension: each lies between two attractors."""
    unstable = context.fixed_points.n_unstable
    return int(np.sum(unstable == 1)) if network.state_size > 1 else 0


@measure_of("machine", larger="clearer memories", source=JARNE, unit="a.u.")
def automaton_margin(network: Network, context: Context) -> float:
    """The smallest margin by which outputs say the memory that the task's machine asks for, over
    all its transitions (see `Automaton.margins`)."""
    machine = context.automaton
    return float(machine.margins[_memories(context)].min())


@measure_of("machine", larger="longer memories", source=JARNE, unit="ms")
def hold_time(network: Network, context: Context) -> float:
    """How long the memory that is lost first lasts in silence; at most the 10 000 steps that are
    watched (see `Automaton.holds`)."""
    machine = context.automaton
    steps = np.minimum(machine.holds, machine.hold_limit)[_memories(context)].min()
    return float(steps * network.model.step_length)


def _memories(context: Context) -> np.ndarray:
    """(state,): the states of the task's machine that are memories."""
    memories = context.automaton.machine.memories
    if not memories.any():
        raise InvalidSetting("the machine of the task has no memories")
    return memories
