"""Angles of selection vectors with axes: planted ones, and beside SciPy's principal angles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles

import attractory as at
from attractory.analysis import (
    coding_axes,
    demixed_pca,
    selection_angles,
    selection_vectors,
    task_axes,
)
from attractory.models import Trajectory
from attractory.tasks import Trials

UNITS, STEPS, COUNT = 6, 4, 60
RNG = np.random.default_rng(3)
LINE, ACROSS = np.linalg.qr(RNG.normal(size=(UNITS, 2)))[0].T
SELECTION = LINE + 2 * ACROSS  # SELECTION · LINE = 1
ON_IT = np.linspace(-1, 1, 5)[:, None] * LINE


@pytest.fixture(scope="module")
def vectors():
    """What is along LINE stays, all else is halved in each step."""
    projector = np.outer(LINE, SELECTION)
    recurrent = projector + 0.5 * (np.eye(UNITS) - projector)
    net = at.models.RateRNN.from_weights(
        recurrent, np.eye(UNITS), np.eye(UNITS), activation="linear"
    )
    return selection_vectors(net, ON_IT)


@pytest.fixture(scope="module")
def states():
    """A choice along the line, evidence across it, a place of four on a plane of its own."""
    choice, evidence, place = np.arange(COUNT) % 2, np.arange(COUNT) // 2 % 3, np.arange(COUNT) % 4
    zeros = np.zeros((COUNT, STEPS, 1))
    conditions = {"choice": choice, "evidence": evidence, "place": place}
    trials = Trials(zeros, zeros, conditions=conditions, dt=10.0)
    carried = np.outer(choice - 0.5, LINE) + np.outer(evidence - 1.0, ACROSS)
    noise = RNG.normal(0, 0.1, (COUNT, STEPS, UNITS)) * np.linspace(0.5, 2, UNITS)
    return Trajectory(zeros, carried[:, None] + noise, zeros, 10.0), trials


def angle(one, other):
    cosine = abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other)
    return np.degrees(np.arccos(min(cosine, 1.0)))


def test_an_axis_along_the_line_and_one_across_it_are_told_apart(vectors, states):
    found = selection_angles(vectors, task_axes(*states, ["choice", "evidence"]))
    assert found.axes == ("choice", "evidence")
    choice, evidence = found.line.T
    assert choice.max() < 10
    assert evidence.min() > 75
    # what lies across the line stays along it, too: the selection vector takes in twice as much
    np.testing.assert_allclose(found.selected, np.tile([1.0, 2.0], (5, 1)), atol=0.25)
    assert "the line lies nearest to choice (" in found.statement
    assert found.table()["axis"].tolist() == ["choice", "evidence"]


def test_each_kind_of_direction_is_compared_with_its_like(vectors, states):
    """Axes are of z-scored states, encoders and decoders of states as they are."""
    axes = task_axes(*states, ["choice", "evidence"])
    found = selection_angles(vectors, axes)
    for i, own in enumerate(axes.axes):
        assert found.line[2, i] == pytest.approx(angle(LINE, own * axes.scale))
        assert found.selection[2, i] == pytest.approx(angle(SELECTION, own / axes.scale))
    demixed = demixed_pca(*states, ["choice", "evidence"], ridge=0.1)
    found = selection_angles(vectors, demixed)
    assert found.axes == demixed.names
    for i in range(len(demixed.names)):
        assert found.line[0, i] == pytest.approx(angle(LINE, demixed.encoders[i]))
        assert found.selection[0, i] == pytest.approx(angle(SELECTION, demixed.decoders[i]))


def test_of_a_subspace_it_is_scipys_principal_angle(vectors, states):
    axes = coding_axes(*states, ["place", "choice"])
    found = selection_angles(vectors, axes, moment=1)
    for i, name in enumerate(("place", "choice")):
        basis = axes.axes[name][1]
        expected = np.degrees(subspace_angles(LINE[:, None], basis.T)[0])
        assert found.line[3, i] == pytest.approx(expected)
        assert found.selected[3, i] == pytest.approx(np.linalg.norm(basis @ SELECTION))
    decoder = np.subtract(*axes.decoders["choice"][1])
    assert found.selection[3, 1] == pytest.approx(angle(SELECTION, decoder))
    best = int(axes.alike[1].argmax())
    usual = selection_angles(vectors, axes)
    assert usual.line[0, 1] == selection_angles(vectors, axes, best).line[0, 1]


def test_chance_is_that_of_random_directions(vectors, states):
    axes = coding_axes(*states, ["place", "choice"])
    found = selection_angles(vectors, axes)
    drawn = np.random.default_rng(0).normal(size=(20_000, UNITS))
    for i, name in enumerate(("place", "choice")):
        count = axes.axes[name].shape[1]
        cosines = np.linalg.norm(drawn[:, :count], axis=1) / np.linalg.norm(drawn, axis=1)
        expected = np.quantile(np.degrees(np.arccos(cosines)), 0.05)
        np.testing.assert_allclose(found.chance[:, i], expected, atol=1)


def test_of_a_complex_pair_it_is_the_plane_in_which_the_network_turns(states):
    """What a displacement leaves behind turns on a circle of that radius."""
    rng = np.random.default_rng(5)
    turn = 0.5 * np.eye(UNITS)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    basis = rng.normal(size=(UNITS, UNITS))
    basis[:, :2] = np.linalg.qr(basis[:, :2])[0]  # so that the circle is one
    recurrent = basis @ turn @ np.linalg.inv(basis)
    net = at.models.RateRNN.from_weights(
        recurrent, np.eye(UNITS), np.eye(UNITS), activation="linear"
    )
    axes = coding_axes(*states, ["choice", "place"])
    found = selection_angles(selection_vectors(net, np.zeros((1, UNITS))), axes, moment=0)
    assert not found.single.any()
    for i, name in enumerate(("choice", "place")):
        carrying = axes.axes[name][0]
        angles = np.degrees(subspace_angles(basis[:, :2], carrying.T))
        assert found.line[0, i] == pytest.approx(angles.min(), abs=1e-6)
        after = np.linalg.matrix_power(recurrent, 200) @ carrying.T
        assert found.selected[0, i] == pytest.approx(np.linalg.norm(after, 2))
    decoder = np.subtract(*axes.decoders["choice"][0])[:, None]
    expected = np.degrees(subspace_angles(np.linalg.inv(basis)[:2].T, decoder)).min()
    assert found.selection[0, 0] == pytest.approx(expected, abs=1e-6)
    drawn = np.random.default_rng(1).normal(size=(3000, UNITS, 2))
    sizes = len(axes.axes["place"][0])
    near = [subspace_angles(each, np.eye(UNITS)[:, :sizes]).min() for each in drawn[:1000]]
    assert found.chance[0, 1] == pytest.approx(np.degrees(np.quantile(near, 0.05)), abs=3)
    assert "at 1 of which the slowest modes are a complex pair" in found.statement


def test_what_is_not_allowed_is_one_line(vectors, states):
    axes = coding_axes(*states, "choice", bins=2)
    with pytest.raises(at.InvalidSetting, match="moment = 2 is not allowed: 0 to 1"):
        selection_angles(vectors, axes, 2)
    with pytest.raises(at.InvalidSetting, match="only CodingAxes have moments"):
        selection_angles(vectors, task_axes(*states, "choice"), 0)
    path, trials = states
    still = Trajectory(path.inputs, 0 * path.states + 1, path.outputs, 10.0)
    with pytest.raises(at.InvalidSetting, match="states do not differ by choice at moment 0"):
        selection_angles(vectors, coding_axes(still, trials, "choice"))
    fewer = Trajectory(path.inputs, path.states[..., :4], path.outputs, 10.0)
    with pytest.raises(at.InvalidSetting, match="axes are of 4 units, the selection vectors of 6"):
        selection_angles(vectors, task_axes(fewer, trials, "choice"))
    with pytest.raises(at.InvalidSetting, match="a TaskAxes or a DemixedPCA or a CodingAxes"):
        selection_angles(vectors, LINE)
