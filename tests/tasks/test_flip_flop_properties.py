"""What holds for a flip-flop with any allowed settings."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tasks.plain_flip_flop import channels_of, plain_targets, pulses_in

from attractory.tasks import FlipFlop


@st.composite
def flip_flops(draw):
    pulse, delay = draw(st.integers(1, 6)), draw(st.integers(0, 8))
    earliest = draw(st.integers(0, 5))
    latest = earliest + draw(st.integers(0, 6))
    gap = st.integers(1, 6).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, 10)))
    gaps = draw(st.one_of(gap, st.lists(gap, min_size=1, max_size=3).map(tuple)))
    return FlipFlop(
        bits=draw(st.integers(1, 3)),
        pulse=pulse,
        delay=delay,
        first_onset=(earliest, latest),
        gaps=gaps,
        skip_first=draw(st.sampled_from([0.0, 0.4, 1.0])),
        noise=0.0,
        steps=latest + pulse + delay + 1 + draw(st.integers(0, 15)),
    )


@settings(max_examples=4, deadline=None, derandomize=True, database=None)
@given(task=flip_flops())
def test_targets_agree_with_a_plain_loop_over_the_inputs(task):
    trials = task.sample(16, seed=1)
    for inputs, targets in zip(
        channels_of(trials.inputs), channels_of(trials.targets), strict=True
    ):
        np.testing.assert_array_equal(targets, plain_targets(inputs, task.pulse + task.delay))
        for pulse in pulses_in(inputs):
            assert pulse.onset >= task.first_onset[0]
            assert pulse.onset + task.pulse + task.delay < task.steps
            assert pulse.width == task.pulse


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(task=flip_flops())
def test_settings_come_back_from_json(task):
    again = FlipFlop(**task.to_json())
    assert again == task
    assert hash(again) == hash(task)
    assert again.replace(noise=0.5) != task
