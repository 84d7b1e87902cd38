"""Feedback of the outputs: the loop as it is written, and the network that closes it."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import attractory as at
from attractory.models import GRU, Constraints, CurrentRNN, LowRankRNN, Network, RateRNN, Stacked

MODELS = {
    "rates": RateRNN(units=6, tau=2.0, feedback=True),
    "rates under Dale's law": RateRNN(
        units=6,
        feedback=True,
        bias=True,
        activation="softplus",
        constraints=Constraints(excitatory=0.5, density=0.8),
    ),
    "currents": CurrentRNN(units=6, tau=2.0, feedback=True),
    "low rank": LowRankRNN(units=6, feedback=True, recurrent_gain=1.2),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def network(model):
    """Two inputs, two outputs, a readout bias that matters."""
    made = model.build(2, 2, seed=3)
    return Network(model, {**made.weights, "output_bias": np.array([0.5, -0.3], np.float32)})


def by_hand(net, inputs):
    """States and outputs (time, …) of one trial with the feedback written out, in NumPy."""
    w = {name: np.asarray(array, np.float64) for name, array in net.weights.items()}
    recurrent = np.asarray(net.model.recurrent_weights(w))
    phi = {"tanh": np.tanh, "softplus": lambda x: np.log1p(np.exp(x))}[net.model.activation]
    of_currents, leak = net.model.form == "currents", net.model.leak
    state, states, outputs = np.zeros(net.units), [], []
    for x in inputs:
        rates = phi(state) if of_currents else state
        said = w["output_weights"] @ rates + w["output_bias"]
        drive = recurrent @ rates + w["input_weights"] @ x + w["feedback_weights"] @ said
        drive = drive + w.get("bias", 0.0)
        state = (1 - leak) * state + leak * (drive if of_currents else phi(drive))
        states.append(state)
        outputs.append(
            w["output_weights"] @ (phi(state) if of_currents else state) + w["output_bias"]
        )
    return np.array(states), np.array(outputs)


@every_model
def test_the_network_and_its_closed_loop_do_what_the_feedback_says(model):
    net = network(model)
    inputs = np.random.default_rng(0).normal(size=(12, 2))
    states, outputs = by_hand(net, inputs)
    for each in (net, net.closed_loop()):
        path = each.simulate(inputs, precision="float64")
        np.testing.assert_allclose(path.states, states, rtol=0, atol=1e-12)
        np.testing.assert_allclose(path.outputs, outputs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(net(inputs), outputs, rtol=0, atol=1e-4)
    assert np.abs(net.open_loop().simulate(inputs).outputs - outputs).max() > 0.01
    assert not net.closed_loop().model.has_feedback


@every_model
def test_fixed_points_are_proved_of_the_closed_loop(model):
    net = network(model)
    points = at.analysis.fixed_points(net, n_starts=32, max_starts=32)
    assert points.certified.all()
    with jax.enable_x64(True):
        for state in points.states:
            moved = net.model.step(net.weights, state, np.zeros(2))
            np.testing.assert_allclose(moved, state, rtol=0, atol=1e-7)


def test_the_spectrum_is_that_of_the_closed_loop_and_the_open_one_is_there_too():
    net = network(MODELS["currents"])
    w = {name: np.asarray(array, np.float64) for name, array in net.weights.items()}
    closed = w["recurrent_weights"] + w["feedback_weights"] @ w["output_weights"]
    for each, matrix, of in [
        (net, closed, "closed loop"),
        (net.closed_loop(), closed, "recurrent weights"),
        (net.open_loop(), w["recurrent_weights"], "recurrent weights"),
    ]:
        found = at.analysis.spectrum(each)
        assert found.of == of
        assert found.radius == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), rel=1e-9)


def test_all_else_begins_as_without_feedback():
    plain, with_feedback = RateRNN(units=6), RateRNN(units=6, feedback=True, feedback_gain=2.0)
    ours, theirs = with_feedback.build(2, 1, seed=5).weights, plain.build(2, 1, seed=5).weights
    for name, array in theirs.items():
        np.testing.assert_array_equal(ours[name], array)
    assert plain.to_json() == RateRNN(units=6, feedback=False).to_json()
    assert "feedback" not in plain.to_json()
    drawn = np.asarray(with_feedback.replace(units=2000).build(1, 1).weights["feedback_weights"])
    assert 1.9 < np.abs(drawn).max() <= 2
    assert drawn.var() == pytest.approx(4 / 3, rel=0.1)


def test_feedback_is_trained_only_where_that_is_said():
    assert not RateRNN(feedback=True).may_train("feedback_weights")
    assert RateRNN(feedback=True, trainable=("feedback_weights",)).may_train("feedback_weights")


def test_arrays_made_elsewhere_may_have_feedback():
    arrays = network(MODELS["currents"]).weights
    made = CurrentRNN.from_weights(
        arrays["recurrent_weights"],
        arrays["input_weights"],
        arrays["output_weights"],
        arrays["output_bias"],
        feedback=arrays["feedback_weights"],
        tau=2.0,
    )
    inputs = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_array_equal(
        made.simulate(inputs).outputs, network(MODELS["currents"].replace(bias=False))(inputs)
    )


def test_other_frameworks_get_the_closed_loop(tmp_path):
    net = network(RateRNN(units=6, feedback=True))
    file = at.exchange.write(net, tmp_path / "net.safetensors", "torch")
    back = at.from_torch(file)
    inputs = np.random.default_rng(2).normal(size=(3, 7, 2)).astype(np.float32)
    np.testing.assert_allclose(back(inputs), net(inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: CurrentRNN(feedback=True, read="currents"), "read = 'currents': 'rates'"),
        (lambda: CurrentRNN(feedback=True, bias_inside=True), "with bias_inside = True: False"),
        (lambda: Stacked((RateRNN(feedback=True),)), r"layers\[0\] has feedback, and a layer has"),
        (lambda: GRU().with_feedback(), "a GRU has no feedback.*allowed: RateRNN, LowRankRNN"),
        (lambda: RateRNN(feedback=True, feedback_gain=0.0), "feedback_gain = 0.0 is not allowed"),
    ],
)
def test_feedback_that_cannot_be_is_refused(make, said):
    with pytest.raises(at.InvalidSetting, match=said):
        make()


def test_the_schema_shows_the_way_back():
    for net, times in [(network(MODELS["rates"]), 2), (network(MODELS["rates"]).open_loop(), 0)]:
        figure = at.figures.network(net)
        said = [text.get_text() for axes in figure.axes for text in axes.texts]
        assert said.count(r"$W_\mathrm{fb}$") == times
        assert any(r"W_\mathrm{fb}\,z(t)" in line for line in said) == bool(times)
