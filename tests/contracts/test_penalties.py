"""Every registered penalty, and users' own: by hand, on every cell, and in a training."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

import attractory as at
from attractory import rules
from attractory.models import GRU, LSTM, CurrentRNN, LowRankRNN, RateRNN, Stacked
from attractory.rules._objective import Objective, own_steps
from attractory.rules._penalty import SIZES, terms_of
from attractory.tasks import Batch
from attractory.training import Population

TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 15), pulse=4, delay=4)
INPUTS, OUTPUTS, TRIALS, STEPS, UNITS = 2, 3, 3, 6, 4

CELLS = {
    "RateRNN": RateRNN(units=UNITS, bias=True, tau=2.0, trained_start=True),
    "LowRankRNN": LowRankRNN(units=UNITS, tau=3.0),
    "CurrentRNN": CurrentRNN(units=UNITS, tau=2.0),
    "CurrentRNN, bias inside": CurrentRNN(units=UNITS, bias_inside=True, read="currents"),
    "GRU": GRU(units=UNITS, tau=2.0),
    "GRU, reset before": GRU(units=UNITS, reset_after=False),
    "LSTM": LSTM(units=UNITS),
    "Stacked": Stacked(layers=(GRU(units=3), CurrentRNN(units=UNITS))),
}
# active where it is 0 as a rule
SETTINGS = {"recurrent_radius": {"most": 0.01}, "mean_rates": {"target": 0.3}}


def outputs_change(outputs, own):
    return jnp.mean(jnp.square(outputs[1:] - outputs[:-1]))


def states_l4(states, own):
    return jnp.average(jnp.mean(states**4, axis=1), weights=own)


def channels_orthogonal(weights, strength=1.0):
    return strength * jnp.sum((weights["output_weights"] @ weights["input_weights"][:UNITS]) ** 2)


@pytest.fixture(autouse=True)
def own_penalties(registries):
    """A user's own, registered for a test."""
    rules.penalty(needs="outputs")(outputs_change)
    rules.penalty(needs="states")(states_l4)
    rules.penalty(needs="weights")(channels_orthogonal)


def batch():
    """One output of three named at a time; the last trial is over after four steps."""
    rng = np.random.default_rng(0)
    targets = np.eye(OUTPUTS)[rng.integers(0, OUTPUTS, (TRIALS, STEPS))]
    mask = np.ones(targets.shape)
    mask[:, 1], mask[-1, 4:] = 0.5, 0.0
    return Batch(rng.normal(size=(TRIALS, STEPS, INPUTS)), targets, mask)


def weights_of(model):
    """In float64, none of them 0."""
    rng = np.random.default_rng(1)
    shapes = model.weight_shapes(INPUTS, OUTPUTS)
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


def names_for(model):
    """The penalties whose gradient is that of their value, of those that the model can have."""
    square = not isinstance(model, (GRU, LSTM, Stacked))
    needs = {name: rules.find_penalty(name).needs for name in rules.penalty_names()}
    for name, need in needs.items():
        has_it = square or need != "recurrent_weights"
        names_weights = not isinstance(model, Stacked) or name != "channels_orthogonal"
        if has_it and names_weights and need != "gradient_growth":
            yield name


def described(names):
    return {name: {"weight": 1.0, **SETTINGS.get(name, {})} for name in names}


@pytest.mark.parametrize("model", few(CELLS, ("RateRNN", "GRU")))
def test_gradients_of_losses_and_penalties_are_finite_differences(model):
    terms = terms_of(described(names_for(model)))

    def values(weights, trials):
        """Of every loss and every penalty."""
        key = jax.random.key(0)
        objectives = [Objective(rules.find_loss(n), (), "float32") for n in rules.loss_names()]
        losses = [each.of_trials(model, weights, trials, key)[0] for each in objectives]
        penalised = Objective(rules.squared_error, terms, "float32")
        found = penalised.of_trials(model, weights, trials, key)[1]
        found |= penalised.of_weights(model, weights)[1]
        alone = [term for term in terms if term.penalty.needs in SIZES]  # some cells are faster so
        only = Objective(rules.squared_error, tuple(alone), "float32")
        sizes = only.of_trials(model, weights, trials, key)[1]
        of_alone = (sizes[term.label] for term in alone)
        return jnp.stack([*losses, *(found[term.label] for term in terms), *of_alone])

    with jax.enable_x64(True):
        weights = weights_of(model)
        rng = np.random.default_rng(2)
        along = {name: rng.normal(size=array.shape) for name, array in weights.items()}
        run = jax.jit(values)
        step = 1e-5
        ends = [
            np.asarray(run({n: w + sign * step * along[n] for n, w in weights.items()}, batch()))
            for sign in (1, -1)
        ]
        slopes = jax.jit(jax.jacrev(values))(weights, batch())
        found = sum(
            np.tensordot(np.asarray(slopes[name]), along[name], axes=along[name].ndim)
            for name in weights
        )
    expected = (ends[0] - ends[1]) / (2 * step)
    assert np.count_nonzero(expected) == len(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def values_of(model, weights, trials):
    terms = terms_of(described(names_for(model)))
    with jax.enable_x64(True):
        made = Objective(rules.squared_error, terms, "float32")
        found = made.of_trials(model, weights, trials, jax.random.key(0))[1]
        return {n: float(v) for n, v in {**found, **made.of_weights(model, weights)[1]}.items()}


def test_values_are_those_of_numpy():
    """A trial counts by the sum of its mask; steps after its last counted one are not its own."""
    model, trials = CELLS["CurrentRNN, bias inside"], batch()
    weights = weights_of(model)
    found = values_of(model, weights, trials)
    x, own = np.zeros((TRIALS, UNITS)), [STEPS, STEPS, 4]
    rates = np.empty((TRIALS, STEPS, UNITS))
    for t in range(STEPS):
        sent = np.tanh(x + weights["bias"])
        x = sent @ weights["recurrent_weights"].T + trials.inputs[:, t] @ weights["input_weights"].T
        rates[:, t] = np.tanh(x + weights["bias"])
    counts = trials.mask.sum((1, 2))

    def over_trials(function):
        each = [function(rates[i, : own[i]]) for i in range(TRIALS)]
        return np.average(each, weights=counts) * counts.sum()

    def unequal(rates):
        shares = np.abs(rates).mean(0) / np.abs(rates).mean(0).sum()
        return 1 + np.sum(shares * np.log(shares)) / np.log(UNITS)

    matrix = weights["recurrent_weights"]
    bound = np.linalg.norm(np.linalg.matrix_power(matrix, 16)) ** (1 / 16)
    assert bound >= np.abs(np.linalg.eigvals(matrix)).max()
    lengths = np.abs(matrix).sum() / np.linalg.norm(matrix)
    matrices = [weights[n] for n in ("recurrent_weights", "input_weights", "output_weights")]
    expected = {
        "rates_l1": over_trials(lambda r: np.abs(r).mean()),
        "rates_l2": over_trials(lambda r: (r**2).mean()),
        "rates_change": over_trials(lambda r: (np.diff(r, axis=0) ** 2).mean()),
        "mean_rates": over_trials(lambda r: ((r.mean(0) - 0.3) ** 2).mean()),
        "mean_rates_entropy": over_trials(unequal),
        "weights_l1": sum(np.abs(w).mean() for w in matrices),
        "weights_l2": sum((w**2).mean() for w in matrices),
        "sparse_connections": (lengths - 1) / (UNITS - 1),
        "recurrent_radius": (bound - 0.01) ** 2,
    }
    own_ones = {"outputs_change", "states_l4", "channels_orthogonal", "vanishing_gradient"}
    assert set(expected) | own_ones == set(rules.penalty_names())
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


def test_the_steps_of_a_trial_end_with_the_last_that_counts():
    mask = np.zeros((3, 5, 2), np.float32)
    mask[0, 2, 1], mask[1, [0, 4], 0] = 0.5, 1
    # a trial that counts nothing weighs nothing: its steps must only be there
    np.testing.assert_array_equal(own_steps(mask).T, [[1, 1, 1, 0, 0], [1] * 5, [1] * 5])


def growth_by_hand(weights, frozen):
    """‖λ J‖ / ‖λ‖ of a leaky tanh network, from states and gradients λ that are given."""
    inputs, before, gradients = frozen
    drive = before @ weights["recurrent_weights"].T + inputs @ weights["input_weights"].T
    slopes = 1 - np.tanh(drive + weights["bias"]) ** 2
    pulled = 0.5 * gradients + (0.5 * gradients * slopes) @ weights["recurrent_weights"]
    return np.linalg.norm(pulled, axis=-1) / np.linalg.norm(gradients, axis=-1)


def test_vanishing_gradient_is_pascanus_omega():
    """Its value, and its gradient with states and back-propagated gradients held (equation 10)."""
    model, trials = CELLS["RateRNN"], batch()
    weights, steps, counts = weights_of(model), (STEPS, STEPS, 4), trials.mask.sum((1, 2))
    terms = terms_of({"vanishing_gradient": 1.0})
    objective = Objective(rules.squared_error, terms, "float32")
    with jax.enable_x64(True):
        value, slopes = jax.value_and_grad(
            lambda w: objective.of_trials(model, w, trials, jax.random.key(0))[1][
                "vanishing_gradient"
            ]
        )(weights)
    frozen = []
    for x, y, m in zip(*trials, strict=True):
        states = [weights["initial_state"]]
        for now in x:
            drive = weights["recurrent_weights"] @ states[-1] + weights["input_weights"] @ now
            states.append(0.5 * states[-1] + 0.5 * np.tanh(drive + weights["bias"]))
        states = np.array(states)
        outputs = states[1:] @ weights["output_weights"].T + weights["output_bias"]
        read = (2 * m * (outputs - y)) @ weights["output_weights"]
        gradients, later = np.zeros_like(read), 0.0
        for t in reversed(range(STEPS)):
            gradients[t] = read[t] + later
            drive = weights["recurrent_weights"] @ states[t] + weights["input_weights"] @ x[t]
            slope = 1 - np.tanh(drive + weights["bias"]) ** 2
            later = 0.5 * gradients[t] + (0.5 * gradients[t] * slope) @ weights["recurrent_weights"]
        frozen.append((x, states[:-1], gradients))

    def omega(weights):
        each = [
            np.mean((growth_by_hand(weights, [a[:n] for a in one]) - 1) ** 2)
            for one, n in zip(frozen, steps, strict=True)
        ]
        return np.sum(counts * each)

    assert float(value) == pytest.approx(omega(weights), rel=1e-9)
    for name in ("recurrent_weights", "input_weights", "bias"):
        for index in [(0,), (UNITS - 1,)]:
            nudge = np.zeros_like(weights[name])
            nudge[index if nudge.ndim == 1 else (*index, 1)] = 1e-5
            ends = [omega({**weights, name: weights[name] + s * nudge}) for s in (1, -1)]
            expected = (ends[0] - ends[1]) / 2e-5
            found = float(np.sum(np.asarray(slopes[name]) * nudge) / 1e-5)
            assert found == pytest.approx(expected, rel=1e-6)
    for name in ("output_weights", "initial_state"):
        assert not np.any(slopes[name])


def small(**settings):
    plain = {"optimizer": "sgd", "schedule": "constant", "warmup": 0, "clip": None}
    return rules.BPTT(**{"steps": 4, "batch": 4, "check_every": 4, **plain, **settings})


def one_update(model, rule):
    population = Population(TASK, model, rule, 1, 0)
    state = population.initial_state()
    after, info = population.update(state, np.ones(1, bool), 0)
    return {n: np.asarray(w[0] - state.weights[n][0]) for n, w in after.weights.items()}, info


def test_an_update_is_that_of_the_loss_and_that_of_the_penalties():
    """With weight 0 they are measured, and train nothing."""
    model = RateRNN(units=5)

    def with_weight(weight):
        return one_update(model, small(penalties={"rates_l2": weight, "weights_l2": weight}))

    (plain, loss), none = one_update(model, small()), with_weight(0.0)
    once, twice = with_weight(3.0), with_weight(6.0)
    for name in ("rates_l2", "weights_l2"):
        assert 0 < none[1][name] == pytest.approx(once[1][name], rel=1e-6)
    assert once[1]["loss"] == pytest.approx(loss["loss"], rel=1e-6)  # what it was
    for array, change in plain.items():
        np.testing.assert_allclose(none[0][array], change, rtol=1e-5, atol=3e-8)
        added, doubled = once[0][array] - change, twice[0][array] - change
        np.testing.assert_allclose(doubled, 2 * added, rtol=1e-3, atol=2e-7)
    state = Population(TASK, model, small(), 1, 0).initial_state()
    readout = np.asarray(state.weights["output_weights"][0])  # rates do not depend on it
    expected = -3e-3 * 3.0 * 2 * readout / readout.size
    added = once[0]["output_weights"] - plain["output_weights"]
    np.testing.assert_allclose(added, expected, rtol=1e-3, atol=1e-7)
    added = once[0]["input_weights"] - plain["input_weights"]
    by_weights = -3e-3 * 3.0 * 2 * np.asarray(state.weights["input_weights"][0]) / 5
    assert np.abs(added - by_weights).max() > 1e-5


@pytest.mark.parametrize("settings", [{}, {"window": 7, "precision": "bfloat16"}], ids=str)
def test_the_sizes_of_rates_need_no_states_and_give_the_same_update(monkeypatch, settings):
    model = RateRNN(units=20, tau=2.0, bias=True, recurrent_noise=0.1, trained_start=True)
    asked = {"rates_l1": 2.0, "rates_l2": 3.0, "outputs_change": 1.0}
    expected, of_rates = one_update(
        model, small(penalties={**asked, "mean_rates": 0.0}, **settings)
    )
    monkeypatch.setattr(RateRNN, "run", lambda *_, **__: pytest.fail("it made the states"))
    found, info = one_update(model, small(penalties=asked, **settings))
    rounding = 1e-2 if "precision" in settings else 1e-4  # of the gradient's factors, in 8 bits
    for name, change in expected.items():
        np.testing.assert_allclose(
            found[name], change, rtol=rounding, atol=rounding * np.abs(change).max()
        )
    for name in ("loss", *asked):
        assert info[name] == pytest.approx(of_rates[name], rel=1e-6)


@pytest.mark.slow
def test_l2_of_rates_lowers_the_rates_and_comes_back(tmp_path):
    model, settings = RateRNN(units=8), {"steps": 150, "batch": 8, "learning_rate": 3e-3}

    def trained(weight, path=None):
        rule = rules.BPTT(**settings, optimizer="adam", penalties={"rates_l2": weight})
        return at.train(TASK, model, rule, path=path, progress=False)

    free, held = trained(0.0), trained(3.0, tmp_path / "run")
    trials = TASK.sample(32, seed=5)
    sizes = [np.square(r.networks[0].simulate(trials.inputs).states).mean() for r in (free, held)]
    assert sizes[1] < 0.6 * sizes[0]
    assert held.history["rates_l2"].iloc[-1] < 0.6 * free.history["rates_l2"].iloc[-1]
    back = at.load(tmp_path / "run")
    assert back.rule == held.rule
    assert "rates_l2" in back.history


def test_penalties_are_known_to_the_commands():
    from attractory.cli._config import read_config

    told = ["rule.penalties.rates_l2=1e-3", "rule.penalties.out.penalty=weights_l1"]
    told += ["rule.penalties.out.weight=0.1", "rule.penalties.out.of=output_weights"]
    asked = read_config(None, {"task": "flipflop"}, told).rule
    wanted = {"penalty": "weights_l1", "weight": 0.1, "of": "output_weights"}
    assert asked.penalties == {"rates_l2": 1e-3, "out": wanted}
    _, info = one_update(RateRNN(units=5), asked)
    assert {"rates_l2", "out"} < set(info)


def test_a_function_registered_anew_makes_another_rule(registries):
    rule = small(penalties={"states_l4": 1.0})
    before = hash(rule)
    rules.penalty(needs="states")(type(states_l4)(states_l4.__code__, globals(), "states_l4"))
    assert hash(rule) != before


def test_rules_of_before_there_were_penalties_are_the_same_rules():
    assert not {"penalties", "dropout", "weight_decay"} & set(small().to_json())
    assert rules.BPTT(**small().to_json()) == small()


@pytest.mark.parametrize(
    ("penalties", "complaint"),
    [
        ({"rates_12": 1.0}, "did you mean 'rates_l2'"),
        ({"rates_l2": -1.0}, r"rates_l2.weight = -1.0 is not allowed: a number, 0 or more"),
        ({"rates_l2": "much"}, "rates_l2.weight = 'much' is not allowed"),
        ({"rates_l2": True}, "rates_l2.weight = True is not allowed"),
        ({"rates_l2": {"wieght": 1.0}}, "rates_l2.weight = None is not allowed"),
        ({"mean_rates": {"weight": 1.0, "traget": 0.1}}, "did you mean 'target'"),
        ({"mean_rates": {"weight": 1.0, "target": "low"}}, "mean_rates.target = 'low'"),
        ({"rates_l2": {"weight": 1.0, "of": "bias"}}, "rates_l2.of is not allowed"),
        ({"weights_l2": {"weight": 1.0, "of": []}}, r"weights_l2.of = \[\] is not allowed"),
        ({"loss": {"penalty": "rates_l2", "weight": 1.0}}, "'loss' is what an update reports"),
        ({"a b": {"penalty": "rates_l2", "weight": 1.0}}, "'a b' is no name"),
        ("rates_l2", "penalties = 'rates_l2' is not allowed: .*dictionary"),
    ],
)
def test_a_wrong_penalty_is_one_line(penalties, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint) as caught:
        small(penalties=penalties)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "penalty", "complaint"),
    [
        (GRU(units=4), {"recurrent_radius": 1.0}, "needs one square matrix .* GRU has not"),
        (
            RateRNN(units=4, trainable=("output_weights",)),
            {"weights_l2": {"weight": 1.0, "of": "recurrent_weights"}},
            "of = 'recurrent_weights' is not trained in RateRNN; allowed: output_weights",
        ),
        (
            RateRNN(units=4, trainable=("output_bias",)),
            {"weights_l2": 1.0},
            "no matrix of weights is trained",
        ),
        (
            RateRNN(units=4),
            {"radius": {"penalty": "whole_states", "weight": 1.0}},
            r"'radius' returned shape \(4,\); one number is needed",
        ),
    ],
)
def test_what_the_model_has_not_is_told_before_training(model, penalty, complaint):
    @rules.penalty(needs="states")
    def whole_states(states, own):
        return states[0]

    with pytest.raises(at.InvalidSetting, match=complaint):
        at.train(TASK, model, small(penalties=penalty), progress=False)


def test_what_is_no_penalty_is_refused():
    with pytest.raises(at.InvalidSetting, match="needs = 'rate' is unknown.*did you mean 'rates'"):
        rules.penalty(needs="rate")
    with pytest.raises(at.InvalidSetting, match="further arguments are settings"):

        @rules.penalty(needs="rates")
        def of_too_much(rates, own, more):
            return 0.0
