"""What is said of fixed points, on many networks of many kinds, against ball arithmetic.

A family is a function rng -> (network, constant input or None). Every certificate, count and
statement about a network's points is compared with an independent truth: Krawczyk's operator and
eigenvalues in balls, exact determinants, and zeros that plain Newton steps find.
"""

from __future__ import annotations

import flint
import numpy as np
import pytest
from analysis.balls import check_points, distance, exact, jacobian
from analysis.planted import plain_network
from analysis.test_determinant import exact_inverse, growing
from analysis.test_enumeration import check_none_is_missing, zeros_from_everywhere
from flint import arb

from attractory.analysis import fixed_points

BITS = 200
ODD_ONES = ("relu", "relu6", "hard_tanh", "leaky_relu")


@pytest.fixture(autouse=True)
def many_bits():
    with flint.ctx.workprec(BITS):
        yield


def dense(rng, activation="tanh", units=(1, 7), gain=(0.3, 4.0), bias=1.0, leak=1.0):
    n = int(rng.integers(*units))
    recurrent = rng.normal(size=(n, n)) * rng.uniform(*gain) / np.sqrt(n)
    drive = rng.normal(size=n) * bias * rng.uniform() if bias else None
    return plain_network(recurrent, drive, activation, dt=leak)


def strong(rng):
    return dense(rng, gain=(5.0, 20.0), bias=10.0, units=(1, 5))


def unbiased(rng):
    return dense(rng, bias=0.0, gain=(0.8, 5.0))


def leaky(rng):
    return dense(rng, leak=float(rng.choice([0.05, 0.3])))


def marginal(rng):
    """A slowest eigenvalue of 1 - 10⁻³ to 1 + 10⁻⁹ at the origin."""
    n = int(rng.integers(1, 6))
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    values = rng.uniform(-0.9, 0.9, n)
    values[0] = 1 + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-9, -3)
    return plain_network(basis @ np.diag(values) @ basis.T)


def near_fold(rng):
    height = np.sqrt(1 - 1 / (gain := rng.uniform(1.2, 6.0)))
    bias = np.arctanh(height) - gain * height + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-15, -3)
    return plain_network([[gain]], [bias])


def skewed(rng):
    """Nearly parallel eigenvectors."""
    n = int(rng.integers(2, 6))
    return plain_network(np.triu(rng.normal(size=(n, n)) * 10) + np.diag(rng.normal(size=n)))


def low_rank(rng):
    n, rank = int(rng.integers(10, 40)), int(rng.integers(1, 3))
    left = rng.normal(size=(n, rank))
    right = rng.normal(size=(n, rank)) + rng.uniform(0, 2) * left
    return plain_network(2 * left @ right.T / n, rng.normal(size=n) * rng.uniform())


def single(rng):
    net = dense(rng)
    return plain_network(net.recurrent_weights.astype(np.float32), None)


def factors_grow(rng):
    size = int(rng.integers(40, 70))
    corner = rng.integers(1, 9, (2, 2)) + 3 * np.eye(2, dtype=int)
    if corner[0, 0] * corner[1, 1] == corner[0, 1] * corner[1, 0]:
        corner[0, 0] += 1  # where its corner is singular the whole may be too, without inverse
    return plain_network(np.eye(size) - exact_inverse(growing(size, corner)))


def of(activation):
    return lambda rng: dense(rng, activation)


def kinked(activation):
    return lambda rng: dense(rng, activation, bias=0.0, units=(1, 6))


FAMILIES = {
    "strong": strong,
    "unbiased": unbiased,
    "leaky": leaky,
    "marginal": marginal,
    "near a fold": near_fold,
    "skewed": skewed,
    "low rank": low_rank,
    "single": single,
    "factors grow": factors_grow,
    **{name: of(name) for name in ("sigmoid", "softplus", "silu", "elu", "soft_sign")},
    **{name: of(name) for name in ODD_ONES},
    **{f"{name} without bias": kinked(name) for name in ODD_ONES},
}

# functions with a kink at 0: networks without bias have the origin on it
ALWAYS_KINKED = ("relu without bias", "relu6 without bias", "leaky_relu without bias")


def check_claims(net, rng):
    found = fixed_points(net, n_starts=16, max_starts=64)
    problem = exact(net)
    check_points(found, problem)
    assert not (found.kinked & (found.certified | found.decided)).any()
    assert not found.kinked[found.stable].any()
    for i in np.flatnonzero(found.decided):
        true = eigenvalues_outside(jacobian(problem, exact_column(found.states[i])))
        assert true is None or true == found.n_unstable[i]
    statement = found.statement
    if found.completeness.proved or "proves that points are missing" in statement:
        bias = np.zeros(net.units) if net.bias is None else np.asarray(net.bias, np.float64)
        weights = np.asarray(net.recurrent_weights, np.float64)
        activation = net.model.activation
        reach = 1.0 if activation in ("tanh", "sigmoid", "soft_sign", "hard_tanh") else 10.0
        others = zeros_from_everywhere(weights, bias, activation, 200, rng, reach)
        if found.completeness.proved:
            check_none_is_missing(found, others)
        else:
            assert found.completeness.all_signs
            assert np.abs(found.states[:, None] - others).max(axis=2).min(axis=0).max() > 1e-5
    return found


def eigenvalues_outside(matrix):
    """How many, None where they cannot be told; eigenvalues that repeat (0) are not isolated."""
    for several in (False, True):
        try:
            moduli = [abs(value) for value in matrix.eig(multiple=several)]
        except ValueError:  # not isolated at this precision
            continue
        told = all(modulus > 1 or modulus < 1 for modulus in moduli)
        return sum(1 for modulus in moduli if modulus > 1) if told else None
    return None


def exact_column(state):
    return flint.arb_mat([[arb(v)] for v in state])


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "factors grow"])
def test_what_is_said_of_a_network_of_each_family_is_true(family):
    rng = np.random.default_rng(len(family))
    check_claims(FAMILIES[family](rng), rng)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_said_of_100_networks_of_each_family_is_true(family):
    """22 families: 2 200 networks. Without bias the origin is on a kink and cannot be proved."""
    rng = np.random.default_rng(1000 + len(family))
    certified = kinked = 0
    for _ in range(100):
        found = check_claims(FAMILIES[family](rng), rng)
        certified += found.certified.sum()
        kinked += found.kinked.sum()
    assert (kinked if family in ALWAYS_KINKED else certified) > 50


def test_the_checks_notice_a_false_claim():
    rng = np.random.default_rng(0)
    net = plain_network([[2.0]])
    assert distance(exact_column([0.0]), exact_column([0.5])) > 0.4
    found = zeros_from_everywhere(np.array([[2.0]]), np.zeros(1), "tanh", 50, rng)
    assert len(found) == 3
    points = fixed_points(net)
    with pytest.raises(AssertionError):
        check_none_is_missing(points, found + 0.1)
