"""Weight and node perturbation: the mean of many estimates is the gradient."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few
from rules.plain_training import INPUTS, OUTPUTS, batch

import attractory as at
from attractory.models import GRU, Constraints, CurrentRNN, RateRNN
from attractory.rules import NodePerturbation, WeightPerturbation, find_loss
from attractory.rules._estimate import Keys

GROUPS, OF_EACH = 20, 400
SMALL = {"units": 3, "tau": 2.0, "dt": 1.0, "bias": True}
NOISE = {"recurrent_noise": 0.2, "output_noise": 0.1}
SOFT = {"size": 1e-5, "perturbations": OF_EACH}  # in float64, where such differences are exact


def weights_of(model):
    rng = np.random.default_rng(0)
    shapes = model.weight_shapes(INPUTS, OUTPUTS)
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


def estimates(rule, model, weights, trials, noise):
    """One estimate for each of several keys, each the mean over many perturbations."""
    keys = jax.random.split(jax.random.key(1), GROUPS)
    return [estimate(rule, model, weights, trials, Keys(noise, key, key)) for key in keys]


@partial(jax.jit, static_argnums=(0, 1))
def in_jax(rule, model, weights, trials, keys):
    return rule._of_trials(model, weights, {}, trials, keys)[1]


def estimate(*given):
    return in_numpy(in_jax(*given))


def in_numpy(arrays):
    return {name: np.asarray(array) for name, array in arrays.items()}


def gradient(model, weights, trials, key):
    def loss(chosen):
        outputs = model.run(chosen, trials.inputs, key)[1]
        return find_loss("squared_error")(outputs, trials.targets, trials.mask)

    return in_numpy(jax.jit(jax.grad(loss))(weights))


@pytest.mark.parametrize(
    ("rule", "model"),
    few(
        [
            (WeightPerturbation(**SOFT), RateRNN(**SMALL, **NOISE)),
            (WeightPerturbation(**SOFT), GRU(units=2)),
            (NodePerturbation(**SOFT), RateRNN(**SMALL, **NOISE)),
            (NodePerturbation(**SOFT), RateRNN(**SMALL, feedback=True)),
            (NodePerturbation(**SOFT, readout="perturbed"), CurrentRNN(**SMALL, **NOISE)),
        ],
        quick=(1, 4),
    ),
)
def test_the_mean_of_many_estimates_is_the_gradient(rule, model):
    """For one noise of the network, the same in all runs: other noise would drown it."""
    noise = jax.random.key(5)
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(array) for name, array in weights_of(model).items()}
        trials = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), batch())
        made = estimates(rule, model, weights, trials, noise)
        expected = gradient(model, weights, trials, noise)
        trained = {name: g for name, g in expected.items() if model.may_train(name)}
        if model.has_feedback:  # the delta rule does not know that outputs come back
            trained = {name: g for name, g in trained.items() if not name.startswith("output")}
        length = np.sqrt(sum(np.sum(np.square(array)) for array in trained.values()))
    for name, array in trained.items():
        means = np.stack([each[name] for each in made])
        standard = means.std(0, ddof=1) / GROUPS**0.5
        # Student's t with 19 degrees of freedom is beyond 6 once in 100 000 times
        assert (np.abs(means.mean(0) - array) <= 6 * standard + 1e-5 * length).all(), name
        assert np.sqrt(np.sum(standard**2)) < 0.1 * length, name


def test_a_delta_readout_learns_by_its_own_gradient():
    model = RateRNN(**SMALL)
    weights = {n: jnp.asarray(w, jnp.float32) for n, w in weights_of(model).items()}
    keys = Keys(*jax.random.split(jax.random.key(2), 3))
    made = estimate(NodePerturbation(), model, weights, batch(), keys)
    expected = gradient(model, weights, batch(), None)
    for name in ("output_weights", "output_bias"):
        np.testing.assert_allclose(made[name], expected[name], rtol=1e-4, atol=1e-4)


def test_connections_that_must_be_zero_are_not_tried():
    limits = Constraints(excitatory=0.5, density=0.6, self_connections=False)
    model = RateRNN(units=8, constraints=limits)
    weights = model.init(jax.random.key(0), INPUTS, OUTPUTS)
    trained = {name: w for name, w in weights.items() if model.may_train(name)}
    tried = WeightPerturbation()._direction(model, weights, trained, jax.random.key(0))
    there = np.asarray(weights["recurrent_mask"]) > 0
    np.testing.assert_array_equal(tried["recurrent_weights"] != 0, there)
    assert np.asarray(tried["input_weights"] != 0).all()


def test_node_perturbation_refuses_what_has_no_sums_of_its_own():
    with pytest.raises(at.InvalidSetting, match="NodePerturbation cannot train a GRU"):
        at.train(at.tasks.FlipFlop(bits=1), GRU(units=4), NodePerturbation(steps=1), progress=False)
    start = RateRNN(units=4, trained_start=True)
    with pytest.raises(at.InvalidSetting, match="cannot train the weights initial_state"):
        NodePerturbation().adapt(start)
