"""Planted cubes are found, and what is no cube is told from them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from attractory._errors import InvalidSetting
from attractory.analysis import StateSpace, hypercube
from attractory.tasks import FlipFlop, memory_states

ELSEWHERE = 50.0
NAMES = {
    1: ["-", "+"],
    2: ["--", "-+", "+-", "++"],
    3: ["---", "--+", "-+-", "-++", "+--", "+-+", "++-", "+++"],
}
SHEARED = np.array([[2.0, 0.3, 0.1], [0.8, 1.0, -0.2], [-0.3, 0.5, 0.7]])
MIDDLE = np.array([0.4, -1.0, 2.0])


def signs(bits):
    return np.array([[{"-": -1, "+": 1}[s] for s in name] for name in NAMES[bits]])


def corners(edges, middle):
    """Where each state lies when the cube's edge i joins the states that differ in bit i."""
    return np.array(
        [
            middle + sum(s * e / 2 for s, e in zip(row, edges, strict=True))
            for row in signs(len(edges))
        ]
    )


def space_with(places, bits):
    """A walk in which state i lies at places[i] while it is held, and far off otherwise."""
    targets = FlipFlop(bits=bits).walk().targets
    coordinates = np.full((*targets.shape[:2], places.shape[1]), ELSEWHERE)
    changes = np.flatnonzero(np.any(np.diff(targets[0], axis=0) != 0, axis=1)) + 1
    for start, end in zip(changes, [*changes[1:], targets.shape[1]], strict=True):
        state = NAMES[bits].index("".join("+" if v > 0 else "-" for v in targets[0, start]))
        length = end - start
        held = slice(start + length // 10, start + length * 4 // 10)
        coordinates[0, held] = places[state]
    nothing = np.zeros(0)
    memory = memory_states(targets)
    return StateSpace("svd", coordinates, nothing, nothing, nothing, memory, targets)


def embedded(edges, middle, dimensions, seed=0):
    """The same cube rotated into a space of more dimensions."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.normal(size=(dimensions, edges.shape[1])))[0].T
    return edges @ frame, middle @ frame + rng.normal(size=dimensions)


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_a_sheared_cube_is_a_cube(bits):
    edges = SHEARED[:bits]
    found = hypercube(space_with(corners(edges, MIDDLE), bits))
    assert found.names == NAMES[bits]
    np.testing.assert_allclose(found.centroids, corners(edges, MIDDLE), atol=1e-12)
    np.testing.assert_allclose(found.edges, edges, atol=1e-12)
    np.testing.assert_allclose(found.middle, MIDDLE, atol=1e-12)
    assert found.summary() == pytest.approx({"r_squared": 1.0, "one_bit_apart": 1.0})
    expected = {
        (a, b)
        for a, b in combinations(range(2**bits), 2)
        if np.sum(signs(bits)[a] != signs(bits)[b]) == 1
    }
    assert set(found.neighbours) == expected
    assert len(found.neighbours) == bits * 2 ** (bits - 1)


@pytest.mark.parametrize("dimensions", [3, 5, 12])
def test_a_cube_is_found_in_more_dimensions(dimensions):
    edges, middle = embedded(SHEARED, MIDDLE, dimensions)
    found = hypercube(space_with(corners(edges, middle), 3))
    np.testing.assert_allclose(found.edges, edges, atol=1e-12)
    np.testing.assert_allclose(found.middle, middle, atol=1e-12)
    assert found.r_squared == pytest.approx(1.0)
    assert found.one_bit_apart == 1.0


def fit_by_least_squares(places):
    """Share of the variance that the best affine function of the signs explains."""
    design = np.column_stack([np.ones(len(places)), signs(3)])
    residual = places - design @ np.linalg.lstsq(design, places, rcond=None)[0]
    return 1 - np.sum(residual**2) / np.sum((places - places.mean(axis=0)) ** 2)


def test_with_two_opposite_corners_exchanged_half_of_the_edges_are_wrong():
    places = corners(SHEARED, MIDDLE)
    places[[0, 7]] = places[[7, 0]]
    found = hypercube(space_with(places, 3))
    # each of the two has three of the twelve edges, which now join states two bits apart
    assert found.one_bit_apart == pytest.approx(0.5)
    assert found.r_squared == pytest.approx(fit_by_least_squares(places))
    assert found.r_squared < 0.7


def test_shuffled_states_are_no_cube():
    places = corners(SHEARED, MIDDLE)[[3, 0, 6, 5, 1, 7, 2, 4]]
    found = hypercube(space_with(places, 3))
    assert found.r_squared == pytest.approx(fit_by_least_squares(places))
    assert found.r_squared < 0.5
    assert found.one_bit_apart < 0.6


def test_centroids_are_means_over_all_visits():
    space = space_with(corners(SHEARED, MIDDLE), 3)
    second_half = np.arange(space.coordinates.shape[1]) > 600
    moved = np.where(second_half[:, None] & (space.coordinates[0] != ELSEWHERE), 1.0, 0.0)
    shifted = StateSpace(**{**vars(space), "coordinates": space.coordinates + moved})
    found = hypercube(shifted)
    share = np.full((8, 1), 0.5)
    share[0] = 3 / 24  # the walk ends with '---', 10 steps long: 3 of its 24 held steps
    np.testing.assert_allclose(found.centroids, corners(SHEARED, MIDDLE) + share, atol=1e-12)


def test_noise_on_the_corners_lowers_the_fit_and_no_more():
    rng = np.random.default_rng(4)
    edges, middle = embedded(SHEARED, MIDDLE, 6)
    places = corners(edges, middle) + 0.05 * rng.normal(size=(8, 6))
    found = hypercube(space_with(places, 3))
    assert found.r_squared == pytest.approx(fit_by_least_squares(places))
    assert 0.9 < found.r_squared < 0.9999
    assert found.one_bit_apart == 1.0


def test_a_state_that_is_never_held_is_named():
    space = space_with(corners(SHEARED, MIDDLE), 3)
    memory = np.where(space.memory == memory_states(np.array([1, -1, 1])), 13, space.memory)
    with pytest.raises(InvalidSetting, match=r"never hold the memory state \+-\+.*all 8.*walk"):
        hypercube(StateSpace(**{**vars(space), "memory": memory}))


def test_a_cube_needs_as_many_dimensions_as_bits():
    flat = space_with(corners(SHEARED[:, :2], MIDDLE[:2]), 3)
    with pytest.raises(InvalidSetting, match="2 dimensions; a cube of 3 bits needs at least 3"):
        hypercube(flat)
