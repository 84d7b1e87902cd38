"""A network as the machine of its task; regions that are proved to hold."""

from __future__ import annotations

import numpy as np
import pytest
from analysis.planted import planted_bits

from attractory import InvalidSetting, analysis, models, tasks
from attractory.analysis.dynamics._certificate import certify
from attractory.analysis.dynamics._invariant import invariant_ellipsoid

TASK = tasks.FlipFlop(bits=2, neutral_start=False, noise=0.05)


@pytest.fixture(scope="module")
def memory():
    return analysis.automaton(planted_bits(2), TASK, n_samples=20, hold_steps=400)


def test_a_network_of_bits_is_the_flip_flop(memory):
    assert memory.correct.all()
    assert (memory.samples == 20).all()
    assert not memory.failures.any()
    assert not len(memory.failing)
    assert (memory.holds == np.inf).all()
    assert (memory.holds_noise == 400).all()
    assert memory.others == ()
    assert memory.table().loc["-+", "+0"] == "++"
    assert memory.table().loc["-+", "00"] == "-+"
    assert "36 of 36" in memory.statement


def test_margins_are_those_of_the_read_out(memory):
    # silence: the read-out is ±a0; the nearest other level is further by 2 a0: half of that is a0
    silent = memory.machine.silent
    a0 = 0.9575040240772687
    assert np.allclose(memory.margins[:, silent], a0, atol=1e-3)
    assert (memory.worst_margins <= memory.margins + 0.2).all()
    assert (memory.worst_margins > 0).all()


def test_transitions_are_those_of_a_plain_simulation(memory):
    net, machine = planted_bits(2), memory.machine
    for q, center in enumerate(memory.centers):
        for s, pulse in enumerate(machine.pulses):
            silence = np.zeros((machine.rest, 2))
            shown = np.concatenate([pulse, silence])
            ends = net.simulate(shown, initial_state=center, precision="float64").outputs[-1]
            wanted = np.where(machine.pulses[s, 0] != 0, machine.pulses[s, 0], machine.outputs[q])
            assert np.array_equal(np.sign(ends), np.sign(wanted))


def test_a_network_that_cannot_be_written_fails_where_it_must():
    weak = planted_bits(2, drive=0.01)  # far below the fold: no pulse flips a bit
    found = analysis.automaton(weak, TASK, n_samples=5, hold_steps=200)
    outputs = found.machine.outputs
    changes = found.machine.transitions != np.arange(4)[:, None]
    assert not found.correct[changes].any()
    written = np.sign(found.attractors.points.outputs[found.attractor])
    assert np.array_equal(written, outputs)  # any pulse moves the bit off 0
    assert found.correct[~changes].all()
    assert len(found.failing) >= changes.sum()
    assert (found.margins[changes] < 0).all()


def test_states_that_the_task_does_not_have_are_said():
    found = analysis.automaton(
        planted_bits(1), tasks.FlipFlop(bits=1, neutral_start=False), n_samples=0
    )
    assert found.others == ()
    # three bits, of which the task reads two: each of its states is met twice
    net = planted_bits(3)
    two = models.RateRNN.from_weights(
        net.recurrent_weights, net.input_weights[:, :2], net.output_weights[:2]
    )
    found = analysis.automaton(two, TASK, n_samples=0, hold_steps=200)
    assert len(found.attractors.points.stable) == 8
    assert len(found.others) == 8 - len({a for a in found.attractor.tolist() if a >= 0})
    assert len(found.others) >= 4
    assert f"{len(found.others)} attractors are none that" in found.statement


def test_neutral_states_are_states():
    task = tasks.FlipFlop(bits=1, noise=0.0)
    found = analysis.automaton(planted_bits(1), task, n_samples=0, hold_steps=300)
    assert found.machine.states == ("-", "0", "+")
    assert found.correct.all()  # without noise the bit stays at 0 exactly
    assert found.proofs[1] is None  # but that point is unstable: nothing is proved of it
    noisy = analysis.automaton(
        planted_bits(1), task.replace(noise=0.1), n_samples=10, hold_steps=300
    )
    silent = noisy.machine.silent
    assert noisy.correct.all()
    assert noisy.samples[1, silent] == 0 or noisy.failures[1, silent] > 0
    assert noisy.holds_noise[1] < 300


def test_samples_are_the_same_for_the_same_seed():
    one, two = (
        analysis.automaton(
            planted_bits(1), TASK.replace(bits=1), n_samples=8, seed=3, hold_steps=200
        )
        for _ in range(2)
    )
    assert np.array_equal(one.worst_margins, two.worst_margins)


def test_nothing_leaves_a_proved_region_and_inputs_within_the_bound_do_not_help():
    net = planted_bits(1, size=4)
    points = analysis.fixed_points(net, n_starts=32)
    step = points.step
    rng = np.random.default_rng(1)
    state = points.states[points.stable[0]]
    region = invariant_ellipsoid(step, state, certify(step, state).radius)
    factor = np.linalg.cholesky(region.form)
    way = rng.normal(size=(2000, 4))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    border = state + region.size * np.linalg.solve(factor.T, way.T).T
    sizes = np.einsum("si,ij,sj->s", border - state, region.form, border - state)
    assert np.allclose(sizes, region.size**2)
    after = step(border) - state
    assert (np.einsum("si,ij,sj->s", after, region.form, after) <= region.size**2).all()
    assert np.abs(step.outputs(border) - step.outputs(state)).max() <= region.margin.max()
    half = state + 0.5 * (border - state)
    for sign in (-1, 1):
        pushed = step.driven(half, np.full((2000, 1), sign * region.input_bound)) - state
        inside = np.einsum("si,ij,sj->s", pushed, region.form, pushed)
        assert (inside <= (0.5 * region.size) ** 2).all()
    inner = state + 0.999 * region.radius * way
    assert all(region.holds(h) for h in inner[:50] * 0.98 + state * 0.02)


def test_no_region_is_proved_around_a_saddle_or_for_an_unknown_activation():
    net = planted_bits(1, size=4)
    points = analysis.fixed_points(net, n_starts=32)
    saddle = points.states[-1]
    assert invariant_ellipsoid(points.step, saddle, certify(points.step, saddle).radius) is None
    other = models.RateRNN.from_weights(0.5 * np.eye(2), np.eye(2), np.eye(2), activation="gelu")
    found = analysis.fixed_points(other, n_starts=16)
    proof = certify(found.step, found.states[0])
    assert invariant_ellipsoid(found.step, found.states[0], proof.radius) is None


@pytest.mark.parametrize(
    ("network", "task", "options", "match"),
    [
        (planted_bits(2), TASK, {"n_samples": -1}, "n_samples = -1"),
        (planted_bits(2), TASK, {"hold_steps": 0}, "hold_steps = 0"),
        (planted_bits(3), TASK, {}, "network has 3 inputs and 3 outputs; the task has 2 and 2"),
        ("net", TASK, {}, "network = .net. is not allowed"),
    ],
)
def test_bad_input(network, task, options, match):
    with pytest.raises(InvalidSetting, match=match):
        analysis.automaton(network, task, **options)


def test_a_task_without_a_machine_is_refused():
    class Echo(tasks.Task):
        pass

    with pytest.raises(InvalidSetting, match="defines no machine"):
        analysis.automaton(planted_bits(1), Echo())
