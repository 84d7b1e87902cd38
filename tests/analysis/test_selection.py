"""Selection vectors: planted ones, and how far pulses move a network in the end, simulated."""

from __future__ import annotations

import numpy as np
import pytest

import attractory as at
from attractory.analysis import SelectionVectors, selection_vectors, slow_sets

UNITS = 6
RNG = np.random.default_rng(3)
LINE = RNG.normal(size=UNITS)
LINE /= np.linalg.norm(LINE)
ACROSS = np.linalg.qr(np.stack([LINE, RNG.normal(size=UNITS)], axis=1))[0][:, 1]
SELECTION = LINE + 2 * ACROSS  # SELECTION · LINE = 1
KEPT, LOST = LINE + ACROSS, LINE - ACROSS / 2  # both reach 1 along the line; 3 and 0 of it stay
ON_IT = np.linspace(-1, 1, 5)[:, None] * LINE


def linear(recurrent, inputs):
    return at.models.RateRNN.from_weights(recurrent, inputs, np.eye(UNITS), activation="linear")


@pytest.fixture(scope="module")
def net():
    """What is along LINE stays, all else is halved in each step."""
    projector = np.outer(LINE, SELECTION)
    return linear(projector + 0.5 * (np.eye(UNITS) - projector), np.stack([KEPT, LOST], axis=1))


def left_after(net, state, change, steps=300):
    """Where a pulse of one step leaves a state, measured from where it would be without."""
    pulse = np.zeros((2, steps, len(change)))
    pulse[1, 0] = change
    start = net.simulate(pulse, initial_state=state, precision="float64").states
    return start[1, -1] - start[0, -1]


def test_a_planted_selection_vector_is_found(net):
    found = selection_vectors(net, ON_IT)
    np.testing.assert_allclose(found.line, np.tile(LINE, (5, 1)), atol=1e-12)
    np.testing.assert_allclose(found.selection, np.tile(SELECTION, (5, 1)), atol=1e-12)
    np.testing.assert_allclose(found.selected, np.tile([3.0, 0.0], (5, 1)), atol=1e-12)
    np.testing.assert_allclose(found.entering, np.ones((5, 2)), atol=1e-12)
    np.testing.assert_allclose(found.alignment, 1.0)
    assert found.directions == ("input 1", "input 2")
    assert found.single.all()
    backward = selection_vectors(net, ON_IT[::-1])
    np.testing.assert_allclose(backward.line, -found.line, atol=1e-12)
    np.testing.assert_allclose(backward.selected, -found.selected, atol=1e-12)


def test_what_is_selected_is_what_a_pulse_leaves_behind(net):
    changes = {"both": [1.0, 1.0], "little": [0.1, -0.5]}
    found = selection_vectors(net, ON_IT, directions=changes)
    for i, change in enumerate(changes.values()):
        for state, line, selected in zip(ON_IT, found.line, found.selected[:, i], strict=True):
            np.testing.assert_allclose(left_after(net, state, change), selected * line, atol=1e-12)


def test_of_a_complex_pair_lengths_are_taken_in_its_plane():
    """Two coordinates turn without decay; left behind by a pulse is a circle of that radius."""
    basis = RNG.normal(size=(UNITS, UNITS))  # not orthogonal: what enters is not what stays
    turn = 0.5 * np.eye(UNITS)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    # orthogonal within the plane, so that the circle is one
    basis[:, :2] = np.linalg.qr(basis[:, :2])[0]
    net = linear(basis @ turn @ np.linalg.inv(basis), RNG.normal(size=(UNITS, 2)))
    found = selection_vectors(net, np.zeros((1, UNITS)))
    assert not found.single.any()
    assert np.isnan(found.selection).all()
    assert found.known.all()
    radii = [np.linalg.norm(left_after(net, np.zeros(UNITS), change)) for change in np.eye(2)]
    np.testing.assert_allclose(found.selected[0], radii, rtol=1e-9)
    plane = basis[:, :2] @ basis[:, :2].T
    np.testing.assert_allclose(
        found.entering[0], np.linalg.norm(plane @ net.weights["input_weights"], axis=0), rtol=1e-6
    )
    assert "at 1 of 1 state the slowest modes are a complex pair" in found.statement


def test_of_slow_sets_the_longest_line_is_looked_at():
    v = np.array([0.6, 0.8])
    net = at.models.RateRNN.from_weights(
        np.outer(v, v), np.eye(2), v[None], activation="relu", tau=5.0
    )
    sets = slow_sets(net, duration=500)
    found = selection_vectors(net, sets)
    assert found.kind == "line"
    np.testing.assert_array_equal(found.states, sets.continuous[0].states)
    # the origin, where both units are on their kink, has no Jacobian
    inside = found.states.min(axis=1) > 1e-9
    sign = np.sign(found.line[inside][0] @ v)
    np.testing.assert_allclose(found.selected[inside], np.tile(sign * v / 5, (inside.sum(), 1)))
    with pytest.raises(at.InvalidSetting, match="inputs is given beside slow sets"):
        selection_vectors(net, sets, [0.0, 0.0])


def test_points_apart_have_no_order():
    net = at.models.RateRNN.from_weights(2 * np.eye(2), np.eye(2), np.eye(2))
    sets = slow_sets(net, n_starts=32)
    found = selection_vectors(net, sets)
    assert (found.kind, found.in_order, len(found)) == ("point", False, len(sets))
    assert np.isnan(found.alignment).all()
    largest = np.abs(found.line).argmax(axis=1)
    assert (found.line[np.arange(len(found)), largest] > 0).all()


def test_of_a_gated_cell_it_is_what_the_linearisation_says():
    net = at.models.GRU(units=4).build(2, 1, seed=1)
    state, inputs = 0.3 * RNG.normal(size=4), [0.2, -0.1]
    near = at.analysis.linearisation(net, state, inputs)
    slowest = np.abs(near.eigenvalues - 1).argmin()
    assert near.eigenvalues[slowest].imag == 0
    found = selection_vectors(net, state[None], inputs)
    sign = np.sign(found.line[0] @ near.modes[:, slowest].real)
    np.testing.assert_allclose(found.selected[0], sign * near.input_selection[slowest].real)


def decides(context):
    """Seven inputs; of the stimuli that of the context's modality stays, the other does not."""
    evidence = np.outer(KEPT, [0, 1, -1, 0, 0, 0, 0]), np.outer(LOST, [0, 0, 0, 1, -1, 0, 0])
    into = evidence[0] + evidence[1] if context == 1 else evidence[0] * 0.1 + evidence[1]
    projector = np.outer(LINE, SELECTION)
    return linear(projector + 0.5 * (np.eye(UNITS) - projector), into)


def test_the_task_says_what_is_compared_and_what_counts():
    task = at.tasks.ContextDecision()
    context = task.constant_inputs()[0]
    found = selection_vectors(decides(1), ON_IT, context.inputs, task=task)
    assert (found.name, found.relevant) == ("context 1, stimulus off", "modality 1")
    assert found.directions == ("modality 1", "modality 2")
    assert found.ratios("modality 1", "modality 2")[1] == pytest.approx(np.ones(5))
    assert "more than 1000 times as far along its slowest modes" in found.statement
    assert "and reaches 1 times as far along it at first" in found.statement
    table = found.table()
    assert table["selected"].tolist() == pytest.approx([3.0, 0.0])
    assert table["relevant"].tolist() == [True, False]
    other = selection_vectors(decides(2), ON_IT, [0.0] * 7, task=task)
    assert (other.name, other.relevant) == ("", "")
    assert other.statement.startswith("a step of modality 1 moves the network 0.3 along")
    with pytest.raises(at.InvalidSetting, match="'modality 3': allowed: modality 1"):
        found.ratios("modality 1", "modality 3")


def test_a_task_without_evidence_has_its_channels_compared():
    task = at.tasks.get("parametric_memory")
    net = at.models.RateRNN(units=3, tau=100, dt=20).build(task.n_inputs, task.n_outputs, seed=0)
    found = selection_vectors(net, np.zeros((1, 3)), task.constant_inputs()[0].inputs, task=task)
    assert found.name == "fixation alone"
    assert found.directions == ("fixation", "stimulus")


def test_it_is_saved_and_comes_back(net, tmp_path):
    found = selection_vectors(net, ON_IT)
    back = SelectionVectors.load(found.save(tmp_path / "selection.safetensors"))
    assert back.statement == found.statement


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"states": ON_IT[:, :4]}, r"states has shape \(5, 4\); it must be \(state, 6\)"),
        ({"states": "line"}, "states = 'line' is not allowed"),
        ({"directions": {"a": [1.0]}}, r"directions\['a'\] has shape \(1,\); it must be \(2,\)"),
        ({"directions": [1.0, 0.0]}, "directions = .* is not allowed: a Mapping is needed"),
        ({"task": "context"}, "task 'context' is unknown"),
    ],
)
def test_bad_arguments_are_one_line(net, given, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        selection_vectors(net, **{"states": ON_IT, **given})


def test_nothing_slow_is_one_line(net):
    sets = slow_sets(net, n_starts=4)
    nothing = at.analysis.SlowSets([], 1.0, 0.05, 1.0, 10, sets.inputs)
    with pytest.raises(at.InvalidSetting, match="nothing is slow"):
        selection_vectors(net, nothing)


def test_a_step_without_inputs_is_one_line():
    with pytest.raises(at.InvalidSetting, match="inputs = None is not allowed for a step"):
        selection_vectors(lambda h, x: 0.5 * h, np.zeros((1, 2)))
    found = selection_vectors(lambda h, x: 0.5 * h + x, np.zeros((1, 2)), np.zeros(2))
    assert found.directions == ("input 1", "input 2")


@pytest.mark.slow
def test_networks_trained_by_the_recipe_select_where_there_is_a_stimulus():
    """Mante et al. 2013 of a network of our own: the evidence that counts stays, in each context.

    In the delay the line attracts: no state on it is left but along it.
    """
    task = at.tasks.ContextDecision()
    recipe = at.recipe(task)
    net = at.train(task, recipe.model, recipe.rule, progress=False).networks[0]
    for held in task.constant_inputs():
        sets = slow_sets(net, held.inputs, task=task)
        if "off" in held.name:
            assert "a line attractor" in sets.statement
            continue
        found = selection_vectors(net, sets, task=task)
        other = "modality 2" if held.relevant == "modality 1" else "modality 1"
        assert np.median(found.ratios(held.relevant, other)[0]) >= 5
