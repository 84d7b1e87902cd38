"""What every registered cell keeps, and a user's own: everybody else asks for facts alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

import attractory as at
from attractory import models
from attractory.analysis.dynamics._step import network_step
from attractory.models import (
    GRU,
    LSTM,
    Constraints,
    CurrentRNN,
    Custom,
    LowRankRNN,
    Model,
    RateRNN,
    Stacked,
)

INPUTS, OUTPUTS, TRIALS, STEPS = 2, 1, 3, 7
TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
RULE = at.rules.BPTT(steps=4, batch=4, optimizer="sgd")  # which compiles soonest


class Adapting(Model):
    """A user's own cell, a class of hers: rates with a slow variable that is subtracted."""

    units: int = 4
    strength: float = 0.5

    @property
    def state_size(self):
        return 2 * self.units

    def cell_shapes(self, n_inputs):
        return {
            "recurrent_weights": (self.units, self.units),
            "input_weights": (self.units, n_inputs),
        }

    def cell_init(self, key, input_key, n_inputs):
        return {
            "recurrent_weights": jax.random.normal(key, (self.units, self.units)) / 2,
            "input_weights": jax.random.normal(input_key, (self.units, n_inputs)),
        }

    def step(self, weights, state, x, key=None):
        rates, slow = state[: self.units], state[self.units :]
        drive = weights["recurrent_weights"] @ rates + weights["input_weights"] @ x
        slow = 0.9 * slow + 0.1 * rates
        return jnp.concatenate([jnp.tanh(drive - self.strength * slow), slow])


def own_step(weights, state, x):
    return jnp.tanh(weights["recurrent_weights"] @ state + weights["input_weights"] @ x)


def noisy_step(weights, state, x, key):
    moved = own_step(weights, state, x)
    return moved if key is None else moved + 0.1 * jax.random.normal(key, moved.shape)


LAYERS = (GRU(units=3), CurrentRNN(units=4, trained_start=True))
CELLS = {
    "RateRNN": RateRNN(units=5, bias=True, tau=2.0, trained_start=True),
    "RateRNN, Dale": RateRNN(
        units=5, constraints=Constraints(excitatory=0.6), activation="softplus"
    ),
    "LowRankRNN": LowRankRNN(units=5, tau=3.0),
    "CurrentRNN": CurrentRNN(units=5, tau=2.0, trained_start=True),
    "CurrentRNN, bias inside": CurrentRNN(units=5, bias_inside=True, read="currents"),
    "CurrentRNN, Dale": CurrentRNN(
        units=5, constraints=Constraints(excitatory=0.6, density=0.8), activation="sigmoid"
    ),
    "CurrentRNN, low rank": CurrentRNN(units=5, rank=2, recurrent_init="aligned", tau=2.0),
    "RateRNN, feedback": RateRNN(units=5, tau=2.0, feedback=True),
    "CurrentRNN, feedback": CurrentRNN(units=5, tau=2.0, feedback=True, trained_start=True),
    "LowRankRNN, feedback": LowRankRNN(units=5, bias=True, feedback=True),
    "GRU": GRU(units=4, tau=2.0),
    "GRU, reset first": GRU(units=4, reset_after=False),
    "LSTM": LSTM(units=3),
    "Custom": Custom(step=own_step, units=4),
    "Custom, noisy": Custom(step=noisy_step, units=4),
    "Stacked": Stacked(layers=LAYERS),
    "Adapting": Adapting(),
}
every_cell = pytest.mark.parametrize("cell", CELLS)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """The user's cell is registered, and gone after the test."""
    known = models._registry._registry
    monkeypatch.setattr(known, "parts", dict(known.parts))
    models.register(Adapting)


def network(cell, seed=1):
    """A network of this cell with all weights away from where they start."""
    model = CELLS[cell]
    net = model.build(INPUTS, OUTPUTS, seed=seed)
    rng = np.random.default_rng(seed)
    moved = {
        name: array + 0.2 * rng.normal(size=array.shape).astype(np.float32)
        for name, array in net.weights.items()
    }
    moved |= {name: net.weights[name] for name in moved if not model.may_train(name)}
    return models.Network(model, model.constrained(moved, moved))


def inputs(trials=TRIALS, steps=STEPS):
    return np.random.default_rng(2).normal(size=(trials, steps, INPUTS)).astype(np.float32)


def test_every_registered_cell_is_tried():
    assert {type(model).__name__ for model in CELLS.values()} == set(models.names())


@every_cell
def test_the_seed_decides_the_weights_and_shapes_are_as_said(cell):
    model = CELLS[cell]
    one, same, other = (model.build(INPUTS, OUTPUTS, seed=seed) for seed in (3, 3, 4))
    shapes = model.weight_shapes(INPUTS, OUTPUTS)
    assert {name: array.shape for name, array in one.weights.items()} == shapes
    for name in shapes:
        np.testing.assert_array_equal(one.weights[name], same.weights[name])
    assert any(not np.array_equal(one.weights[n], other.weights[n]) for n in shapes)
    path = one.simulate(inputs())
    assert path.states.shape == (TRIALS, STEPS, model.state_size)
    assert path.outputs.shape == (TRIALS, STEPS, OUTPUTS)
    assert one.n_inputs == INPUTS
    assert model.hidden(path.states).shape[-1] == model.units


@every_cell
def test_sequences_are_the_scan_of_the_step(cell):
    net = network(cell)
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(w, jnp.float64) for name, w in net.weights.items()}
        given = jnp.asarray(inputs(), jnp.float64).swapaxes(0, 1)
        start = net.model.first_state(weights, TRIALS, jnp.float64)
        found = net.model.cell_states(weights, given, start)
        state = list(start)
        for t, now in enumerate(given):
            state = [net.model.step(weights, s, x) for s, x in zip(state, now, strict=True)]
            np.testing.assert_allclose(found[t], jnp.stack(state), rtol=1e-11, atol=1e-12)


@every_cell
def test_gradients_are_those_of_finite_differences(cell):
    net = network(cell)
    model = net.model.replace(activation="tanh", constraints=None) if "Dale" in cell else net.model
    with jax.enable_x64(True):
        own = {n: jnp.asarray(w, jnp.float64) for n, w in net.weights.items() if model.may_train(n)}
        given = jnp.asarray(inputs(), jnp.float64)
        wave = jnp.sin(jnp.arange(TRIALS * STEPS)).reshape(TRIALS, STEPS, 1)

        def loss(weights):
            cell_states = model.cell_states(
                weights,
                given.swapaxes(0, 1),
                model.first_state(weights, TRIALS, jnp.float64),
            )
            read = model.hidden(cell_states) @ weights["output_weights"].T
            return jnp.sum((model.readout(weights, read, None) - wave) ** 2)

        gradients = jax.grad(loss)(own)
        rng = np.random.default_rng(4)
        for name in own:
            along = rng.normal(size=own[name].shape)
            ends = [loss({**own, name: own[name] + h * along}) for h in (1e-5, -1e-5)]
            slope = float(ends[0] - ends[1]) / 2e-5
            found = float(jnp.sum(gradients[name] * along))
            assert found == pytest.approx(slope, rel=1e-5, abs=1e-8), name


@pytest.mark.parametrize("cell", few(list(CELLS), ("RateRNN", "LSTM", "Stacked")))
def test_a_window_cuts_the_gradient_and_changes_no_state(cell):
    net, window = network(cell), 3
    model = net.model
    with jax.enable_x64(True):
        own = {n: jnp.asarray(w, jnp.float64) for n, w in net.weights.items()}
        given = jnp.asarray(inputs(), jnp.float64).swapaxes(0, 1)
        wave = jnp.sin(jnp.arange(STEPS * TRIALS * model.state_size))

        def start(weights):
            return model.first_state(weights, TRIALS, jnp.float64)

        def in_windows(weights):
            states = model.cell_states(weights, given, start(weights), window=window)
            return jnp.sum(wave * states.ravel()), states

        def step_by_step(weights):
            state, states = start(weights), []
            for t, now in enumerate(given):
                if t in (window, 2 * window):
                    state = jax.lax.stop_gradient(state)
                state = jax.vmap(lambda s, x: model.step(weights, s, x))(state, now)
                states.append(state)
            return jnp.sum(wave * jnp.stack(states).ravel()), jnp.stack(states)

        found, states = jax.grad(in_windows, has_aux=True)(own)
        expected, by_step = jax.grad(step_by_step, has_aux=True)(own)
        np.testing.assert_allclose(states, by_step, rtol=1e-11, atol=1e-12)
        for name in own:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-11)


@every_cell
def test_an_initial_state_continues_exactly(cell):
    net, given = network(cell), inputs()
    if net.model.has_cell_noise():
        pytest.skip("its noise is drawn anew for each sequence")
    whole = net.simulate(given)
    first = net.simulate(given[:, :3])
    rest = net.simulate(given[:, 3:], initial_state=first.states[:, -1])
    np.testing.assert_array_equal(whole.states[:, :3], first.states)
    np.testing.assert_allclose(whole.states[:, 3:], rest.states, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", few(list(CELLS), ("CurrentRNN", "GRU", "Adapting")))
@pytest.mark.usefixtures("undrawn")
def test_it_trains_saves_loads_and_is_reported(cell, tmp_path, monkeypatch):
    model = CELLS[cell]
    run = at.train(TASK, model, RULE, seed=2, path=tmp_path / "run", progress=False)
    functions = {"step": model.function} if isinstance(model, Custom) else {}
    back = at.load(tmp_path / "run", **functions)
    assert back.model == run.model
    for name, array in run.networks[0].weights.items():
        np.testing.assert_array_equal(back.networks[0].weights[name], array)
    if model.weight_constraints is not None:
        assert at.analysis.audit(run).violations == 0
    if "," in cell:  # its class has a page already
        return
    monkeypatch.setattr(at.tasks.FlipFlop, "conditions", lambda task: {})  # those are of the task
    # whole pages are drawn for two; of the others what depends on the cell
    titles = None if cell in ("CurrentRNN", "Adapting") else ("Weights", "What was run")
    sections = [each for each in at.report.sections() if titles is None or each.title in titles]
    results = at.report.study(back, n=8)
    page = at.report.write(back, tmp_path / "report.html", results, sections=sections).read_text()
    assert "Eigenvalues" in page
    net = back.networks[0]
    square = net.model.square_recurrent_weights(net.weights) is not None
    assert ("Recurrent weights of network 0" in page) == (square or bool(net.model.gates))


@every_cell
def test_fixed_points_are_where_the_network_stays(cell):
    net = network(cell)
    points = at.analysis.fixed_points(net, n_starts=64, max_starts=64)
    assert len(points) > 0
    silence = np.zeros((len(points), 1, INPUTS))
    stay = net.simulate(silence, initial_state=points.states, precision="float64")
    if not net.model.has_cell_noise():
        np.testing.assert_allclose(stay.states[:, 0], points.states, rtol=0, atol=1e-8)
        np.testing.assert_allclose(stay.outputs[:, 0], points.outputs, rtol=0, atol=1e-8)
    provable = net.model.rate_form(net.weights) is not None
    assert points.certified.any() == provable
    assert ("no proof is known" in points.statement) == (not provable)


@every_cell
def test_jacobians_are_those_of_finite_differences(cell):
    net = network(cell)
    step = network_step(net, np.array([0.3, -0.2]))
    state = 0.4 + 0.3 * np.random.default_rng(5).normal(size=(1, step.units))
    found, of_input = step.jacobians(state)[0], step.input_jacobian(state[0])
    row = np.arange(1.0, step.units + 1)
    np.testing.assert_allclose(step.pull_back(state, row[None])[0], row @ found, rtol=1e-9)
    h = 1e-6
    for j, along in enumerate(np.eye(step.units)):
        slope = (step(state + h * along) - step(state - h * along))[0] / (2 * h)
        np.testing.assert_allclose(found[:, j], slope, rtol=0, atol=1e-7)
    for j, along in enumerate(np.eye(INPUTS)):
        ends = [step.with_inputs(step.inputs + sign * h * along)(state)[0] for sign in (1, -1)]
        np.testing.assert_allclose(of_input[:, j], (ends[0] - ends[1]) / (2 * h), atol=1e-7)


@every_cell
def test_its_equation_is_drawn(cell):
    figure = at.figures.network(network(cell))
    figure.canvas.draw()  # the mathtext is well formed
    said = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    for line in CELLS[cell].equation().lines:
        assert line in said


def test_a_users_cell_is_known_to_the_commands():
    from attractory.cli._config import read_config

    settings = ["model.name=Adapting", "model.units=7", "model.strength=0.2"]
    asked = read_config(None, {"task": "flipflop"}, settings)
    assert asked.model == Adapting(units=7, strength=0.2)
    with pytest.raises(at.InvalidSetting, match="did you mean 'Adapting'"):
        read_config(None, {"task": "flipflop"}, ["model.name=Adaptin"])


def test_what_is_no_model_is_refused():
    with pytest.raises(at.InvalidSetting, match=r"no subclass of attractory\.models\.Model"):
        models.register(at.tasks.FlipFlop)
