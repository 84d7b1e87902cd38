"""The kernels of the rate network against NumPy loops, finite differences and the reference."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from attractory.kernels import (
    RateWeights,
    _rate_jax,
    _rate_native,
    activation_of,
    bfloat16_missing,
    in_windows,
    linear,
    native,
    rate_network,
    rate_outputs,
    rate_outputs_and_sizes,
)


def bump(x):
    return x / (1.0 + x * x)


IN_NUMPY = {
    jnp.tanh: np.tanh,
    jax.nn.relu: lambda x: np.maximum(x, 0.0),
    jax.nn.sigmoid: special.expit,
    jax.nn.softplus: lambda x: np.logaddexp(0.0, x),
    linear: lambda x: x,
    bump: bump,
}
CASES = [(phi, leak) for phi in IN_NUMPY for leak in (1.0, 0.3)]
CASES += [(jnp.tanh, 0.1), (jnp.tanh, 0.9)]
NAMES = [f"{phi.__name__}-{leak}" for phi, leak in CASES]
NATIVE_CASES = [(phi, leak) for phi, leak in CASES if phi is not bump]
NATIVE_NAMES = [f"{phi.__name__}-{leak}" for phi, leak in NATIVE_CASES]

needs_native = pytest.mark.skipif(not native(), reason=str(native()))
needs_bfloat16 = pytest.mark.skipif(
    bfloat16_missing(jnp.tanh) is not None, reason=str(bfloat16_missing(jnp.tanh))
)


def problem(steps, trials, units, inputs=2, outputs=3, seed=0, dtype=np.float32, drive=True):
    """The arrays of `rate_network`; and the weights of a scalar loss on states and outputs."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=shape).astype(dtype)

    weights = RateWeights(
        draw(units, units) / np.sqrt(units).astype(dtype),
        draw(units, inputs),
        draw(outputs, units),
    )
    extra = draw(steps, trials, units) if drive else None
    arguments = (weights, draw(steps, trials, inputs), draw(trials, units), extra)
    return arguments, (draw(steps, trials, units), draw(steps, trials, outputs))


def plain(phi, leak, weights, inputs, start, drive):
    """The equations, unit by unit."""
    steps, trials, _ = inputs.shape
    units = len(weights.recurrent)
    state, states = start.copy(), np.empty((steps, trials, units), start.dtype)
    for t in range(steps):
        before = state.copy()
        for b in range(trials):
            for i in range(units):
                reached = sum(weights.recurrent[i, j] * before[b, j] for j in range(units))
                reached += sum(w * x for w, x in zip(weights.input[i], inputs[t, b], strict=True))
                rate = phi(reached + drive[t, b, i])
                state[b, i] = (1 - leak) * before[b, i] + leak * rate
        states[t] = state
    return states, np.einsum("tbu,ou->tbo", states, weights.output)


def weighed(kernel, loss, arguments):
    return sum(jnp.sum(w * made) for w, made in zip(loss, kernel(*arguments), strict=True))


def gradients(kernel, loss, arguments):
    return jax.jit(jax.grad(partial(weighed, kernel, loss)))(arguments)


def of_kernel(function, phi, leak):
    if function is _rate_jax.reference:
        return partial(function, phi, leak)
    return partial(function, activation_of(phi), leak, "float32")


def relative_error(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    size = np.linalg.norm(expected)
    return np.linalg.norm(found - expected) / size if size else np.linalg.norm(found)


def assert_close(found, expected, tolerance=1e-5):
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert relative_error(one, other) <= tolerance


@pytest.mark.parametrize(("phi", "leak"), CASES, ids=NAMES)
def test_in_float64_it_equals_a_numpy_loop_and_its_finite_differences(phi, leak):
    arguments, loss = problem(4, 2, 3, inputs=1, outputs=2, seed=1, dtype=np.float64)
    leaves, structure = jax.tree.flatten(arguments)

    def cost(leaves):
        made = plain(IN_NUMPY[phi], leak, *jax.tree.unflatten(structure, leaves))
        return sum(np.sum(w * x) for w, x in zip(loss, made, strict=True))

    differences = []
    for which, leaf in enumerate(leaves):
        slope = np.empty_like(leaf)
        for index in np.ndindex(slope.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in leaves]
                moved[which][index] += step
                ends.append(cost(moved))
            slope[index] = (ends[0] - ends[1]) / 2e-6
        differences.append(slope)
    with jax.enable_x64(True):
        kernel = partial(rate_network, phi, leak)
        states, outputs = kernel(*arguments)
        assert states.dtype == np.float64
        found = gradients(kernel, loss, arguments)
    expected = plain(IN_NUMPY[phi], leak, *arguments)
    np.testing.assert_allclose(states, expected[0], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(outputs, expected[1], rtol=1e-12, atol=1e-13)
    assert_close(found, jax.tree.unflatten(structure, differences), 1e-7)


@pytest.mark.parametrize(("phi", "leak"), CASES, ids=NAMES)
def test_the_portable_kernel_equals_the_reference_in_float32(phi, leak):
    arguments, loss = problem(40, 3, 16, seed=2)
    found = gradients(of_kernel(_rate_jax.portable, phi, leak), loss, arguments)
    assert_close(found, gradients(of_kernel(_rate_jax.reference, phi, leak), loss, arguments))


@needs_native
@pytest.mark.parametrize(("phi", "leak"), NATIVE_CASES, ids=NATIVE_NAMES)
def test_the_native_kernel_equals_the_reference_in_float32(phi, leak):
    arguments, loss = problem(40, 5, 37, seed=2)
    kernel = of_kernel(_rate_native.states_and_outputs, phi, leak)
    reference = of_kernel(_rate_jax.reference, phi, leak)
    assert_close(kernel(*arguments), reference(*arguments))
    assert_close(gradients(kernel, loss, arguments), gradients(reference, loss, arguments))


@needs_native
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(
    steps=st.integers(1, 9),
    trials=st.integers(1, 21),
    units=st.integers(1, 70),
    inputs=st.integers(1, 18),
    outputs=st.integers(1, 18),
    leak=st.sampled_from([1.0, 0.5]),
    drive=st.booleans(),
    threads=st.integers(1, 3),
    window=st.integers(0, 5),
)
def test_native_any_shape_equals_a_float64_loop(
    steps, trials, units, inputs, outputs, leak, drive, threads, window
):
    """Called without a compiled program around it: values and gradients by NumPy in float64."""
    arguments, loss = problem(steps, trials, units, inputs, outputs, seed=3, drive=drive)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rate_native, "_threads", lambda: threads)
        (states, outs), saved = _rate_native._saving(
            activation_of(jnp.tanh), leak, "float32", *arguments
        )
        found = _rate_native._backward(
            activation_of(jnp.tanh), leak, "float32", saved, *loss, window=window
        )
    expected_states, expected_outputs, expected = by_hand(leak, arguments, loss, window)
    made = jax.tree.leaves((states, outs, found))
    wanted = jax.tree.leaves((expected_states, expected_outputs, expected))
    for one, other in zip(made, wanted, strict=True):
        # the terms of a sum are of order 1: where few of them cancel, that is the scale of errors
        assert np.linalg.norm(one - other) <= 1e-5 * max(1.0, np.linalg.norm(other))


def by_hand(leak, arguments, loss, window=0):
    """Backpropagation through time written out in NumPy float64, for tanh.

    window: steps through which a gradient goes back; 0: all of them.
    """
    weights, x, start, extra = jax.tree.map(lambda a: np.asarray(a, np.float64), arguments)
    of_states, of_outputs = (np.asarray(a, np.float64) for a in loss)
    h, states, rates = start, [], []
    for t in range(len(x)):
        a = h @ weights.recurrent.T + x[t] @ weights.input.T + (0 if extra is None else extra[t])
        rates.append(np.tanh(a))
        h = (1 - leak) * h + leak * rates[-1]
        states.append(h)
    before = [start, *states[:-1]]
    d_h = np.zeros_like(start)
    d_w, d_u, d_v = (np.zeros_like(w) for w in weights)
    d_x, d_drive = np.zeros_like(x), np.zeros((*x.shape[:2], start.shape[1]))
    for t in reversed(range(len(x))):
        d_h = d_h + of_states[t] + of_outputs[t] @ weights.output
        d_v += of_outputs[t].T @ states[t]
        d_a = leak * (1 - rates[t] ** 2) * d_h
        d_w += d_a.T @ before[t]
        d_u += d_a.T @ x[t]
        d_x[t], d_drive[t] = d_a @ weights.input, d_a
        d_h = (1 - leak) * d_h + d_a @ weights.recurrent
        if window and t > 0 and t % window == 0:
            d_h = np.zeros_like(d_h)
    expected = (RateWeights(d_w, d_u, d_v), d_x, d_h, None if extra is None else d_drive)
    return np.stack(states), np.stack(states) @ weights.output.T, expected


@needs_native
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_native_windows_equal_those_of_the_portable_kernel(leak, precision):
    """More steps than fit into one outer product, in any precision; the last window is shorter."""
    if precision == "bfloat16" and bfloat16_missing(jnp.tanh):
        pytest.skip("no products of bfloat16 numbers here")
    arguments, loss = problem(130, 35, 21, seed=5)
    weights = arguments[0]._replace(recurrent=0.9 * np.eye(21, dtype=np.float32))
    weights, inputs, start, drive = (weights, *arguments[1:])
    phi = activation_of(jnp.tanh)

    def portable(weights, inputs, start, drive):
        def run(state, given):
            return _rate_jax.portable(phi, leak, precision, weights, given[0], state, given[1])

        return in_windows(run, 7, (inputs, drive), start)

    native = partial(rate_network, phi, leak, precision=precision, window=7)
    tolerance = 1e-5 if precision == "float32" else 0.02
    given = (weights, inputs, start, drive)
    assert_close(gradients(native, loss, given), gradients(portable, loss, given), tolerance)


@needs_native
def test_native_at_the_size_of_the_paper():
    arguments, loss = problem(340, 6, 400, inputs=3, seed=4, drive=False)
    weights = arguments[0]._replace(recurrent=0.9 * np.eye(400, dtype=np.float32))
    arguments = (weights, 0.1 * arguments[1], *arguments[2:])
    kernel = of_kernel(_rate_native.states_and_outputs, jnp.tanh, 1.0)
    reference = of_kernel(_rate_jax.reference, jnp.tanh, 1.0)
    assert_close(gradients(kernel, loss, arguments), gradients(reference, loss, arguments))


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_many_networks_at_once_have_the_gradients_of_each(leak):
    several = [problem(20, 3, 16, seed=seed) for seed in (3, 4, 5)]
    arguments, losses = (
        jax.tree.map(lambda *leaves: np.stack(leaves), *each) for each in zip(*several, strict=True)
    )
    kernel = partial(rate_network, jnp.tanh, leak)
    reference = of_kernel(_rate_jax.reference, jnp.tanh, leak)

    def one(arguments, loss):
        return jax.grad(partial(weighed, kernel, loss))(arguments)

    found = jax.jit(jax.vmap(one))(arguments, losses)
    for net, (own, loss) in enumerate(several):
        expected = gradients(reference, loss, own)
        assert_close(jax.tree.map(lambda g, net=net: g[net], found), expected)


def test_networks_can_share_their_inputs():
    arguments, loss = problem(20, 3, 16, seed=5)
    both = np.stack([arguments[0].recurrent, -arguments[0].recurrent])
    kernel = partial(rate_network, jnp.tanh, 1.0)

    def cost(recurrent):
        changed = (arguments[0]._replace(recurrent=recurrent), *arguments[1:])
        return weighed(kernel, loss, changed)

    found = jax.jit(jax.vmap(jax.grad(cost)))(both)
    for net, own in enumerate(both):
        assert_close(found[net], jax.jit(jax.grad(cost))(own))


@pytest.mark.parametrize("phi", [jnp.tanh, bump])
def test_outputs_alone_are_the_same_with_the_same_gradient(phi):
    arguments, loss = problem(20, 3, 16, seed=6)
    np.testing.assert_array_equal(
        rate_outputs(phi, 0.5, *arguments), rate_network(phi, 0.5, *arguments)[1]
    )
    silent = (np.zeros_like(loss[0]), loss[1])
    found = jax.jit(jax.grad(lambda a: jnp.sum(loss[1] * rate_outputs(phi, 0.5, *a))))(arguments)
    expected = gradients(of_kernel(_rate_jax.reference, phi, 0.5), silent, arguments)
    assert_close(found, expected)


@pytest.mark.parametrize(
    ("phi", "leak", "window", "precision"),
    [
        (jnp.tanh, 1.0, None, "float32"),
        (jnp.tanh, 0.3, 7, "bfloat16"),
        (jax.nn.relu, 1.0, 7, "float32"),  # half of its states are 0, where |h| has a kink
        (bump, 0.3, 7, "float32"),
    ],
)
def test_sizes_are_those_of_the_states_and_so_are_their_gradients(phi, leak, window, precision):
    """Of two networks at once, whose units do not fill the vectors, against each by its states."""
    several = [problem(20, 5, 37, seed=seed) for seed in (3, 4)]
    arguments = jax.tree.map(lambda *leaves: np.stack(leaves), *(own for own, _ in several))
    of_sizes, of_outputs = np.random.default_rng(1).normal(size=(20, 5, 2)), several[0][1][1]
    how = {"precision": precision, "window": window}

    def by_states(arguments):
        states, outputs = rate_network(phi, leak, *arguments, **how)
        sums = jnp.stack([jnp.abs(states).sum(-1), jnp.square(states).sum(-1)], axis=-1)
        return jnp.sum(of_sizes * sums) + jnp.sum(of_outputs * outputs), sums

    def alone(arguments):
        outputs, sums = rate_outputs_and_sizes(phi, leak, *arguments, **how)
        return jnp.sum(of_sizes * sums) + jnp.sum(of_outputs * outputs), sums

    found = jax.jit(jax.vmap(jax.grad(alone, has_aux=True)))(arguments)
    gradients_by_states = jax.jit(jax.grad(by_states, has_aux=True))
    for net, (own, _) in enumerate(several):
        expected = gradients_by_states(own)
        # a last bit of a gradient may round its 8 bits the other way
        tolerance = 1e-5 if precision == "float32" else 2e-3
        assert_close(jax.tree.map(lambda g, net=net: g[net], found), expected, tolerance)


def test_relu_has_slope_0_where_its_argument_is_exactly_0():
    (weights, *_), loss = problem(3, 1, 2, seed=7)
    weights = jax.tree.map(np.zeros_like, weights)
    arguments = (weights, np.ones((3, 1, 2), np.float32), np.ones((1, 2), np.float32), None)
    found = gradients(partial(rate_network, jax.nn.relu, 1.0), loss, arguments)
    np.testing.assert_array_equal(found[0].recurrent, 0.0)
    np.testing.assert_array_equal(found[2], 0.0)


@pytest.mark.parametrize("phi", [jnp.tanh, jax.nn.relu, jax.nn.sigmoid, jax.nn.softplus, linear])
def test_a_number_that_is_not_finite_does_not_disappear(phi):
    (weights, inputs, start, _), _ = problem(3, 2, 5, seed=8)
    inputs[1, 0, 0] = np.nan
    states, outputs = rate_network(phi, 1.0, weights, inputs, start)
    assert np.isnan(np.asarray(states)[1:, 0]).all()
    assert np.isnan(np.asarray(outputs)[1:, 0]).all()
    assert np.isfinite(np.asarray(states)[:, 1]).all()


@needs_native
@pytest.mark.parametrize("phi", [jnp.tanh, jax.nn.relu, jax.nn.sigmoid, jax.nn.softplus])
def test_native_activations_are_exact_to_a_few_bits_everywhere(phi):
    """From 1e-30 to 1e30, both signs, against NumPy in float64."""
    size = np.float32(10.0) ** np.linspace(-30, 30, 601, dtype=np.float32)
    size = np.concatenate([size, np.linspace(0, 100, 4001, dtype=np.float32)])
    a = np.concatenate([-size, size])
    weights = RateWeights(*np.zeros((3, 1, 1), np.float32))
    start, inputs = np.zeros((len(a), 1), np.float32), np.zeros((1, len(a), 1), np.float32)
    found = np.asarray(rate_network(phi, 1.0, weights, inputs, start, a[None, :, None])[0])[0, :, 0]
    expected = IN_NUMPY[phi](a.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=4e-7, atol=3e-38)


@needs_bfloat16
@pytest.mark.parametrize(("trials", "units", "inputs"), [(6, 37, 3), (5, 64, 2)])
@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_bfloat16_differs_by_no_more_than_its_rounding(trials, units, inputs, leak):
    """Factors have 8 bits: relative rounding 2^-9 each, and a few per cent of that survives sums.

    The same products rounded the same way in JAX differ from it as much as from float32.
    """
    arguments, loss = problem(10, trials, units, inputs=inputs, outputs=2, seed=9, drive=False)
    float32 = gradients(partial(rate_network, jnp.tanh, leak), loss, arguments)
    rounded = gradients(
        partial(rate_network, jnp.tanh, leak, precision="bfloat16"), loss, arguments
    )
    in_jax = gradients(
        partial(_rate_jax.portable, activation_of(jnp.tanh), leak, "bfloat16"), loss, arguments
    )
    for exact, here, there in zip(*map(jax.tree.leaves, (float32, rounded, in_jax)), strict=True):
        assert here.dtype == np.float32
        assert 1e-5 < relative_error(here, exact) < 2e-2
        assert relative_error(here, there) < 2e-2
