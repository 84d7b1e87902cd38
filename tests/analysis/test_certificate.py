"""Proofs about fixed points, against ball arithmetic (python-flint), exact algebra and hand.

The verifier is independent of the proofs: it refines a state to 50 digits by Newton's method in
ball arithmetic, encloses the true fixed point by Krawczyk's operator (Krawczyk 1969; existence and
uniqueness where it maps a box into its interior), and compares that with what was claimed.
"""

from __future__ import annotations

import itertools

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from analysis.balls import (
    BALLS,
    check_points,
    column,
    distance,
    exact,
    exact_matrix,
    inside,
    jacobian,
    krawczyk,
    outside_circle,
    outside_circle_exactly,
    same,
    system,
    true_point,
)
from analysis.planted import plain_network
from few import few
from flint import arb
from scipy import optimize

from attractory.analysis import fixed_points
from attractory.analysis.dynamics._certificate import certify
from attractory.analysis.dynamics._eigenvalues import jacobian_eigenvalues
from attractory.analysis.dynamics._step import step_of
from attractory.kernels import activation_of

BITS = 200
SMOOTH = ["tanh", "sigmoid", "softplus", "silu", "elu", "celu", "soft_sign", "linear"]
PIECEWISE = ["relu", "relu6", "hard_tanh", "leaky_relu"]


@pytest.fixture(autouse=True)
def many_bits():
    with flint.ctx.workprec(BITS):
        yield


# --- networks


def network(recurrent, bias=None, activation="tanh", leak=1.0):
    return plain_network(recurrent, bias, activation, dt=leak)


def random_network(rng, activation="tanh"):
    """Up to 12 units, gains 0.5 to 3, half with a bias, a sixth leaky; and a constant input."""
    units = int(rng.integers(1, 13))
    recurrent = rng.normal(size=(units, units)) * rng.uniform(0.5, 3) / np.sqrt(units)
    if rng.random() < 0.2:
        recurrent = recurrent.astype(np.float32)
    net = network(
        recurrent,
        bias=rng.normal(size=units) * rng.uniform(0, 0.5) if rng.random() < 0.5 else None,
        activation=activation,
        leak=rng.choice([0.3, 0.5]) if rng.random() < 1 / 6 else 1.0,
    )
    return net, rng.normal(size=1) * 0.3 if rng.random() < 0.3 else None


def zeros_by_scipy(net, inputs, rng, starts):
    """Approximate fixed points by SciPy from random starts."""
    weights = net.recurrent_weights.astype(np.float64)
    constant = np.zeros(net.units) if net.bias is None else net.bias.astype(np.float64)
    if inputs is not None:
        constant = constant + net.input_weights.astype(np.float64) @ inputs

    def zero(h):
        return h - np.tanh(weights @ h + constant)

    def derivative(h):
        return np.eye(len(h)) - (1 - np.tanh(weights @ h + constant) ** 2)[:, None] * weights

    for start in rng.uniform(-1, 1, (starts, net.units)):
        found = optimize.root(zero, start, jac=derivative, method="hybr", tol=1e-12)
        if found.success and np.abs(found.fun).max() < 1e-9:
            yield found.x


def search(net, inputs=None, starts=16):
    return fixed_points(net, inputs, n_starts=starts, max_starts=starts)


# --- certified points are there


@pytest.mark.parametrize("seed", few(range(10), quick=range(3)))
def test_every_certified_point_of_100_random_networks_is_there_and_alone(seed):
    rng = np.random.default_rng(seed)
    certified = points = 0
    for i in range(100):
        net, inputs = random_network(rng)
        found, problem = search(net, inputs), exact(net, inputs)
        refined = (true_point(problem, x) for x in zeros_by_scipy(net, inputs, rng, 4))
        truth = check_points(found, problem, [point for point in refined if point is not None])
        certified, points = certified + found.certified.sum(), points + len(found)
        if found.certified.all():
            signs = [system(problem, point).det() for point in truth]
            assert all(sign > 0 or sign < 0 for sign in signs)
            assert found.degree_sum == sum(1 if sign > 0 else -1 for sign in signs)
        if i % 4 == 0:
            for point, decided, n in zip(truth, found.decided, found.n_unstable, strict=True):
                if decided:
                    assert n == outside_circle(jacobian(problem, point))
    assert certified >= 0.99 * points > 100


@pytest.mark.parametrize("activation", [*SMOOTH[1:], *PIECEWISE])
def test_the_points_of_other_activations_are_there_and_alone(activation):
    rng = np.random.default_rng(len(activation))
    certified = 0
    for _ in range(25):
        net, inputs = random_network(rng, activation)
        found, problem = search(net, inputs), exact(net, inputs)
        for point, decided, n in zip(
            check_points(found, problem), found.decided, found.n_unstable, strict=True
        ):
            if decided and activation in SMOOTH[:-1]:
                assert n == outside_circle(jacobian(problem, point))
        certified += found.certified.sum()
    assert certified >= 10


@pytest.mark.parametrize("seed", range(3))
def test_the_only_point_nearby_is_also_the_only_one_by_krawczyks_operator(seed):
    """In a quarter of the ball the proof's own bounds make the operator map the box into itself."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        net, inputs = random_network(rng)
        found, problem = search(net, inputs), exact(net, inputs)
        for state, reach in zip(found.states, found.unique_radius, strict=True):
            assert inside(*krawczyk(problem, column(state), min(reach / 4, 0.05)))


def one_unit_zeros(w, c):
    """All zeros of h - tanh(w h + c), by bisection between the extrema (where tanh² = 1 - 1/w)."""
    turns = []
    if w > 1:
        top = np.sqrt(1 - 1 / w)
        turns = sorted((np.arctanh(sign * top) - c) / w for sign in (-1, 1))
    ends = [-2.0, *turns, 2.0]

    def zero(h):
        return h - np.tanh(w * h + c)

    return [
        optimize.brentq(zero, low, high, xtol=1e-15)
        for low, high in itertools.pairwise(ends)
        if zero(low) * zero(high) < 0
    ]


def test_no_ball_of_one_unit_reaches_another_of_its_points():
    rng = np.random.default_rng(4)
    several = 0
    for _ in range(300):
        w, c = rng.uniform(0.5, 4), rng.normal() * 0.2
        net = network([[w]], [c])
        problem, zeros = exact(net), one_unit_zeros(w, c)
        several += len(zeros) == 3
        for zero in zeros:
            proof = certify(step_of(net, None, None), np.array([zero]))
            assert proof.exists
            assert distance(true_point(problem, [zero]), column([zero])) <= arb(proof.radius)
            others = [abs(zero - other) for other in zeros if other != zero]
            assert proof.unique_radius <= min(others, default=np.inf) + 1e-14
            assert proof.orientation == np.sign(1 - w * (1 - zero**2))
    assert several > 100


@pytest.mark.parametrize("gap", [1e-4, 1e-6, 1e-8])
def test_next_to_a_fold_the_ball_ends_right_before_the_other_point(gap):
    """h = tanh(1.5 h + c) folds at tanh(u) = 1/√3, where |tanh''| is largest: the ball is sharp."""
    c = np.arctanh(1 / np.sqrt(3)) - 1.5 / np.sqrt(3) + gap
    *_, one, other = one_unit_zeros(1.5, c)
    near = [one, other]
    apart = abs(near[0] - near[1])
    step = step_of(network([[1.5]], [c]), None, None)
    for state in near:
        proof = certify(step, np.array([state]))
        assert proof.exists
        assert 0.9 * apart < proof.unique_radius < apart
    halfway = certify(step, np.array([np.mean(near)]))
    assert not halfway.exists


def test_certificates_of_displaced_states_are_true_or_refused():
    rng = np.random.default_rng(5)
    given = refused = 0
    for _ in range(60):
        net, inputs = random_network(rng)
        found, problem = search(net, inputs), exact(net, inputs)
        step = step_of(net, inputs, None)
        truth = [true_point(problem, state) for state in found.states]
        for state, size in zip(found.states, 10 ** rng.uniform(-12, 0.5, len(found)), strict=True):
            displaced = state + size * rng.choice([-1, 1], net.units)
            proof = certify(step, displaced)
            refused += not proof.exists
            given += proof.exists
            if proof.exists:
                point = true_point(problem, displaced, 15)
                assert distance(point, column(displaced)) <= arb(proof.radius)
                for other in truth:
                    apart = distance(other, column(displaced))
                    assert same(other, point) or apart >= arb(proof.unique_radius)
    assert given > 30
    assert refused > 15


def test_no_certificate_without_a_point():
    far = step_of(network([[0.5]]), None, None)
    assert certify(far, np.array([0.0])).exists
    assert not certify(far, np.array([100.0])).exists
    beyond_fold = step_of(network([[1.5]], [-0.3]), None, None)  # one point is left, at h = -0.98
    assert len(one_unit_zeros(1.5, -0.3)) == 1
    for state in np.linspace(-0.5, 1.5, 201):
        assert not certify(beyond_fold, np.array([state])).exists
    for bad in (np.nan, np.inf):
        assert not certify(far, np.array([bad])).exists


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, 0.0], [0.0, 0.5]], [[2.0, 1.0], [-1.0, 0.0]]])
def test_no_certificate_where_the_point_is_degenerate(matrix):
    """I - W is singular at the origin; the last is a double eigenvalue 1 with one eigenvector."""
    step = step_of(network(matrix), None, None)
    assert not certify(step, np.zeros(len(matrix))).exists
    found = search(network(matrix))
    assert not found.certified[np.abs(found.states).max(axis=1) < 1e-6].any()


@pytest.mark.parametrize("activation", ["gelu", "selu", lambda u: jnp.tanh(u)])
def test_no_certificate_for_an_activation_whose_slope_is_not_known(activation):
    found = search(network([[0.5, 0.2], [-0.1, 0.3]], [0.1, 0.0], activation))
    assert len(found) == 1
    assert not found.certified.any()
    assert not found.decided.any()
    assert np.isinf(found.radius).all()
    assert (found.unique_radius == 0).all()


def test_the_ball_of_a_relu_network_ends_at_the_kink():
    """h = relu(2 h - 1) has the points 0 and 1, and its kink at h = 1/2, half way."""
    step = step_of(network([[2.0]], [-1.0], "relu"), None, None)
    for state, orientation in [(0.0, 1), (1.0, -1)]:
        proof = certify(step, np.array([state]))
        assert proof.exists
        assert proof.orientation == orientation
        assert proof.unique_radius == pytest.approx(0.5, rel=1e-6)
        assert proof.unique_radius < 0.5
    on_the_kink = step_of(network([[0.5]], activation="relu"), None, None)
    assert not certify(on_the_kink, np.array([0.0])).exists


# --- unstable dimensions


def decided_at_origin(matrix):
    """Proved number of unstable dimensions at the origin, where DF is the matrix; None if none."""
    step, origin = step_of(network(matrix), None, None), np.zeros(len(matrix))
    proof = certify(step, origin)
    spectrum = jacobian_eigenvalues(step, origin, proof.radius)
    return spectrum.n_unstable if spectrum.decided else None


near_critical = [side * 10.0**-k for k in range(3, 17) for side in (-1, 1)]


@pytest.mark.parametrize("gap", near_critical)
def test_nearly_critical_counts_at_the_origin_are_right_or_undecided(gap):
    rng = np.random.default_rng(round(abs(np.log10(abs(gap)))))
    c, s = np.cos(0.7), np.sin(0.7)
    turn = scipy.linalg.block_diag((1 + gap) * np.array([[c, -s], [s, c]]), [[0.5]], [[1.7]])
    basis = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    skewed = np.linalg.solve(shear := np.triu(rng.normal(size=(4, 4))) + 2 * np.eye(4), turn)
    for matrix in ([[1 + gap]], [[-1 - gap]], turn, basis @ turn @ basis.T, skewed @ shear):
        found = decided_at_origin(matrix)
        if found is not None:
            assert found == outside_circle_exactly(matrix)
    if abs(gap) > 1e-13:  # a growing swing leaves I - DF well conditioned
        assert decided_at_origin([[-1 - gap]]) == (gap > 0)
        assert decided_at_origin(turn) == 1 + 2 * (gap > 0)
    if abs(gap) > 1e-5:
        assert decided_at_origin([[1 + gap]]) == (gap > 0)


def test_exactly_critical_counts_stay_undecided():
    for matrix in ([[1.0]], [[-1.0]], [[0.0, -1.0], [1.0, 0.0]], [[0.6, -0.8], [0.8, 0.6]]):
        assert decided_at_origin(matrix) is None


def test_nearly_critical_counts_away_from_the_origin_are_right_or_undecided():
    rng = np.random.default_rng(6)
    decided = 0
    for k in rng.uniform(2, 12, 60):
        h = rng.uniform(-0.9, 0.9)
        w = (1 + rng.choice([-1, 1]) * 10.0**-k) / (1 - h**2) * rng.choice([-1, 1])
        net = network([[w]], [np.arctanh(h) - w * h])
        found, problem = search(net), exact(net)
        truth = check_points(found, problem)
        for point, sure, n in zip(truth, found.decided, found.n_unstable, strict=True):
            if sure:
                decided += 1
                assert n == outside_circle(jacobian(problem, point))
    assert decided > 60


def linear_spectrum(matrix):
    return jacobian_eigenvalues(
        step_of(network(matrix, activation="linear"), None, None), np.zeros(len(matrix)), 0.0
    )


def jordan(values, coupling):
    return np.diag(np.asarray(values, float)) + np.diag([float(coupling)] * (len(values) - 1), 1)


NEARLY_PARALLEL = [
    jordan([0.9] * 3, 1.0),
    jordan([1.1] * 3, 1.0),
    jordan([0.5] * 6, 1.0),
    jordan([-1.3] * 4, 2.0),
    jordan([0.8, 0.8, 1.25, 1.25], 1.0),
    jordan([0.0] * 8, 3.0),
    scipy.linalg.block_diag(jordan([0.7] * 4, 1.0), jordan([1.5] * 4, 1.0)),
    np.kron(np.eye(2), jordan([0.6] * 2, 1.0)) + np.kron(jordan([0.0] * 2, 0.5), np.eye(2)),
]


def turned(matrix):
    basis = np.linalg.qr(np.random.default_rng(len(matrix)).normal(size=matrix.shape))[0]
    return basis @ matrix @ basis.T


@pytest.mark.parametrize("plain", NEARLY_PARALLEL)
def test_counts_are_decided_also_where_eigenvectors_are_parallel(plain):
    for matrix in (plain, turned(plain)):
        found = linear_spectrum(matrix)
        assert found.decided
        assert found.n_unstable == outside_circle_exactly(matrix)


@pytest.mark.parametrize("plain", NEARLY_PARALLEL[5:7])
def test_inertia_decides_where_discs_do_not(plain, monkeypatch):
    assert linear_spectrum(turned(plain)).decided
    monkeypatch.setattr("attractory.analysis.dynamics._eigenvalues._inertia", lambda *_: -1)
    assert not linear_spectrum(turned(plain)).decided


def test_inertia_agrees_with_the_exact_polynomial(monkeypatch):
    monkeypatch.setattr(
        "attractory.analysis.dynamics._eigenvalues._discs",
        lambda matrix, *_: np.full(len(matrix), np.inf),
    )
    rng = np.random.default_rng(7)
    decided = 0
    for i in range(150):
        n = int(rng.integers(1, 11))
        matrix = rng.normal(size=(n, n)) * rng.uniform(0.3, 3) / np.sqrt(n)
        if i % 3 == 1:  # rank-one parts whose eigenvectors are nearly parallel
            one, other = rng.normal(size=(2, n))
            other -= (other @ one / (one @ one) - 1e-3) * one
            matrix = 0.3 * matrix + np.outer(one, other)
        if i % 3 == 2:
            matrix = np.triu(matrix, 1) * rng.uniform(1, 10) + np.diag(rng.uniform(-1.5, 1.5, n))
        found = linear_spectrum(matrix)
        if found.decided:
            decided += 1
            assert found.n_unstable == outside_circle_exactly(matrix)
    assert decided >= 130


@pytest.mark.parametrize("gap", near_critical[:20])
def test_inertia_is_right_or_undecided_near_the_circle(gap, monkeypatch):
    monkeypatch.setattr(
        "attractory.analysis.dynamics._eigenvalues._discs",
        lambda matrix, *_: np.full(len(matrix), np.inf),
    )
    for matrix in (jordan([1 + gap] * 2, 1.0), jordan([1 + gap, 0.5, 2.0], 5.0), [[-1 - gap]]):
        found = linear_spectrum(matrix)
        if found.decided:
            assert found.n_unstable == outside_circle_exactly(matrix)


# --- the activations


def in_float64(function, u):
    with jax.enable_x64(True):
        return np.asarray(function(jnp.asarray(u, jnp.float64)))


def off_kinks(u, kinks, margin=1e-3):
    return u[np.all([np.abs(u - kink) > margin for kink in (0.0, *kinks)], axis=0)]


GRID = np.linspace(-30, 30, 24001)


@pytest.mark.parametrize("activation", [*SMOOTH, *PIECEWISE, "gelu", "selu"])
def test_value_and_slope_are_those_of_jax(activation):
    shape, function = activation_of(activation), activation_of(activation).function
    # of gelu nothing is proved; its compiled form cancels in another way than the plain one
    small = 1e-13 if activation == "gelu" else 1e-15
    np.testing.assert_allclose(
        shape.value(GRID), in_float64(function, GRID), rtol=1e-14, atol=small
    )
    smooth = off_kinks(GRID, shape.kinks)
    slopes = in_float64(jax.vmap(jax.grad(function)), smooth)
    np.testing.assert_allclose(shape.slope(smooth), slopes, rtol=1e-13, atol=10 * small)
    assert np.abs(slopes).max() <= shape.max_slope or shape.curvature is None


@pytest.mark.parametrize("activation", SMOOTH)
def test_curvature_bounds_the_second_derivative_closely(activation):
    shape, function = activation_of(activation), activation_of(activation).function
    dense = np.concatenate([np.linspace(-6, 6, 6001), np.geomspace(1e-6, 1, 200)])
    dense = np.concatenate([dense, -dense])
    dense = dense[dense != 0]
    second = np.abs(in_float64(jax.vmap(jax.grad(jax.grad(function))), dense)).max()
    assert second <= shape.curvature * (1 + 1e-12)
    assert second >= 0.99 * shape.curvature
    assert shape.kinks == ()


@pytest.mark.parametrize("activation", [*SMOOTH, *PIECEWISE])
def test_the_slope_jumps_at_kinks_only(activation):
    shape, h = activation_of(activation), 1e-4
    ends = np.arange(-8, 8, h) + h / 3
    change = np.abs(np.diff(shape.slope(ends)))
    jumps = ends[:-1][change > shape.curvature * h * (1 + 1e-9) + 1e-12]
    assert len(jumps) == len(shape.kinks)
    np.testing.assert_allclose(jumps, shape.kinks, atol=h)


@pytest.mark.parametrize("activation", [*SMOOTH, *PIECEWISE])
def test_odd_and_bounded_are_as_said(activation):
    shape = activation_of(activation)
    u = np.random.default_rng(8).normal(size=4000) * 10.0 ** np.linspace(-8, 3, 4000)
    assert np.array_equal(shape.value(-u), -shape.value(u)) == shape.odd
    extremes = np.abs(in_float64(activation_of(activation).function, [-1e9, 1e9]))
    assert (extremes.max() < 10) == shape.bounded


@pytest.mark.parametrize("activation", [*SMOOTH, *PIECEWISE])
def test_rounding_of_value_and_slope_is_within_the_bound(activation):
    shape, rng = activation_of(activation), np.random.default_rng(9)
    u = np.concatenate([rng.normal(size=700) * 10.0 ** rng.uniform(-12, 2, 700), [0.0, 1e-300]])
    u = u[np.all([u != kink for kink in shape.kinks], axis=0)] if shape.kinks else u
    for computed, ball in zip((shape.value, shape.slope), BALLS[activation], strict=True):
        for x, made in zip(u, computed(u), strict=True):
            assert abs(arb(made) - ball(arb(x))) <= arb(shape.rounding * max(1.0, abs(x)))


def test_the_verifier_notices_false_claims():
    net = network([[1.5, 0.3], [-0.2, 0.9]], [0.1, 0.2])
    problem, state = exact(net), search(net).states[0]
    point = true_point(problem, state)
    assert distance(point, column(state)) < arb(1e-14)
    assert not distance(point, column(state + 1e-13)) <= arb(1e-14)
    beyond_fold = exact(network([[1.5]], [-0.3]))
    assert true_point(beyond_fold, [0.6]) is None or distance(
        true_point(beyond_fold, [0.6]), column([0.6])
    ) > arb(1)
    assert outside_circle(exact_matrix([[1 + 1e-15, 3.0], [0.0, 0.5]])) == 1
    assert outside_circle_exactly([[1 - 1e-16 * 2, 3.0], [0.0, -1.5]]) == 1
