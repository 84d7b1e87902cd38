"""Regions that hold what enters them, against ball arithmetic of 60 digits."""

from __future__ import annotations

import flint
import numpy as np
import pytest
from analysis.exact import ExactNetwork, balls, distance

from attractory import models
from attractory.analysis.dynamics._certificate import certify
from attractory.analysis.dynamics._form_norm import FormNorm, largest_eigenvalue, positive_definite
from attractory.analysis.dynamics._invariant import invariant_ellipsoid
from attractory.analysis.dynamics._step import step_of

GAPS = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7]


@pytest.fixture(autouse=True)
def precision():
    before, flint.ctx.prec = flint.ctx.prec, 260
    yield
    flint.ctx.prec = before


def slowed(rng, units, gap, kind):
    """A network with a stable fixed point whose slowest eigenvalue is about 1 - gap, and a start
    for finding it."""
    leak = 1.0 if rng.random() < 0.5 else float(rng.choice([0.1, 0.5]))
    readout = rng.normal(size=(2, units))
    others = rng.uniform(-0.8, 0.8, size=units)
    turn = np.linalg.qr(rng.normal(size=(units, units)))[0]
    shear = np.eye(units) + np.triu(rng.normal(size=(units, units)), 1)
    activation, bias, guess = "tanh", None, np.zeros(units)
    if kind == "slow":
        others[0] = 1 - gap / leak
        recurrent = turn @ np.diag(others) @ turn.T
    elif kind == "sheared":
        others[0] = 1 - gap / leak
        recurrent = shear @ np.diag(others) @ np.linalg.inv(shear)
    elif kind == "spiral":
        angle = rng.uniform(0.1, 3.0)
        block = np.diag(others)
        radius = 1 - gap
        leak = 1.0
        block[:2, :2] = radius * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        recurrent = turn @ block @ turn.T
    elif kind == "fold":
        # h = tanh((1 + d) h): near ±√(3 d), where the slope is about 1 - 2 d
        others[0] = 1 + gap / 2
        recurrent = np.diag(others)
        guess[0] = np.sqrt(1.5 * gap)
    elif kind == "kinked":
        activation = str(rng.choice(["relu", "hard_tanh"]))
        others[0] = 1 - gap / leak
        recurrent = turn @ np.diag(np.abs(others)) @ turn.T
        target = rng.uniform(1e-3, 0.9, size=units)
        bias, guess = target - recurrent @ target, target
    else:
        activation = str(rng.choice(["sigmoid", "softplus"]))
        slope = 0.25 if activation == "sigmoid" else 0.5
        others[0] = 1 - gap / leak
        recurrent = turn @ np.diag(others / slope) @ turn.T
        value = 0.5 if activation == "sigmoid" else np.log(2)
        guess = np.full(units, value)
        bias = -recurrent @ guess
    network = models.RateRNN.from_weights(
        recurrent, rng.normal(size=(units, 1)), readout, bias=bias, activation=activation,
        tau=1.0, dt=leak,
    )  # fmt: skip
    return network, guess


def polished(step, state):
    for _ in range(60):
        system = np.eye(step.units) - step.jacobians(state[None])[0]
        state = state - np.linalg.lstsq(system, state - step(state), rcond=None)[0]
    return state


KINDS = ["slow", "sheared", "spiral", "fold", "kinked", "shifted"]


def check(seed, kind, gap, tries=6):
    """Whether a region is proved; what is said of it is compared with the exact map."""
    rng = np.random.default_rng(seed)
    network, guess = slowed(rng, int(rng.integers(2, 5)), gap, kind)
    step = step_of(network, None, None)
    with np.errstate(all="ignore"):
        state = polished(step, guess)
    near = certify(step, state)
    if not near.exists or np.abs(np.linalg.eigvals(step.jacobians(state[None])[0])).max() >= 1:
        return False
    region = invariant_ellipsoid(step, state, near.radius)
    if region is None:
        return False
    exact = ExactNetwork(network)
    true = exact.fixed_point(state)
    form, size = region.form, flint.arb(region.size)
    assert distance(form, balls(state), true) <= region.offset
    factor = np.linalg.cholesky(form)
    here = exact.outputs(balls(state))
    for _ in range(tries):
        way = rng.normal(size=step.units)
        way = np.linalg.solve(factor.T, way / np.linalg.norm(way))
        # on the border of the true ellipsoid, to 50 digits
        border = [h + size * flint.arb(v) for h, v in zip(true, way.tolist(), strict=True)]
        scale = size / distance(form, border, true)
        border = [h + (b - h) * scale for h, b in zip(true, border, strict=True)]
        wide = flint.arb(1 + 1e-40)
        assert distance(form, exact.step(border), true) <= size * wide
        for z, z0, margin in zip(exact.outputs(border), here, region.margin, strict=True):
            assert abs(z - z0) <= flint.arb(float(margin))
        safe = [h + region.safe * (b - h) for h, b in zip(true, border, strict=True)]
        if np.isfinite(region.input_bound):
            shown = balls([region.input_bound * rng.choice([-1.0, 1.0])])
            assert distance(form, exact.step(safe, shown), true) <= region.safe * size * wide
        for share in [0.5, 0.99, 0.999999, 1.0, 1.0 + 1e-9, 1.01, 2.0]:
            at = state + share * region.size * way
            if region.holds(at):
                assert distance(form, balls(at), true) <= size
            ball = rng.normal(size=step.units)
            ball *= region.radius * min(share, 1.0) / np.linalg.norm(ball) * (1 - 1e-12)
            assert distance(form, balls(state + ball), true) <= size * flint.arb(1 + 1e-9)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_a_region_is_true_of_the_exact_map(kind):
    proved = [check(seed, kind, gap, tries=1) for seed, gap in enumerate(GAPS[:6])]
    assert sum(proved) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_many_regions_is_true_of_the_exact_map(kind):
    proved = [check(100 + seed, kind, GAPS[seed % 7]) for seed in range(84)]
    assert sum(proved) >= 40


def test_a_region_ends_before_the_next_kink_of_the_true_point():
    # relu, both drives positive: the second is 1e-3 above the kink
    network = models.RateRNN.from_weights(
        [[0.5, 0.0], [0.3, 0.2]], [[1.0], [1.0]], [[1.0, 1.0]],
        bias=[0.5, 1e-3 * 0.8 - 0.3], activation="relu",
    )  # fmt: skip
    step = step_of(network, None, None)
    state = np.array([1.0, 1e-3])
    region = invariant_ellipsoid(step, state, certify(step, state).radius)
    inverse = np.linalg.inv(region.form)
    row = step.recurrent[1]
    assert region.size * np.sqrt(row @ inverse @ row) <= 1e-3
    assert region.size * np.sqrt(row @ inverse @ row) > 0.99e-3


def test_positive_definite_says_no_at_the_border():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    for lowest in [1e-3, 1e-6, 1e-9]:
        matrix = turn @ np.diag(np.linspace(lowest, 1.0, 30)) @ turn.T
        matrix = (matrix + matrix.T) / 2
        assert positive_definite(matrix, 0.5 * lowest)
        assert not positive_definite(matrix, 1.01 * lowest)
    assert not positive_definite(np.diag([1.0, 0.0]), 0.0)
    assert not positive_definite(np.diag([1.0, np.nan]), 0.0)


def test_bounds_of_a_norm_hold_and_are_near():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(12, 12))
    form = root.T @ root + 0.1 * np.eye(12)
    norm = FormNorm.of((form + form.T) / 2)
    vectors = rng.normal(size=(200, 12))
    lengths = np.sqrt(np.einsum("vi,ij,vj->v", vectors, form, vectors))
    assert np.allclose([norm.length(v) for v in vectors], lengths, rtol=1e-8)
    rows = rng.normal(size=(5, 12))
    reached = np.abs(vectors @ rows.T) / lengths[:, None]
    assert (reached <= norm.reach(rows)).all()
    exact = np.sqrt(np.einsum("vi,ij,vj->v", rows, np.linalg.inv(form), rows))
    assert np.allclose(norm.reach(rows), exact, rtol=1e-6)
    matrix = rng.normal(size=(12, 12))
    signs = rng.choice([-1.0, 1.0], size=(200, 12))
    grown = [
        norm.length(s * (matrix @ v)) / n for s, v, n in zip(signs, vectors, lengths, strict=True)
    ]
    assert max(grown) <= norm.gain(matrix)
    assert largest_eigenvalue(form, 0.0) == pytest.approx(np.linalg.eigvalsh(form)[-1], rel=1e-5)
    assert FormNorm.of(form - np.linalg.eigvalsh(form)[0] * np.eye(12)) is None
