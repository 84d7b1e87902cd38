"""Saddles, the attractors that they join, and the borders between basins."""

from __future__ import annotations

import numpy as np
import pytest
from analysis.planted import planted_bits

from attractory import InvalidSetting, analysis, models


@pytest.fixture(scope="module")
def points():
    return analysis.fixed_points(planted_bits(3), n_starts=256)


def test_three_independent_bits_make_the_three_cube(points):
    found = analysis.connections(points)
    assert found.hypercube == 3
    assert len(found.edges) == 12
    for _, one, other in found.edges:
        differ = np.sign(points.outputs[one]) != np.sign(points.outputs[other])
        assert differ.sum() == 1
    for point, reached in found.reached.items():
        assert len(reached) == 2 ** points.n_unstable[point]
        # a face of the cube: all corners that agree with the bits that are set at the point
        fixed = np.abs(points.outputs[point]) > 0.1
        corners = np.sign(points.outputs[list(reached)])
        assert (corners[:, fixed] == np.sign(points.outputs[point][fixed])).all()


def test_graph_carries_outputs_and_saddles(points):
    graph = analysis.connections(points, max_unstable=1).graph
    assert sorted(graph.nodes) == points.stable.tolist()
    for node, data in graph.nodes(data=True):
        assert np.array_equal(data["outputs"], points.outputs[node])
    assert all(len(data["saddles"]) == 1 for _, _, data in graph.edges(data=True))


def test_a_chain_of_states_is_no_cube():
    # hard_tanh(3h ± ...) is not needed: one unit with three stable states by a staircase of units
    net = models.RateRNN.from_weights(
        [[1.2, 0.9, 0.9], [3.0, 0.0, 0.0], [3.0, 0.0, 0.0]],
        [[1.0], [0.0], [0.0]],
        [[1.0, 0.0, 0.0]],
        bias=[0.0, -2.0, 2.0],
    )
    found = analysis.connections(analysis.fixed_points(net, n_starts=256))
    count = len(found.points.stable)
    assert found.hypercube is (1 if count == 2 else None)
    assert found.graph.number_of_nodes() == count
    assert found.graph.number_of_edges() == count - 1  # on a line every saddle joins neighbours


def test_border_between_two_memories_is_where_the_bit_changes_sign(points):
    first = int(points.stable[0])
    signs = np.sign(points.outputs[points.stable])
    apart = (signs != signs[0]).sum(axis=1)
    neighbour = int(points.stable[np.flatnonzero(apart == 1)[0]])
    border = analysis.basin_border(points, first, neighbour)
    assert border.share == pytest.approx(0.5, abs=1e-6)
    assert points.n_unstable[border.saddle] == 1
    bit = np.flatnonzero(signs[0] != np.sign(points.outputs[neighbour]))[0]
    assert border.state @ points.step.output_weights[bit] == pytest.approx(0, abs=1e-6)


def test_smallest_disturbance_brings_one_bit_to_zero(points):
    # the basin of a memory ends where s·h of one block is 0: from h = a0 s that is a push along s
    # of 2-norm a0 √m, the least there is
    pushes = analysis.smallest_disturbances(points, points.stable[:2])
    a0 = 0.9575040240772687
    for push in pushes:
        assert push.size == pytest.approx(a0 * np.sqrt(12), rel=2e-3)
        assert push.size == pytest.approx(np.linalg.norm(push.vector), rel=1e-9)
        before, after = np.sign(points.outputs[push.start]), np.sign(points.outputs[push.end])
        assert (before != after).sum() == 1


def test_smallest_disturbance_turns_to_the_normal_of_a_slanted_border():
    # W = u vᵀ, nearly linear: the border between ± states is {h: v·h = 0}, whatever u is
    u, v = np.array([1.0, 0.2, 0.0, 0.1]), np.array([1.4, 0.9, -0.8, 0.3])
    net = models.RateRNN.from_weights(np.outer(u, v), np.eye(4), np.eye(4))
    points = analysis.fixed_points(net, n_starts=64)
    assert len(points.stable) == 2
    (push,) = analysis.smallest_disturbances(points, points.stable[:1])
    home = points.states[push.start]
    nearest = abs(v @ home) / np.linalg.norm(v)  # distance of a point to a plane
    assert push.size == pytest.approx(nearest, rel=5e-3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda p: analysis.connections(p, max_unstable=0), "max_unstable = 0"),
        (lambda p: analysis.basin_border(p, 0, 0), "end = 0"),
        (
            lambda p: analysis.basin_border(p, 0, 26),
            "end = 26 is not allowed: the index of a stable",
        ),
        (lambda p: analysis.smallest_disturbances(p, [20]), "starts = 20"),
    ],
)
def test_bad_input(points, call, match):
    with pytest.raises(InvalidSetting, match=match):
        call(points)
