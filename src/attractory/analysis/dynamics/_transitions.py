"""Where the blocks of a machine lead a network: without noise from centres, and with noise."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from attractory._cores import spread
from attractory._errors import InvalidSetting
from attractory.analysis.dynamics._blocks import ROWS, Blocks
from attractory.analysis.dynamics._step import NetworkStep
from attractory.tasks import Machine

CANDIDATES = 8  # starts for each sample wanted, where samples of a state are hard to come by
HISTORY = 2  # blocks, each held for a random time
LARGEST_SEED = 2**62


def state_centers(step: NetworkStep, machine: Machine) -> np.ndarray:
    """Each state as it is after it was written and held: (state, unit).

    Written from the state 0 of the network by an input that leads there from the machine's start,
    or from every state; else by the shortest chain of inputs.
    """
    centers = np.full((len(machine.states), step.units), np.nan)
    known = np.zeros(len(machine.states), bool)
    for state, center in _written(step, machine):
        centers[state] = center
        known[state] = True
    if not known.all():
        first = int(np.flatnonzero(~known)[0])
        missing = machine.states[first]
        raise InvalidSetting(f"task: no input leads its machine to the state {missing!r}")
    for _ in range(machine.hold):
        centers = step(centers)
    return centers


def _written(
    step: NetworkStep,
    machine: Machine,
) -> Iterator[tuple[int, np.ndarray]]:
    """States of the machine and where they lie, each once, those of short chains first."""
    known = set()
    waiting: deque[tuple[int, np.ndarray]] = deque()
    for state, center in _first_written(step, machine):
        known.add(state)
        waiting.append((state, center))
        yield state, center
    while waiting:
        state, center = waiting.popleft()
        for shown, target in enumerate(machine.transitions[state].tolist()):
            if target in known:
                continue
            known.add(target)
            written = _block(step, machine, center[None], [shown])[0]
            waiting.append((target, written))
            yield target, written


def _first_written(
    step: NetworkStep,
    machine: Machine,
) -> list[tuple[int, np.ndarray]]:
    """The machine's start, at 0; where it has none, what an input leads to from every state."""
    if machine.start is not None:
        return [(machine.start, np.zeros(step.units))]
    found: dict[int, np.ndarray] = {}
    silence = np.zeros((1, step.units))
    for shown, column in enumerate(machine.transitions.T):
        target = int(column[0])
        from_every_state = (column == target).all()
        if from_every_state and target not in found:
            found[target] = _block(step, machine, silence, [shown])[0]
    return sorted(found.items(), key=lambda item: item[0])


def _block(
    step: NetworkStep,
    machine: Machine,
    states: np.ndarray,
    inputs: np.ndarray | list[int],
) -> np.ndarray:
    """States (row, unit) after a block of the input of each row, without noise."""
    pulses = np.moveaxis(machine.pulses[inputs], 1, 0)
    for pulse in pulses:
        states = step.driven(states, pulse)
    for _ in range(machine.rest):
        states = step(states)
    return states


def from_centers(
    step: NetworkStep,
    machine: Machine,
    centers: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """T0: what each block leads to from each centre, and how clearly."""
    shape = machine.transitions.shape
    rows, columns = np.indices(shape)
    state = rows.ravel()
    shown = columns.ravel()

    def ends_of(part: np.ndarray) -> np.ndarray:
        return _block(step, machine, centers[state[part]], shown[part])

    n_parts = max(1, len(state) // ROWS)
    parts = np.array_split(np.arange(len(state)), n_parts)
    ends = np.concatenate(spread(ends_of, parts))
    outputs = step.outputs(ends)
    reached = machine.decoded(outputs)
    margins = machine.margins(outputs, machine.transitions.ravel())
    return reached.reshape(shape), margins.reshape(shape)


def sampled(
    blocks: Blocks,
    centers: np.ndarray,
    n: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T1: samples, failures, worst margins, each (state, input)."""
    shape = blocks.machine.transitions.shape
    samples = np.zeros(shape, int)
    failures = np.zeros(shape, int)
    worst = np.full(shape, np.nan)
    if n == 0:
        return samples, failures, worst
    pools = [center[None].astype(np.float32) for center in centers]
    for _ in range(HISTORY):
        pools = _histories(blocks, pools, n, rng)
    for state, pool in enumerate(pools):
        if not len(pool):
            continue
        margins = _margins_from(blocks, state, pool, rng)
        successes = margins > 0
        samples[state] = len(pool)
        failures[state] = (~successes).sum(axis=1)  # also what is not a number
        worst[state] = margins.min(axis=1)
    return samples, failures, worst


def _margins_from(
    blocks: Blocks,
    state: int,
    pool: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """How clearly each input leads where it must from states of this meaning (input, sample)."""
    machine = blocks.machine
    n_inputs = machine.transitions.shape[1]
    starts = np.tile(pool, (n_inputs, 1))
    inputs = np.repeat(np.arange(n_inputs), len(pool))
    ends = blocks.run(starts, inputs, _seed(rng))
    asked = machine.transitions[state, inputs]
    margins = machine.margins(blocks.outputs(ends), asked)
    return margins.reshape(n_inputs, -1)


def _histories(
    blocks: Blocks,
    pools: list[np.ndarray],
    n: int,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """Up to n states of each meaning: after a noisy block that leads there, held for a while."""
    made: list[np.ndarray] = []
    for target in range(len(blocks.machine.states)):
        made.append(_history(blocks, pools, target, n, rng))
    return made


def _history(
    blocks: Blocks,
    pools: list[np.ndarray],
    target: int,
    n: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Up to n states of one meaning."""
    kept = np.empty((0, blocks.units), np.float32)
    transitions = np.argwhere(blocks.machine.transitions == target)
    possible = [len(pools[state]) > 0 for state in transitions[:, 0]]
    transitions = transitions[possible]
    if not len(transitions):
        return kept
    for attempt in range(CANDIDATES):
        wanted = n - len(kept)
        ends = _noisy_ends(blocks, pools, transitions, wanted, rng)
        meanings = blocks.machine.decoded(blocks.outputs(ends))
        correct = meanings == target
        kept = np.concatenate([kept, ends[correct]])
        hopeless = attempt and not len(kept)
        if len(kept) == n or hopeless:
            break
    return kept


def _noisy_ends(
    blocks: Blocks,
    pools: list[np.ndarray],
    transitions: np.ndarray,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Where so many random ones of the transitions (transition, 2) lead from states of a pool."""
    machine = blocks.machine
    which = rng.integers(len(transitions), size=count)
    chosen = transitions[which]
    starts = []
    for state in chosen[:, 0]:
        pool = pools[state]
        starts.append(pool[rng.integers(len(pool))])
    longest = max(1, machine.hold - machine.rest + 1)
    extra = rng.integers(0, longest, size=count)
    begin = np.stack(starts)
    pulses = chosen[:, 1]
    return blocks.run(begin, pulses, _seed(rng), extra)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(LARGEST_SEED))
