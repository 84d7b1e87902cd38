"""How long states are said to hold, against exact arithmetic: held, lost and proved."""

from __future__ import annotations

import flint
import numpy as np
import pytest
from analysis.exact import ExactNetwork, meanings

from attractory import analysis, models, tasks
from attractory.analysis.dynamics._blocks import blocks_of
from attractory.analysis.dynamics._holds import watched
from attractory.analysis.dynamics._step import step_of
from attractory.analysis.dynamics._trajectory_enclosure import entry

THREE = tasks.FlipFlop(bits=1)
TWO = tasks.FlipFlop(bits=1, neutral_start=False)


def said_of(network, task, hold_steps, points=None):
    points = points or analysis.fixed_points(network, n_starts=32, max_starts=64)
    return analysis.automaton(network, task, 0, points=points, hold_steps=hold_steps)


def checked(network, task, hold_steps, beyond=0):
    """The automaton, once what it says of each state is true of the exact states: up to the end of
    the watch, and `beyond` that where a state is proved to hold for ever."""
    found = said_of(network, task, hold_steps)
    exact = ExactNetwork(network)
    # each step may widen the balls by the largest row sum of |W|, and by their own rounding
    growth = 1 + np.log2(max(2.0, np.abs(network.recurrent_weights).sum(axis=1).max()))
    with flint.ctx.workprec(round(128 + growth * (hold_steps + beyond))):
        for q, center in enumerate(found.centers):
            proved = found.proofs[q] is not None
            assert np.isinf(found.holds[q]) == proved
            steps = hold_steps + (beyond if proved else 0)
            wrong = np.flatnonzero(meanings(exact, found.machine, center, steps) != q)
            if len(wrong):
                assert found.lost[q], f"state {q} is lost after {wrong[0]} steps"
                assert found.holds[q] == wrong[0]
            else:
                assert not found.lost[q]
                assert proved or found.holds[q] == hold_steps
    return found


def test_a_memory_that_creeps_is_lost_at_the_very_step():
    network = models.RateRNN.from_weights([[1 - 5e-5]], [[5e-4]], [[100.0]])
    found = said_of(network, THREE, 12_000)
    assert found.holds.tolist() == [10109, np.inf, 10109]
    assert found.lost.tolist() == [True, False, True]
    assert (found.holds_noise[[0, 2]] < 12_000).all()
    assert "0 held for 12000 steps of silence" in found.statement


def test_a_linear_decay_is_lost_when_algebra_says():
    # the read-out z of a memory becomes 0.999ⁿ z, and means 0 from 1/2 on
    network = models.RateRNN.from_weights([[0.999]], [[0.05]], [[1 / 0.9]], activation="linear")
    one = said_of(network, THREE, 10)
    exact = flint.fmpq(*float(network.recurrent_weights[0, 0]).as_integer_ratio())
    read = float(one.machine.outputs[2, 0] / 2 / abs(network.output_weights[0, 0]))
    with flint.ctx.workprec(200):
        ratio = flint.arb(read) / flint.arb(float(abs(one.centers[2, 0])))
        steps = int(float((ratio.log() / flint.arb(exact).log()).ceil().mid()))
    for limit, lost in [(steps - 1, False), (steps, True), (steps + 1, True)]:
        found = said_of(network, THREE, limit, one.attractors)
        assert found.lost[2] == lost
        assert found.holds[2] == min(steps, limit)
        assert f"{0 if lost else 2} held for {limit} steps" in found.statement


def test_a_centre_that_means_the_opposite_is_no_proved_memory():
    network = models.RateRNN.from_weights(np.diag([2.0, 0.9995]), [[1.0], [0.001]], [[1.0, -150.0]])
    found = said_of(network, TWO, 2000)
    assert found.holds.tolist() == [0, 0]
    assert found.lost.all()
    assert found.proofs == (None, None)
    assert "0 held for 2000 steps" in found.statement
    assert "0 proved to hold for ever" in found.statement


def bump(height, slow=0.99, fast=0.97):
    """A memory whose read-out is ±a0 at the end, but on the way there `height` times the difference
    of two decays lower, which is 0 at the pulse's end and greatest some steps later."""
    return models.RateRNN.from_weights(
        np.diag([2.0, slow, fast]), [[1.0], [1e-4], [1e-4]], [[1.0, -height, height]]
    )


def test_a_meaning_lost_for_a_few_steps_on_the_way_is_lost():
    centers = said_of(bump(1.0), TWO, 10).centers
    path, state = [], centers[1]
    for _ in range(400):
        path.append(state[1] - state[2])
        state = np.tanh(bump(1.0).recurrent_weights @ state)
    top = max(path)
    a0 = 0.9575040240772687
    kept = checked(bump(0.99 * a0 / top), TWO, 300, beyond=300)
    assert np.isinf(kept.holds).all()
    lost = checked(bump(1.01 * a0 / top), TWO, 300)
    assert lost.lost.all()
    assert all(proof is None for proof in lost.proofs)


def test_a_state_within_rounding_of_a_border_is_not_proved():
    # from 1e-300 the true way leaves the saddle for good; how is beyond what rounding can bound
    network = models.RateRNN.from_weights([[2.0]], [[1.0]], [[1.0]])
    points = analysis.fixed_points(network, n_starts=32)
    region = next(points.regions[i] for i in points.stable.tolist() if points.outputs[i] > 0)

    def anything(outputs, errors):
        return True

    assert entry(points.step, region, np.array([1e-3]), anything, 100) is not None
    assert entry(points.step, region, np.array([1e-300]), anything, 5000) is None
    assert entry(points.step, region, np.array([-0.5]), anything, 5000) is None


def family(seed):
    """A network of one bit, its task: slow, nearly marginal, kinked, turning, sheared ones."""
    rng = np.random.default_rng(seed)
    gap = 10.0 ** rng.uniform(-5, -1.5)
    kind = seed % 8
    leak = float(rng.choice([1.0, 0.5, 0.2]))
    task = TWO if rng.random() < 0.5 else THREE
    options = {"tau": 1.0 / leak, "dt": 1.0}
    if kind == 0:
        slow, size = 1 - gap, 10 ** rng.uniform(1, 2.5)
        weights = np.diag([2.0, slow]), [[1.0], [0.001]], [[1.0, -size]]
    elif kind == 1:
        drive = 10 ** rng.uniform(-4, -2)
        weights = [[1 - gap]], [[drive]], [[1 / (20 * drive * leak)]]
    elif kind == 2:
        read = rng.uniform(0.6, 1.5) / np.sqrt(3 * gap)
        weights = [[1 + gap]], [[1.0]], [[read]]
    elif kind == 3:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        recurrent = turn @ np.diag([1.5, 1 - gap, 0.9]) @ turn.T
        weights = recurrent, turn[:, :1], turn[:, :1].T + rng.normal(size=(1, 3))
    elif kind == 4:
        options["activation"] = str(rng.choice(["hard_tanh", "relu"]))
        mixed = np.array([[1 + rng.choice([-1, 1]) * gap, 0.0], [0.1, 0.9]])
        weights = mixed, [[0.1], [0.05]], [[1.0, rng.normal()]]
    elif kind == 5:
        task = THREE  # with two levels a decay to 0 keeps its sign until it underflows
        units = int(rng.integers(3, 6))
        recurrent = rng.normal(size=(units, units)) * rng.uniform(0.8, 1.8) / np.sqrt(units)
        weights = recurrent, rng.normal(size=(units, 1)), 2 * rng.normal(size=(1, units))
    elif kind == 6:
        angle, radius = rng.uniform(0.01, 0.5), 1 - gap
        turning = radius * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        recurrent = np.zeros((3, 3))
        recurrent[:2, :2], recurrent[2, 2] = turning, 1.6
        weights = recurrent, [[0.05], [0.0], [1.0]], [[rng.uniform(0.1, 5), 0.0, 1.0]]
    else:
        shear = np.eye(3) + np.triu(4 * rng.normal(size=(3, 3)), 1)
        recurrent = shear @ np.diag([1.4, 1 - gap, 0.7]) @ np.linalg.inv(shear)
        weights = recurrent, rng.normal(size=(3, 1)), rng.normal(size=(1, 3))
        options["bias"] = 0.05 * rng.normal(size=3)
    return models.RateRNN.from_weights(*weights, **options), task


@pytest.mark.parametrize("seed", [3, 5, 6, 7, 10])
def test_what_is_said_of_states_is_true_of_the_exact_ones(seed):
    checked(*family(seed), 150, beyond=100)


@pytest.mark.slow
def test_what_is_said_of_many_networks_is_true_of_the_exact_ones():
    proved = held = lost = 0
    for seed in range(320):
        found = checked(*family(seed), 800, beyond=300)
        proved += int(np.isinf(found.holds).sum())
        held += int(((found.holds == 800) & ~found.lost).sum())
        lost += int(found.lost.sum())
    print(f"{proved} proved, {held} held, {lost} lost")
    assert min(proved, held, lost) >= 60


def test_other_models_are_watched_step_by_step_in_float64():
    network = models.GRU(units=3).build(1, 1, seed=3)
    machine, step = THREE.machine(), step_of(network, None, None)
    read = step.outputs(np.eye(3))[:, 0] - step.outputs(np.zeros((3, 3)))[:, 0]
    # each means its own state, the outer ones clearly: it takes some steps to lose that
    states = np.array([-20.0, 0.0, 20.0])[:, None] * read / (read @ read)
    expected, lost = np.full(3, 200.0), np.zeros(3, bool)
    for q in range(3):
        state = states[q : q + 1]
        for t in range(201):
            if machine.decoded(step.outputs(state))[0] != q:
                expected[q], lost[q] = t, True
                break
            state = step(state)
    assert lost.tolist() == [True, False, True]
    assert (expected[:2] > 1).all()
    found = watched(blocks_of(step, machine, network), states, 200, None)
    assert np.array_equal(found.steps, expected)
    assert np.array_equal(found.lost, lost)


def test_a_network_that_runs_away_means_nothing():
    network = models.RateRNN.from_weights([[3.0]], [[1.0]], [[1.0]], activation="linear")
    found = said_of(network, TWO, 2000)
    assert found.lost.all()
