"""Fixed points of planted networks, of small ones by brute force, and of the author's networks."""

from __future__ import annotations

import itertools
import math
import time

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from analysis.planted import held_value, matched, plain_network, planted_bits, planted_points
from scipy import optimize

import attractory as at
from attractory.analysis import Completeness, fixed_points

# --- planted networks


def check_planted(found, net, leak=1.0):
    """Everything that is known by hand of `planted_bits`."""
    outputs, states = planted_points(net)
    bits = outputs.shape[1]
    which = matched(found.states, states, 1e-11)
    np.testing.assert_allclose(found.outputs, outputs[which], atol=1e-11)
    assert found.certified.all()
    assert found.decided.all()
    assert (found.residuals <= 1e-13).all()
    assert (found.radius < 1e-10).all()
    np.testing.assert_array_equal(found.n_unstable, (outputs[which] == 0).sum(axis=1))
    for k in range(bits + 1):
        assert (found.n_unstable == k).sum() == math.comb(bits, k) * 2 ** (bits - k)
    np.testing.assert_array_equal(found.stable, np.arange(2**bits))
    assert found.degree_sum == 1
    expected = np.full(found.states.shape, 1.0 - leak)
    expected[:, :bits] += leak * 2 * (1 - outputs[which] ** 2)
    expected = -np.sort(-expected, axis=1)
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-9)
    apart = np.abs(states[:, None] - states[None]).max(axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert (found.unique_radius <= apart.min(axis=1)[which]).all()


@pytest.mark.parametrize(("bits", "size", "seed"), [(1, 40, 0), (2, 25, 1), (3, 20, 2), (4, 10, 3)])
def test_independent_bits_have_all_points_of_the_cube(bits, size, seed):
    net = planted_bits(bits, size, seed)
    found = fixed_points(net, seed=seed)
    check_planted(found, net)
    assert found.completeness.complete
    # up to rank 3 the whole state space is enclosed
    assert found.completeness.proved == (bits <= 3)
    known = "all of them: proved" if bits <= 3 else "Nothing says that one is missing"
    assert known in found.statement


@pytest.mark.slow
def test_five_independent_bits_have_243_points():
    net = planted_bits(5, 16, 4)
    check_planted(fixed_points(net), net)


def test_leaky_bits_have_the_same_points_and_slower_modes():
    net = planted_bits(2, 12, 5, tau=4.0)
    check_planted(fixed_points(net), net, leak=0.25)


def test_points_come_in_pairs_where_the_map_is_odd_and_not_otherwise():
    odd = fixed_points(plain_network([[2.0, 0.3], [0.1, 1.6]]))
    matched(odd.states, -odd.states, 1e-300)
    biased = fixed_points(plain_network([[2.0]], bias=[0.1]))
    assert len(biased) == 3
    assert np.abs(biased.states + biased.states[::-1]).max() > 1e-3


# --- brute force


def scipy_points(function, derivative, units, per_axis):
    """All zeros of h - F(h) that SciPy finds from a grid of starts in the cube."""
    kept = []
    for start in itertools.product(np.linspace(-1, 1, per_axis), repeat=units):
        found = optimize.root(
            lambda h: h - function(h), start, jac=lambda h: np.eye(units) - derivative(h), tol=1e-13
        )
        if found.success and np.abs(found.fun).max() < 1e-10:
            near = [np.abs(found.x - other).max() < 1e-7 for other in kept]
            if not any(near):
                kept.append(found.x)
    return np.array(kept)


@pytest.mark.parametrize(("units", "per_axis"), [(2, 13), (3, 7)])
@pytest.mark.parametrize("seed", range(6))
def test_small_networks_have_the_points_of_a_dense_grid_and_no_others(units, per_axis, seed):
    rng = np.random.default_rng(100 * units + seed)
    weights = rng.normal(size=(units, units)) * rng.uniform(1, 3)
    bias, inputs = rng.normal(size=units) * 0.2, rng.normal(size=1) * 0.2
    bias = bias if seed % 2 else None
    constant = inputs + (0 if bias is None else bias)  # input weights are 1
    expected = scipy_points(
        lambda h: np.tanh(weights @ h + constant),
        lambda h: (1 - np.tanh(weights @ h + constant) ** 2)[:, None] * weights,
        units,
        per_axis,
    )
    found = fixed_points(plain_network(weights, bias), inputs, n_starts=256)
    which = matched(found.states, expected, 1e-9)
    slopes = 1 - expected[which] ** 2
    counts = [(np.abs(np.linalg.eigvals(s[:, None] * weights)) > 1).sum() for s in slopes]
    np.testing.assert_array_equal(found.n_unstable, counts)
    np.testing.assert_array_equal(found.n_unstable, np.sort(found.n_unstable))
    signs = [np.sign(np.linalg.det(np.eye(units) - s[:, None] * weights)) for s in slopes]
    assert found.degree_sum == sum(signs) == 1


def test_a_constant_input_moves_the_point_as_scipy_says():
    net = plain_network([[0.8]], bias=[0.1])
    for x in (-1.0, 0.0, 0.7):
        found = fixed_points(net, [x], n_starts=32)
        assert len(found) == 1
        expected = optimize.brentq(lambda h, x=x: h - np.tanh(0.8 * h + 0.1 + x), -1, 1, xtol=1e-15)
        np.testing.assert_allclose(found.states, [[expected]], atol=1e-14)
        np.testing.assert_array_equal(found.inputs, [x])
        np.testing.assert_allclose(found.outputs, found.states)


def test_the_readout_bias_is_in_the_outputs():
    net = at.models.RateRNN.from_weights(
        [[0.5]], [[1.0]], [[2.0], [-1.0]], output_bias=[0.25, 1.0], bias=[0.3]
    )
    found = fixed_points(net, n_starts=16)
    h = optimize.brentq(lambda h: h - np.tanh(0.5 * h + 0.3), -1, 1, xtol=1e-15)
    np.testing.assert_allclose(found.outputs, [[2 * h + 0.25, 1 - h]], atol=1e-14)


@pytest.mark.parametrize("activation", ["sigmoid", "soft_sign", "hard_tanh", "softplus"])
def test_one_unit_of_another_activation_has_the_points_of_bisection(activation):
    plain = {
        "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
        "soft_sign": lambda u: u / (1 + np.abs(u)),
        "hard_tanh": lambda u: np.clip(u, -1, 1),
        "softplus": lambda u: np.log1p(np.exp(u)),
    }[activation]
    w, c = {
        "sigmoid": (10.0, -4.7),  # three points
        "soft_sign": (3.0, 0.1),  # three
        "hard_tanh": (2.0, 0.2),  # -1, -0.2, 1
        "softplus": (0.5, 0.2),  # one
    }[activation]
    grid = np.linspace(-3.0004, 5, 4001)
    values = grid - plain(w * grid + c)
    expected = [
        optimize.brentq(lambda h: h - plain(w * h + c), grid[i], grid[i + 1], xtol=1e-15)
        for i in np.flatnonzero(values[:-1] * values[1:] < 0)
    ]
    found = fixed_points(plain_network([[w]], [c], activation))
    matched(found.states, np.array(expected)[:, None], 1e-12)
    assert found.certified.all()
    assert found.decided.all()


# --- a user's step

WEIGHTS = np.array([[1.8, -0.4], [0.3, 1.4]])
BIAS = np.array([0.05, -0.1])


def test_a_step_in_jax_has_the_points_of_the_same_network():
    def step(h, x):
        return jnp.tanh(WEIGHTS @ h + BIAS)

    found = fixed_points(step, units=2, n_starts=128)
    network = fixed_points(plain_network(WEIGHTS, BIAS), n_starts=128)
    which = matched(found.states, network.states, 1e-11)
    np.testing.assert_array_equal(found.n_unstable, network.n_unstable[which])
    np.testing.assert_allclose(
        np.abs(found.eigenvalues), np.abs(network.eigenvalues[which]), atol=1e-8
    )
    assert not found.certified.any()
    assert not found.decided.any()
    assert found.outputs.shape == (len(found), 0)
    assert found.inputs is None
    assert "no proof is known for this kind of step" in found.statement


def test_a_step_gets_its_constant_input():
    def step(h, x):
        return jnp.tanh(WEIGHTS @ h + BIAS + x)

    x = np.array([0.9, -0.2])
    found = fixed_points(step, x, units=2, n_starts=64)
    expected = scipy_points(
        lambda h: np.tanh(WEIGHTS @ h + BIAS + x),
        lambda h: (1 - np.tanh(WEIGHTS @ h + BIAS + x) ** 2)[:, None] * WEIGHTS,
        2,
        9,
    )
    matched(found.states, expected, 1e-10)


def gru(units, seed, numbers):
    """A gated recurrent unit without input, in JAX's or NumPy's operations."""
    rng = np.random.default_rng(seed)
    update, reset, change = rng.normal(size=(3, units, units)) * 2 / np.sqrt(units)
    bias = rng.normal(size=(3, units)) * 0.3

    def sigmoid(u):
        return 1 / (1 + numbers.exp(-u))

    def step(h, x=None):
        z, r = sigmoid(update @ h + bias[0]), sigmoid(reset @ h + bias[1])
        return (1 - z) * h + z * numbers.tanh(change @ (r * h) + bias[2])

    return step


def finite_difference(function, state, h=1e-6):
    moves = h * np.eye(len(state))
    columns = [(function(state + move) - function(state - move)) / (2 * h) for move in moves]
    return np.array(columns).T


def sorted_moduli(jacobian):
    return -np.sort(-np.abs(np.linalg.eigvals(jacobian)))


def test_a_gated_unit_has_points_with_small_residuals():
    found = fixed_points(gru(6, 0, jnp), units=6, n_starts=128, max_starts=512)
    plain = gru(6, 0, np)
    assert len(found) >= 1
    for state, residual, eigenvalues in zip(
        found.states, found.residuals, found.eigenvalues, strict=True
    ):
        assert np.abs(plain(state) - state).max() < 1e-13
        assert residual < 1e-13
        moduli = sorted_moduli(finite_difference(plain, state))
        np.testing.assert_allclose(np.abs(eigenvalues), moduli, atol=1e-7)
    settled = plain(np.full(6, 0.1))
    for _ in range(5000):
        settled = plain(settled)
    assert np.abs(plain(settled) - settled).max() < 1e-12  # it settles, so the point is in the list
    assert np.abs(found.states - settled).max(axis=1).min() < 1e-8


def test_initial_states_say_how_many_units_a_step_has():
    def step(h, x):
        return jnp.tanh(WEIGHTS @ h + BIAS)

    starts = np.random.default_rng(0).normal(size=(20, 2))
    found = fixed_points(step, initial_states=starts, n_starts=64)
    assert found.states.shape[1] == 2
    assert np.abs(np.tanh(found.states @ WEIGHTS.T + BIAS) - found.states).max() < 1e-13


def test_a_step_without_a_fixed_point_says_so():
    found = fixed_points(lambda h, x: h + 1.0, units=3, n_starts=8, max_starts=16)
    assert len(found) == 0
    assert found.states.shape == (0, 3)
    assert found.eigenvalues.shape == (0, 3)
    assert found.statement == "None of 16 starts led to a fixed point."
    assert not found.completeness.complete
    assert len(found.table()) == 0


# --- properties


@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_are_those_of_a_finite_difference_jacobian(seed):
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(5, 5)), rng.normal(size=5) * 0.1
    leak = [1.0, 0.5, 0.2][seed]
    found = fixed_points(plain_network(weights, bias, dt=leak), n_starts=32)

    def step(h):
        return (1 - leak) * h + leak * np.tanh(weights @ h + bias)

    for state, eigenvalues in zip(found.states, found.eigenvalues, strict=True):
        moduli = sorted_moduli(finite_difference(step, state))
        np.testing.assert_allclose(np.abs(eigenvalues), moduli, atol=1e-8)
        assert (np.diff(np.abs(eigenvalues)) <= 1e-11).all()
        assert eigenvalues.sum() == pytest.approx(
            np.trace(finite_difference(step, state)), abs=1e-8
        )


def test_a_leaky_network_has_the_points_of_the_one_without_leak():
    weights = np.random.default_rng(7).normal(size=(4, 4)) * 1.2
    whole = fixed_points(plain_network(weights, np.full(4, 0.1)), n_starts=128)
    leaky = fixed_points(plain_network(weights, np.full(4, 0.1), tau=5.0), n_starts=128)
    matched(leaky.states, whole.states, 1e-11)
    assert leaky.degree_sum == whole.degree_sum == 1


def test_time_constants_by_hand():
    # tau = 10, dt = 2: DF = 0.8 + 0.2 w at the origin
    decaying = fixed_points(plain_network([[0.5]], tau=10.0, dt=2.0), n_starts=16)
    np.testing.assert_allclose(decaying.time_constants, [[-2 / np.log(0.9)]])
    growing = fixed_points(plain_network([[2.0]], tau=10.0, dt=2.0), n_starts=64)
    at_origin = np.flatnonzero(np.abs(growing.states[:, 0]) < 1e-9)[0]
    np.testing.assert_allclose(growing.time_constants[at_origin], [2 / np.log(1.2)])
    a0 = held_value()
    np.testing.assert_allclose(
        growing.time_constants[growing.stable],
        np.full((2, 1), -2 / np.log(0.8 + 0.2 * 2 * (1 - a0**2))),
    )
    immediate = fixed_points(plain_network([[0.0]]), n_starts=16)
    np.testing.assert_array_equal(immediate.time_constants, [[0.0]])


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_the_same_seed_gives_the_same_result(activation):
    weights = np.random.default_rng(8).normal(size=(6, 6)) * 0.8
    net = plain_network(weights, activation=activation)
    one, two = (fixed_points(net, n_starts=64, seed=3) for _ in range(2))
    for name in ("states", "residuals", "hits", "eigenvalues", "radius", "unique_radius"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.completeness == two.completeness
    other = fixed_points(net, n_starts=64, seed=4)
    matched(other.states, one.states, 1e-11)


def test_the_starts_may_come_from_a_task():
    net = planted_bits(2, 10, 6)
    task = at.tasks.FlipFlop(bits=2)
    check_planted(fixed_points(net, n_starts=256, task=task), net)
    check_planted(fixed_points(net, n_starts=256, task=task.sample(20, 0)), net)


def test_the_table_has_a_row_for_each_point():
    net = planted_bits(2, 10, 7)
    found = fixed_points(net)
    table = found.table()
    np.testing.assert_array_equal(table["point"], np.arange(9))
    np.testing.assert_array_equal(table["n_unstable"], found.n_unstable)
    np.testing.assert_allclose(table[["output_0", "output_1"]], found.outputs)
    np.testing.assert_allclose(table["largest_modulus"], np.abs(found.eigenvalues).max(axis=1))
    assert table["certified"].all()


# --- evidence


def evidence(**changes):
    settings = {
        "degree_sum": 1,
        "degree_expected": 1,
        "singletons": 0,
        "doubletons": 0,
        "coverage": 1.0,
        "unseen": 0.0,
        "starts": 100,
        "arrived": 90,
        "discovered": 50,
        "all_certified": True,
        "continuum": False,
    }
    return Completeness(**settings | changes)


def test_evidence_is_complete_when_nothing_says_otherwise():
    assert evidence().complete
    assert "+1, as they must" in evidence().statement()
    assert evidence(degree_expected=None, degree_sum=-3).complete
    for change in (
        {"degree_sum": 3},
        {"singletons": 1},
        {"discovered": 51},
        {"continuum": True},
        {"arrived": 0},
    ):
        assert not evidence(**change).complete
    assert "proves that points are missing" in evidence(degree_sum=3).statement()
    assert "not all are proved" in evidence(all_certified=False).statement()
    assert "about 7 more" in evidence(singletons=4, unseen=7.2).statement()


def test_richness_estimates_are_those_of_the_hits():
    """Good & Turing: 1 - f1/n; Chao: f1 (f1 - 1) / (2 (f2 + 1)); by hand from the hits."""
    weights = np.random.default_rng(9).normal(size=(8, 8)) * 1.1
    net, seen = plain_network(weights, np.full(8, 0.05)), 0
    for starts in (6, 12, 24, 48):
        found = fixed_points(net, n_starts=starts, max_starts=starts)
        known = found.completeness
        once, twice = (found.hits == 1).sum(), (found.hits == 2).sum()
        assert known.singletons == once
        assert known.doubletons == twice
        assert known.unseen == pytest.approx(once * (once - 1) / (2 * (twice + 1)))
        assert known.starts == starts or (known.complete and known.starts < starts)
        assert found.hits.sum() == known.arrived <= known.starts
        if known.arrived == known.starts:
            assert found.coverage == pytest.approx(1 - once / starts)
        seen += once
    assert seen > 0


def test_mirror_images_count_once_in_the_estimates():
    net = planted_bits(3, 10, 8)
    found = fixed_points(net, n_starts=24, max_starts=24)
    origin = np.abs(found.states).max(axis=1) < 1e-9
    pairs = found.hits[~origin]
    once = (pairs == 1).sum() // 2 + (found.hits[origin] == 1).sum()
    twice = (pairs == 2).sum() // 2 + (found.hits[origin] == 2).sum()
    assert found.completeness.singletons == once
    assert found.completeness.doubletons == twice
    assert pairs.sum() / 2 + found.hits[origin].sum() == found.completeness.arrived


def test_a_search_that_is_too_short_does_not_call_its_list_complete():
    net = planted_bits(4, 10, 9)
    found = fixed_points(net, n_starts=8, max_starts=8)
    assert len(found) < 81
    assert found.completeness.starts == 8
    assert not found.completeness.complete
    assert "Nothing says that one is missing" not in found.statement
    assert found.certified.all()


@pytest.mark.parametrize("units", [2, 40])
@pytest.mark.parametrize("activation", ["linear", "relu", "hard_tanh"])
def test_a_continuum_is_named_and_ends_the_search_in_seconds(units, activation):
    began = time.monotonic()
    found = fixed_points(plain_network(np.eye(units), activation=activation))
    assert time.monotonic() - began < 10
    assert found.completeness.continuum
    assert not found.completeness.complete
    assert "continuum" in found.statement
    assert not found.certified.any()
    assert (found.residuals < 1e-12).all()


@pytest.mark.parametrize("matrix", [np.ones((1, 1)), np.eye(3), np.diag([1.0, 0.5])])
def test_a_degenerate_origin_is_one_point(matrix):
    """h = tanh(h) holds at 0 alone, where I - DF is singular: no proof, but no second point."""
    found = fixed_points(plain_network(matrix), n_starts=32, max_starts=64)
    assert len(found) == 1
    assert np.abs(found.states).max() < 1e-3
    assert not found.certified.any()
    assert not found.decided.any()


# --- mistakes of the caller

NET = plain_network([[0.5, 0.1], [0.2, 0.3]])


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"n_starts": 0}, "n_starts = 0"),
        ({"n_starts": -3}, "n_starts = -3"),
        ({"n_starts": 2.5}, "n_starts = 2.5"),
        ({"n_starts": True}, "n_starts = True"),
        ({"n_starts": "many"}, "n_starts = 'many'"),
        ({"n_starts": 10, "max_starts": 9}, "max_starts = 9.*n_starts = 10"),
        ({"max_starts": 0}, "max_starts = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 0.5}, "seed = 0.5"),
        ({"inputs": [1.0, 2.0]}, r"inputs.*\(2,\).*\(1,\)"),
        ({"inputs": 1.0}, r"inputs.*\(\).*\(1,\)"),
        ({"inputs": [[1.0]]}, r"inputs.*\(1, 1\)"),
        ({"inputs": [np.nan]}, "inputs.*finite"),
        ({"inputs": [np.inf]}, "inputs.*finite"),
        ({"inputs": "on"}, "inputs = 'on'"),
        ({"units": 3}, "units = 3.*a state of the network has 2"),
        ({"initial_states": np.zeros((4, 3))}, r"initial_states.*\(4, 3\)"),
        ({"initial_states": np.zeros((0, 2))}, r"initial_states.*\(0, 2\)"),
        ({"initial_states": np.zeros((2, 2, 2))}, r"initial_states.*\(2, 2, 2\)"),
        ({"initial_states": [0.0, np.nan]}, "initial_states.*finite"),
        ({"initial_states": "abc"}, "initial_states"),
        ({"initial_states": [[1.0, 2.0], [3.0]]}, "initial_states"),
        ({"task": at.tasks.FlipFlop(bits=3)}, "task has 3 inputs; the network has 1"),
        ({"task": "flip_flop"}, "task"),
    ],
)
def test_settings_that_are_not_allowed_are_named(settings, field):
    with pytest.raises(at.InvalidSetting, match=field) as caught:
        fixed_points(NET, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["recurrent_weights", "input_weights", "output_weights"])
def test_weights_that_are_not_finite_are_named(name):
    spoiled = eqx.tree_at(
        lambda net: net.weights[name], NET, np.full_like(NET.weights[name], np.nan)
    )
    with pytest.raises(at.InvalidSetting, match=f"{name}.*finite"):
        fixed_points(spoiled)


@pytest.mark.parametrize(
    ("step", "settings", "field"),
    [
        (lambda h, x: jnp.tanh(h), {}, "units = None"),
        (lambda h, x: jnp.tanh(h), {"units": 0}, "units = 0"),
        (lambda h, x: jnp.tanh(h), {"units": 2.0}, "units = 2.0"),
        (lambda h, x: jnp.tanh(h), {"units": True}, "units = True"),
        (lambda h, x: jnp.tanh(h), {"units": "2"}, "units = '2'"),
        (lambda h, x: jnp.tanh(h), {"units": 2, "initial_states": np.zeros((1, 3))}, "initial_st"),
        (lambda h, x: h[:1], {"units": 2}, r"step returns shape \(1,\)"),
        (lambda h, x: jnp.outer(h, h), {"units": 2}, r"step returns shape \(2, 2\)"),
        (lambda h, x: (h, h), {"units": 2}, "step returns"),
        (lambda h, x: np.tanh(h), {"units": 2}, "step could not be run.*JAX"),
        (lambda h: h, {"units": 2}, "step could not be run"),
        (lambda h, x: jnp.ones((3, 3)) @ h, {"units": 2}, "step could not be run.*2 units"),
        (lambda h, x: h * 1j, {"units": 2}, "step"),
        (3.0, {"units": 2}, "network = 3.0 is not allowed: a Network or a function"),
        ("net", {"units": 2}, "network = .net. is not allowed: a Network or a function"),
    ],
)
def test_steps_that_cannot_be_used_are_named(step, settings, field):
    with pytest.raises(at.InvalidSetting, match=field) as caught:
        fixed_points(step, n_starts=4, max_starts=4, **settings)
    assert "\n" not in str(caught.value)


# --- the author's networks


def test_the_authors_network_after_one_epoch(authors_data):
    found = fixed_points(at.load_keras(authors_data / "ff_3b_weights-01.hdf5"))
    assert len(found) == 13
    counts = np.bincount(found.n_unstable)
    assert counts[0] == 6
    assert counts[1] == 4
    assert found.n_unstable[np.abs(found.states).max(axis=1) < 1e-12] == 285
    assert found.degree_sum == 1
    assert found.certified.all()
    assert (found.residuals <= 1e-13).all()
    matched(found.states, -found.states, 1e-300)


@pytest.mark.slow
def test_the_authors_trained_network_has_85_points(authors_data):
    found = fixed_points(at.load_keras(authors_data / "ff_3b_weights-20.hdf5"))
    assert len(found) == 85
    counts = np.bincount(found.n_unstable)
    np.testing.assert_array_equal(counts[:3], [14, 22, 10])
    assert found.n_unstable[np.abs(found.states).max(axis=1) < 1e-12] == 259
    assert found.degree_sum == 1
    assert found.completeness.singletons == 0
    assert (found.hits > 1).all()
    assert found.certified.all()
    assert found.completeness.complete
    matched(found.states, -found.states, 1e-300)
