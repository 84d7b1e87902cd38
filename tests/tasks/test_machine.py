"""The flip-flop as a machine of states, and how outputs are read."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from attractory import tasks


@pytest.mark.parametrize(("bits", "neutral"), [(1, True), (2, False), (3, True), (3, False)])
def test_a_pulse_sets_its_channel_and_silence_leaves_it(bits, neutral):
    task = tasks.FlipFlop(bits=bits, neutral_start=neutral, amplitude=0.7)
    machine = task.machine()
    assert len(machine.states) == (3 if neutral else 2) ** bits
    assert len(machine.inputs) == 3**bits
    for (q, state), (s, shown) in product(enumerate(machine.states), enumerate(machine.inputs)):
        wanted = "".join(b if b != "0" else a for a, b in zip(state, shown, strict=True))
        assert machine.states[machine.transitions[q, s]] == wanted
        values = {"-": -0.7, "0": 0.0, "+": 0.7}
        assert np.array_equal(machine.pulses[s, 0], [values[sign] for sign in shown])
    assert machine.inputs[machine.silent] == "0" * bits
    assert machine.pulses.shape[1] == task.pulse
    assert machine.memories.sum() == 2**bits
    assert (machine.start is None) == (not neutral)


def test_times_are_those_of_the_task():
    machine = tasks.FlipFlop.paper().machine()
    assert (machine.rest, machine.hold) == (51, 130)
    assert machine.noise == 0.1


def test_many_bits_are_written_one_at_a_time():
    machine = tasks.FlipFlop(bits=4, neutral_start=False).machine()
    assert len(machine.states) == 16
    assert len(machine.inputs) == 9


def test_outputs_are_read_by_the_nearest_level():
    machine = tasks.FlipFlop(bits=2).machine()
    read = machine.decoded(np.array([[0.9, -0.6], [0.4, 0.51], [-0.49, 0.0]]))
    assert [machine.states[i] for i in read] == ["+-", "0+", "00"]
    two = tasks.FlipFlop(bits=2, neutral_start=False).machine()
    assert two.states[int(two.decoded(np.array([0.1, -0.2])))] == "+-"


def test_margins_by_hand():
    machine = tasks.FlipFlop(bits=2).machine()
    state = machine.states.index("+0")
    # channel 0 at 0.8: 0.3 above the border at 0.5; channel 1 at 0.1: 0.4 below it
    assert machine.margins(np.array([0.8, 0.1]), np.array(state)) == pytest.approx(0.3)
    assert machine.margins(np.array([0.8, 0.45]), np.array(state)) == pytest.approx(0.05)
    assert machine.margins(np.array([0.2, 0.1]), np.array(state)) == pytest.approx(-0.3)
    two = tasks.FlipFlop(bits=1, neutral_start=False).machine()
    assert two.margins(np.array([-0.3]), np.array(0)) == pytest.approx(0.3)
