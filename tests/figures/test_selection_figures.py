"""What is drawn of constant inputs: slow sets, fixed points under them, selection vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.quiver import Quiver

from attractory import InvalidSetting, analysis, figures, models, tasks

V = np.array([0.6, 0.64, 0.48])


@pytest.fixture(scope="module")
def net():
    """Each unit keeps a bit of its own: gain 2, so that a strong input leaves one state of it."""
    return models.RateRNN.from_weights(2 * np.eye(3), np.eye(3), np.eye(3))


@pytest.fixture(scope="module")
def integrator():
    return models.RateRNN.from_weights(
        np.outer(V, V), np.stack([V, [0.64, -0.6, 0]], axis=1), V[None], activation="relu", tau=5.0
    )


def space_of(net):
    inputs = np.random.default_rng(0).uniform(0, 0.1, (4, 60, net.n_inputs)).astype(np.float32)
    outputs = np.zeros((4, 60, net.n_outputs), np.float32)
    return analysis.state_space(net, tasks.Trials(inputs, outputs, outputs + 1), n=3)


@pytest.fixture(scope="module")
def line(integrator):
    return analysis.slow_sets(integrator, duration=500)


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_slow_sets_and_driven_points_of_one_input_have_one_colour(net):
    space = space_of(net)
    driven = {
        "push": analysis.fixed_points(net, [1.0, 0.0, 0.0], n_starts=128),
        "pull": analysis.fixed_points(net, [-1.0, 0.0, 0.0], n_starts=128),
    }
    slow = analysis.slow_sets(net, [1.0, 0.0, 0.0], n_starts=16)
    figure = figures.fixed_points(None, space, sets={"push": slow}, driven=driven, dimensions=2)
    assert texts(figure) == [
        "push",
        "pull",
        "stable, under input",
        "1 unstable dimension, under input",
        "2 unstable dimensions, under input",
        "trajectory",
    ]
    (axes,) = figure.axes
    looks = {each.get_label(): each for each in axes.collections if each.get_label()}
    for name, points in driven.items():
        drawn = looks[f"{name}: stable"]
        places = space.project(points.states[points.stable])[:, :2]
        np.testing.assert_allclose(drawn.get_offsets(), places)
    colors = {name: to_hex(each.get_facecolor()[0]) for name, each in looks.items()}
    assert colors["push: stable"] == colors["push: 1 unstable dimension"]
    assert colors["push: stable"] != colors["pull: stable"]
    # a slow point is not drawn a second time where its fixed points are
    assert not any(label.startswith("slow") for label in looks)


def test_a_slow_line_is_a_line_in_three_dimensions_and_in_two(integrator, line):
    space = space_of(integrator)
    expected = space.project(line.continuous[0].states)
    for dimensions in (3, 2):
        (axes,) = figures.fixed_points(None, space, sets=line, dimensions=dimensions).axes
        assert "slow set" in texts(axes.figure)
        (drawn,) = [each for each in axes.lines if each.get_label() == "slow line"]
        data = drawn.get_data_3d() if dimensions == 3 else drawn.get_data()
        np.testing.assert_allclose(np.stack(data, axis=1), expected[:, :dimensions])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"dimensions": 4}, "dimensions = 4 is not allowed: 2 or 3"),
        ({"sets": {"a": 1}}, r"sets\['a'\] is of type int; a SlowSets is needed"),
        ({"driven": "b"}, "driven is of type str"),
    ],
)
def test_bad_settings_are_one_line(given, complaint, integrator):
    with pytest.raises(InvalidSetting, match=complaint):
        figures.fixed_points(None, space_of(integrator), **given)


def test_sets_of_another_network_are_refused(net, line):
    space = space_of(net)
    one = line.continuous[0]
    other = replace(line, sets=[replace(one, states=one.states[:, :2])])
    with pytest.raises(InvalidSetting, match=r"sets\['a'\] is of 2 units, space of 3"):
        figures.fixed_points(None, space, sets={"a": other})


ON_IT = np.linspace(1, 5, 6)[:, None] * V  # where every unit is active: the network is linear
CHANGES = {"seen": [1.0, 0.0], "unseen": [0.0, 1.0]}


def test_selection_is_drawn_along_the_line(integrator):
    found = analysis.selection_vectors(integrator, ON_IT, directions=CHANGES)
    figure = figures.selection_vectors({"context": found}, space_of(integrator))
    plane, lengths = figure.axes
    assert plane.get_title() == "context"
    curve = lengths.lines[1].get_xydata()
    np.testing.assert_allclose(curve[:, 1], found.selected[:, 0])
    np.testing.assert_allclose(curve[:, 0], np.linspace(0, 4, 6))
    arrows = [each for each in plane.collections if isinstance(each, Quiver)]
    selection, seen, unseen = (np.stack([each.U, each.V], axis=1) for each in arrows)
    # W is symmetric: what is selected is what lies along the line; the other input lies across it
    for each in (selection, seen):
        np.testing.assert_allclose(each[:, 1], 0, atol=1e-9)
        assert (each[:, 0] > 0.5).all()
    np.testing.assert_allclose(unseen[:, 0], 0, atol=1e-9)
    assert "seen, in the end" in texts(figure)
    assert "of a complex pair" not in texts(figure)


def test_the_relevant_change_moves_forward(integrator):
    drawn = []
    for states in (ON_IT, ON_IT[::-1]):
        found = analysis.selection_vectors(integrator, states, directions=CHANGES)
        curve = figures.selection_vectors(replace(found, relevant="seen")).axes[1].lines[1]
        drawn.append(curve.get_xydata())
        assert (drawn[-1][:, 1] > 0).all()
    np.testing.assert_allclose(*drawn, atol=1e-9)


def test_lengths_of_a_complex_pair_are_hollow():
    turn = np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    net = models.RateRNN.from_weights(turn, np.eye(2), np.eye(2), activation="linear")
    found = analysis.selection_vectors(net, np.zeros((1, 2)))
    figure = figures.selection_vectors(found)
    assert "of a complex pair" in texts(figure)
    hollow = [
        each for each in figure.axes[1].lines
        if each.get_markerfacecolor() == "white" and each.get_marker() == "o"
    ]  # fmt: skip
    for each in hollow:
        np.testing.assert_allclose(each.get_ydata(), [1.0])
    assert len(hollow) == 2


def test_states_in_no_order_are_not_joined(net):
    found = analysis.selection_vectors(net, analysis.slow_sets(net, n_starts=16))
    plane, lengths = figures.selection_vectors(found).axes
    assert lengths.get_xlabel() == "State (number)"
    drawn = [each for each in (*plane.lines, *lengths.lines[1:]) if len(each.get_xdata()) > 1]
    assert {each.get_linestyle() for each in drawn} == {"None"}
