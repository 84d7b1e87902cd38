"""What the package's own axes do to networks, beside NumPy and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from kept_sign import TASK, UNITS, Kept, memory

import attractory as at
from attractory import evaluation
from attractory.models import Constraints, RateRNN


def outputs_by_hand(recurrent, network, inputs, sent, move=None, at_step=0):
    """(trial, time, output), in float64; what a unit sends is multiplied by its factor."""
    state = np.zeros((len(inputs), UNITS))
    found = []
    for t in range(inputs.shape[1]):
        if move is not None and t == at_step:
            state = state + move
        drive = (state * sent) @ recurrent.T + inputs[:, t] @ network.input_weights.T
        state = state / 2 + np.tanh(drive) / 2
        found.append((state * sent) @ network.output_weights.T)
    return np.stack(found, axis=1)


def changed(vary, network, value, seed=0, task=TASK):
    axis = evaluation.find_axis(vary)
    return axis.function(network, task, value, np.random.default_rng(seed))


def test_a_lesion_silences_a_unit_everywhere():
    net, trials = memory(), TASK.sample(8, compiled=False)
    sent = np.ones(UNITS)
    sent[[1, 4]] = 0
    by_hand = outputs_by_hand(net.recurrent_weights, net, trials.inputs, sent)
    found = evaluation.lesioned(net, [1, 4]).respond(trials.inputs)
    np.testing.assert_allclose(found, by_hand, atol=1e-5)


def test_without_any_unit_a_guess_is_left():
    net = memory(output_bias=np.array([1.0]))
    trials = TASK.sample(32, compiled=False)
    curve = at.robustness(net, TASK, "lesioned_units", [1.0], n=32)
    assert curve.correct[0] == np.mean(trials.targets[:, -1, 0] > 0)
    assert 0 < curve.correct[0] < 1


def test_lesions_are_shares_of_units_and_grow_into_each_other():
    net = memory()

    def silent(share):
        made = changed("lesioned_units", net, share)[0]
        return set(np.flatnonzero(~np.asarray(made.weights["output_weights"]).any(axis=0)))

    few, many = silent(1 / 3), silent(2 / 3)
    assert (len(few), len(many)) == (2, 4)
    assert few < many


def test_lesions_by_sign_and_by_area_stay_among_their_units():
    constraints = Constraints(excitatory=0.5, areas=(2, 4))
    net = RateRNN(units=UNITS, constraints=constraints).build(1, 1, seed=0)
    signs, area = constraints.column_signs(UNITS), constraints.area_of(UNITS)

    def lost(vary, value):
        made = changed(vary, net, value)[0]
        return ~np.asarray(made.weights["output_weights"]).any(axis=0)

    np.testing.assert_array_equal(lost("lesioned_excitatory", 1.0), signs > 0)
    np.testing.assert_array_equal(lost("lesioned_inhibitory", 1.0), signs < 0)
    np.testing.assert_array_equal(lost("lesioned_area", 1), area == 1)
    assert lost("lesioned_excitatory", 1 / 3).sum() == 1
    with pytest.raises(at.InvalidSetting, match=r"lesioned_area = 2 is not allowed: 0 to 1"):
        lost("lesioned_area", 2)


def test_greedy_lesions_are_those_of_brute_force():
    net, trials = memory(3, spread=0.4), TASK.sample(16, 5, compiled=False)

    def harm(units):
        sent = np.ones(UNITS)
        sent[units] = 0
        outputs = outputs_by_hand(net.recurrent_weights, net, trials.inputs, sent)
        return np.sum(trials.mask * (outputs - trials.targets) ** 2)

    order = []
    for _ in range(UNITS):
        left = [unit for unit in range(UNITS) if unit not in order]
        order.append(max(left, key=lambda unit: harm([*order, unit])))
    assert order != sorted(order)
    for most in (2, UNITS):  # the second time some of them are known
        found = evaluation.lesion_order(net, TASK, most, n=16, seed=5)
        np.testing.assert_array_equal(found, order[:most])


def test_pruning_cuts_exactly_the_weakest_share():
    matrix = np.random.default_rng(1).normal(size=(UNITS, UNITS))
    matrix[0, :4] = 0  # 32 connections are there
    net = RateRNN.from_weights(matrix, np.ones((UNITS, 1)), np.ones((1, UNITS)))
    exact = net.recurrent_weights
    pruned = changed("pruned_weights", net, 0.25)[0].recurrent_weights
    weakest = np.sort(np.abs(exact[exact != 0]))[:8]
    np.testing.assert_array_equal(pruned, np.where(np.isin(np.abs(exact), weakest), 0, exact))
    silenced = changed("silenced_connections", net, 0.25)[0].recurrent_weights
    assert ((silenced == 0) & (exact != 0)).sum() == 8


def test_bits_are_levels():
    net = memory()
    for bits in (2, 4):
        made = changed("weight_bits", net, bits)[0]
        exact = net.recurrent_weights.astype(float)
        step = np.abs(exact).max() / (2 ** (bits - 1) - 1)
        np.testing.assert_allclose(made.recurrent_weights, step * np.round(exact / step), rtol=1e-6)
        assert len(np.unique(np.round(made.recurrent_weights / step))) <= 2**bits - 1
    asked = {"task": TASK, "vary": "weight_bits", "n": 16}
    whole = at.evaluate(net, TASK, 16)
    fine = at.robustness(net, values=[24, 32], **asked)
    np.testing.assert_allclose(fine.mse, whole.mse, rtol=1e-5)
    assert (fine.correct == whole.correct).all()


def test_noise_on_weights_has_the_size_that_is_said_and_keeps_constraints():
    big = RateRNN(units=80, constraints=Constraints(excitatory=0.8, density=0.5)).build(1, 1, 0)
    free = RateRNN(units=80).build(1, 1, seed=0)
    noise = changed("noise_on_weights", free, 0.3)[0].recurrent_weights - free.recurrent_weights
    assert noise.std() == pytest.approx(0.3 * free.recurrent_weights.std(), rel=0.03)
    noisy = changed("noise_on_weights", big, 0.3)[0].recurrent_weights
    signs = big.model.constraints.column_signs(80)
    assert (noisy * signs >= 0).all()
    assert (noisy[big.recurrent_weights == 0] == 0).all()
    assert (noisy != big.recurrent_weights).any()


@pytest.mark.parametrize(
    "vary", ["noise_on_weights", "silenced_connections", "pruned_weights", "lesioned_units",
             "lesioned_greedily", "pushed_states", "held_longer", "weight_bits"],
)  # fmt: skip
def test_at_the_value_of_training_nothing_is_changed(vary):
    net = memory()
    made, task = changed(vary, net, evaluation.find_axis(vary).trained)
    assert made is net
    assert task is TASK


def test_a_push_moves_the_state_once():
    net, trials = memory(), TASK.sample(70, compiled=False)  # more than respond runs at a time
    move = np.linspace(-1, 1, UNITS)
    made = evaluation.pushed(net, move, 6)
    by_hand = outputs_by_hand(
        net.recurrent_weights, net, trials.inputs, np.ones(UNITS), move, at_step=6
    )
    np.testing.assert_allclose(made.respond(trials.inputs), by_hand, atol=1e-5)
    np.testing.assert_allclose(made.simulate(trials.inputs[0]).outputs, by_hand[0], atol=1e-5)
    drawn = changed("pushed_states", net, 0.5)[0]
    assert np.sqrt(np.mean(drawn.move**2)) == pytest.approx(0.5, rel=1e-6)
    assert drawn.at == TASK.n_steps // 2
    with pytest.raises(at.InvalidSetting, match="the push is at step 99 of 16 steps"):
        evaluation.pushed(net, move, 99).respond(trials.inputs)


def test_recurrent_noise_and_held_time_are_settings():
    net = memory()
    noisy, _ = changed("recurrent_noise", net, 0.2)
    assert noisy.model == net.model.replace(recurrent_noise=0.2)
    assert changed("held_longer", net, 2)[1] == Kept(hold=24)
    with pytest.raises(at.InvalidSetting, match="GRU has no noise of its units"):
        changed("recurrent_noise", at.models.GRU(units=2).build(1, 1), 0.2)


def test_repeats_are_means_over_other_draws():
    nets = [memory(seed) for seed in range(2)]
    asked = {"task": TASK, "vary": "silenced_connections", "values": [0.5], "n": 16}
    one, two = (at.robustness(nets, repeats=repeats, **asked) for repeats in (1, 2))
    draws = [
        [changed("silenced_connections", net, 0.5, [0, i, *again])[0] for i, net in enumerate(nets)]
        for again in ([], [1])
    ]
    by_hand = [at.evaluate(each, TASK, 16).mse for each in draws]
    np.testing.assert_allclose(one.mse[:, 0], by_hand[0], rtol=1e-6)
    np.testing.assert_allclose(two.mse[:, 0], np.mean(by_hand, axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("vary", "value", "said"),
    [
        ("lesioned_units", 1.5, "lesioned_units = 1.5 is not allowed: a number from 0 to 1"),
        ("weight_bits", 1, "weight_bits = 1 is not allowed: a whole number, 2 or more"),
        ("noise_on_weights", -1, "noise_on_weights = -1 is not allowed: a number, 0 or more"),
        ("lesioned_excitatory", 0.5, "does not obey Dale's law"),
        ("lesioned_area", 0, "has no areas"),
    ],
)
def test_wrong_values_are_one_line(vary, value, said):
    with pytest.raises(at.InvalidSetting, match=said):
        at.robustness(memory(), TASK, vary, [value], n=4)
