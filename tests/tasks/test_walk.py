"""The walk through every memory state, and the names of the states."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tasks.plain_flip_flop import plain_targets, pulses_in

from attractory.tasks import FlipFlop, memory_states, state_names

PUBLISHED = {"A": "++--++--++--++--", "B": "+-+-+-+-+-+-+-+-", "C": "++++----++++----"}


def signs_of(text: str) -> list[int]:
    return [{"+": 1, "-": -1, "0": 0}[letter] for letter in text]


@pytest.mark.parametrize("task", [FlipFlop(), FlipFlop.paper()])
def test_three_bit_walk_is_the_published_test_set(task):
    walk = task.walk()
    assert walk.inputs.shape == walk.targets.shape == walk.mask.shape
    assert walk.inputs.shape[0] == 1
    assert 1100 < walk.inputs.shape[1] <= 1150
    for channel, pattern in enumerate(PUBLISHED.values()):
        pulses = pulses_in(walk.inputs[0, :, channel])
        assert [pulse.onset for pulse in pulses] == [30 + 70 * i for i in range(16)]
        assert [pulse.width for pulse in pulses] == 16 * [20]
        assert [pulse.sign for pulse in pulses] == signs_of(pattern)
        np.testing.assert_array_equal(
            walk.targets[0, :, channel], plain_targets(walk.inputs[0, :, channel], 40)
        )


@pytest.mark.parametrize("bits", range(1, 7))
def test_walk_visits_and_holds_every_state_twice(bits):
    walk = FlipFlop(bits=bits).walk()
    rows = [tuple(row) for row in walk.targets[0].astype(int)]
    held = [rows[0]]
    lengths = [0]
    for row in rows:
        if row != held[-1]:
            held.append(row)
            lengths.append(0)
        lengths[-1] += 1
    assert held[0] == (0,) * bits
    for state in product([-1, 1], repeat=bits):
        assert held.count(state) == 2
    assert len(held) == 1 + 2 * 2**bits
    assert set(lengths[1:-1]) == {70}
    assert lengths[-1] >= 10


def test_walk_has_no_noise_and_the_given_amplitude():
    walk = FlipFlop(bits=2, noise=0.7, amplitude=0.5).walk()
    assert set(np.unique(walk.inputs)) == {-0.5, 0.0, 0.5}
    assert set(np.unique(walk.targets)) == {-1.0, 0.0, 1.0}


def test_walk_takes_its_own_timing():
    walk = FlipFlop(bits=2, pulse=5, delay=3).walk(every=25, start=4)
    for channel in walk.inputs[0].T:
        pulses = pulses_in(channel)
        assert [pulse.onset for pulse in pulses] == [4 + 25 * i for i in range(8)]
    np.testing.assert_array_equal(walk.targets[0, :, 0], plain_targets(walk.inputs[0, :, 0], 8))


def test_walk_with_a_long_latency_still_visits_every_state_twice():
    walk = FlipFlop(bits=2, pulse=40, delay=40).walk()
    states = memory_states(walk.targets)[0]
    visited = states[np.flatnonzero(np.diff(states)) + 1]
    assert len(visited) == 8


def test_walk_without_neutral_start_asks_nothing_before_the_first_answer():
    mask = FlipFlop(bits=2, neutral_start=False).walk().mask[0]
    np.testing.assert_array_equal(mask[:70], 0.0)
    np.testing.assert_array_equal(mask[70:], 1.0)


def test_memory_states_are_base_three_digits_with_channel_0_first():
    targets = np.array([[[-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 0], [1, -1], [1, 1]]])
    np.testing.assert_array_equal(memory_states(targets), [[0, 1, 2, 3, 4, 6, 8]])


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_state_names_spell_the_signs_of_memory_states(bits):
    signs = list(product([-1, 0, 1], repeat=bits))
    states = memory_states(np.array(signs, dtype=np.float32))
    assert len(set(states.tolist())) == 3**bits
    names = state_names(states, bits)
    assert [tuple(signs_of(name)) for name in names] == signs
