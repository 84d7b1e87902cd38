"""Lists that are proved complete, against enumerations that know nothing of the package's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from analysis.planted import plain_network, planted_bits

from attractory.analysis import fixed_points
from attractory.kernels import activation_of
from attractory.models import RateRNN

# two of three points lie where no trajectory comes through: 20 000 random starts found one
HIDDEN = np.array(
    [[6.711144968025527, -11.500615067153111], [10.814616564967212, 4.488583249837686]]
)
HIDDEN_BIAS = np.array([5.4658477304870345, -12.789638138076677])


def points_of_two_units(recurrent, bias, grid=400_001):
    """How many fixed points two tanh units have: roots of one equation in one unknown, by signs.

    The drive u of the first unit gives h1 = tanh(u), its equation then h2, and what is left is one
    function of u.
    """
    (a, b), (c, d) = recurrent
    reach = 1.05 * (abs(a) + abs(b) + abs(bias[0]))
    u = np.linspace(-reach, reach, grid)
    first = np.tanh(u)
    second = (u - a * first - bias[0]) / b
    signs = np.sign(second - np.tanh(c * first + d * second + bias[1]))
    crossing = signs[signs != 0]  # a root that lies on the grid itself is one change, not two
    return int((np.diff(crossing) != 0).sum())


def zeros_from_everywhere(recurrent, bias, activation, starts, rng, reach=1.0):
    """Distinct fixed points (point, unit) that plain Newton steps find from random states.

    Not those where I - DF is nearly singular: a small residual says nothing there.
    """
    shape = activation_of(activation)
    states = rng.uniform(-reach, reach, (starts, len(recurrent)))
    identity = np.eye(len(recurrent))
    for _ in range(60):
        drive = states @ recurrent.T + bias
        system = identity - shape.slope(drive)[:, :, None] * recurrent
        system = system + 1e-13 * identity
        move = np.linalg.solve(system, (states - shape.value(drive))[:, :, None])[:, :, 0]
        states = states - np.clip(np.nan_to_num(move), -reach / 4, reach / 4)
    rest = np.abs(states - shape.value(states @ recurrent.T + bias)).max(axis=1)
    found = states[rest < 1e-11]
    slopes = shape.slope(found @ recurrent.T + bias)
    weakest = np.linalg.svd(identity - slopes[:, :, None] * recurrent, compute_uv=False)[:, -1]
    return np.unique(found[weakest > 1e-3].round(6), axis=0)


def check_none_is_missing(points, others):
    for other in others:
        assert np.abs(points.states - other).max(axis=1).min() < 1e-5


def test_points_that_no_trajectory_comes_near_are_found_and_the_list_proved():
    found = fixed_points(plain_network(HIDDEN, HIDDEN_BIAS))
    assert len(found) == points_of_two_units(HIDDEN, HIDDEN_BIAS) == 3
    assert found.certified.all()
    assert found.completeness.proved
    assert "all of them: proved" in found.statement


def test_given_states_are_starts(monkeypatch):
    monkeypatch.setattr(
        "attractory.analysis.dynamics._find_points.enumerate_points", lambda *_: float("inf")
    )
    whole = zeros_from_everywhere(HIDDEN, HIDDEN_BIAS, "tanh", 400, np.random.default_rng(0))
    assert len(whole) == 3
    net = plain_network(HIDDEN, HIDDEN_BIAS)
    found = fixed_points(net, n_starts=2, max_starts=2, initial_states=whole)
    check_none_is_missing(found, whole)
    assert not found.completeness.proved


@pytest.mark.parametrize("gain", [2.0, 6.0, 20.0])
def test_two_units_have_as_many_points_as_their_curves_have_crossings(gain):
    rng = np.random.default_rng(int(gain))
    for _ in range(6):
        recurrent, bias = gain * rng.normal(size=(2, 2)), gain * rng.normal(size=2)
        found = fixed_points(plain_network(recurrent, bias), n_starts=16)
        assert found.completeness.proved
        assert len(found) == points_of_two_units(recurrent, bias)


def test_what_random_starts_find_is_in_the_list_of_three_units():
    rng = np.random.default_rng(3)
    for gain in (3.0, 10.0, 20.0):
        recurrent, bias = gain * rng.normal(size=(3, 3)), gain * rng.normal(size=3) / 2
        found = fixed_points(plain_network(recurrent, bias), n_starts=16)
        assert found.completeness.proved
        check_none_is_missing(found, zeros_from_everywhere(recurrent, bias, "tanh", 500, rng))


def by_patterns(recurrent, bias):
    """All fixed points of a relu network, from one system of equations for each set of active
    units."""
    found = []
    for active in itertools.product([False, True], repeat=len(bias)):
        on = np.array(active)
        state = np.zeros(len(bias))
        own = recurrent[np.ix_(on, on)]
        state[on] = np.linalg.solve(np.eye(int(on.sum())) - own, bias[on])
        drive = recurrent @ state + bias
        if ((drive > 0) == on).all():
            found.append(state)
    return np.array(found).reshape(-1, len(bias))


@pytest.mark.parametrize("units", [2, 5, 10])
def test_relu_networks_have_the_points_of_their_patterns(units):
    rng = np.random.default_rng(units)
    for _ in range(4):
        recurrent = rng.normal(size=(units, units)) * 2 / np.sqrt(units)
        bias = rng.normal(size=units)
        expected = by_patterns(recurrent, bias)
        found = fixed_points(plain_network(recurrent, bias, "relu"), n_starts=16)
        assert found.completeness.proved
        assert len(found) == len(expected)
        check_none_is_missing(found, expected)


def test_a_point_far_away_is_found_under_drive():
    """h = relu(0.997 h + 1): 1/0.003."""
    found = fixed_points(plain_network([[0.997]], None, "relu"), [1.0])
    np.testing.assert_allclose(found.states, [[1 / 0.003]], rtol=1e-9)
    rng = np.random.default_rng(0)
    along = np.abs(rng.normal(size=20))
    along /= np.linalg.norm(along)
    rest = 0.3 * rng.normal(size=(20, 20)) / np.sqrt(20)
    recurrent = 0.997 * np.outer(along, along) + rest - np.outer(rest @ along, along)
    net = RateRNN.from_weights(recurrent, along[:, None], np.ones((1, 20)), activation="relu")
    found = fixed_points(net, [1.0], n_starts=64)
    np.testing.assert_allclose(found.states, along[None] / 0.003, rtol=1e-6)


@pytest.mark.parametrize("activation", ["softplus", "silu", "elu", "leaky_relu", "relu6"])
def test_other_activations_are_enclosed_too(activation):
    """What is far away is excluded by how the activation grows; what is near by enclosure."""
    rng = np.random.default_rng(11)
    for _ in range(3):
        recurrent, bias = 1.5 * rng.normal(size=(3, 3)), rng.normal(size=3)
        found = fixed_points(plain_network(recurrent, bias, activation), n_starts=16)
        assert found.completeness.proved
        others = zeros_from_everywhere(recurrent, bias, activation, 300, rng, reach=20.0)
        check_none_is_missing(found, others)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_networks_of_low_rank_are_enclosed_in_their_few_coordinates(rank):
    """Independent bits: 3 to the power of the rank points, by hand; in a larger, turned network."""
    found = fixed_points(planted_bits(rank, 12, rank), n_starts=16)
    assert found.completeness.proved
    assert len(found) == 3**rank


@pytest.mark.slow
def test_a_rank_two_network_of_500_units_is_enclosed():
    """The overlaps κ = Rᵀ h of all fixed points, by a fine grid of starts in the plane."""
    rng = np.random.default_rng(0)
    left = rng.normal(size=(500, 2))
    right = rng.normal(size=(500, 2)) + 1.5 * left
    recurrent, bias = 2 * left @ right.T / 500, 0.1 * rng.normal(size=500)
    found = fixed_points(plain_network(recurrent, bias))
    assert found.completeness.proved
    reach = np.abs(2 * right.T / 500).sum(1)
    grid = np.array(list(itertools.product(*[np.linspace(-r, r, 40) for r in reach])))
    for _ in range(40):
        rates = np.tanh(grid @ left.T + bias)
        wrong = grid - rates @ right * 2 / 500
        slopes = 1 - rates**2
        system = np.eye(2) - np.einsum("ji,sj,jk->sik", right * 2 / 500, slopes, left)
        grid = grid - np.linalg.solve(system + 1e-13 * np.eye(2), wrong[:, :, None])[:, :, 0]
        grid = np.clip(np.nan_to_num(grid), -reach, reach)
    rest = np.abs(grid - np.tanh(grid @ left.T + bias) @ right * 2 / 500).max(axis=1)
    places = np.unique(grid[rest < 1e-12].round(6), axis=0)
    assert len(places) == len(found)


def test_at_a_fold_one_point_is_listed_and_called_undecided():
    """h = tanh(2 h + b) with b such that the line touches the curve at h = √½."""
    touching = np.sqrt(0.5)
    bias = np.arctanh(touching) - 2 * touching
    found = fixed_points(plain_network([[2.0]], [bias]))
    assert (np.abs(found.states[:, 0] - touching) < 1e-3).sum() == 1
    assert len(found) == 2
    assert "undecided" in found.statement
    assert not found.completeness.proved
    assert "no other further than" in found.statement


def test_nothing_is_said_to_be_proved_where_points_fill_a_line():
    found = fixed_points(plain_network(np.eye(2), None, "linear"), n_starts=64, max_starts=64)
    assert not found.completeness.proved
    assert "all of them" not in found.statement


@pytest.mark.slow
@pytest.mark.parametrize("units", [2, 3])
def test_500_networks_of_few_units_lose_no_point(units):
    rng = np.random.default_rng(units)
    for i in range(250):
        gain, share = rng.uniform(0.5, 20), rng.choice([0.0, 0.5, 1.0])
        recurrent = gain * rng.normal(size=(units, units))
        bias = share * gain * rng.normal(size=units)
        found = fixed_points(plain_network(recurrent, bias), n_starts=16)
        assert found.completeness.proved, i
        if units == 2:
            assert len(found) == points_of_two_units(recurrent, bias), i
        check_none_is_missing(found, zeros_from_everywhere(recurrent, bias, "tanh", 400, rng))
