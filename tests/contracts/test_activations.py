"""Every activation is one record, and a user's own record gets proofs like any other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

import attractory as at
from attractory.kernels import ACTIVATIONS, Activation, activation_of
from attractory.kernels import _own_activation as own

FACTS = {
    "odd": True,
    "low": -1.0,
    "high": 1.0,
    "max_slope": 1.0,
    "curvature": 1.4,
    "slope_turns": (0.0,),
    "source": "(1 + u²)^(-3/2) has its steepest places at ±1/2: 3/2 · (5/4)^(-5/2) < 0.86",
}


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a user registers is gone after the test."""
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)


def algebraic(u):
    return u / jnp.sqrt(1 + u**2)


def network(activation, seed=0, units=2, kind=at.models.RateRNN):
    rng = np.random.default_rng(seed)
    return kind.from_weights(
        2.5 * rng.normal(size=(units, units)),
        rng.normal(size=(units, 1)),
        np.ones((1, units)),
        bias=0.3 * rng.normal(size=units),
        activation=activation,
    )


def roots_by_brute_force(net):
    """Fixed points of two units by SciPy's root finder from a fine grid."""
    recurrent, bias = (np.asarray(w, np.float64) for w in (net.recurrent_weights, net.bias))

    def phi(u):
        return u / np.sqrt(1 + u**2)

    found = []
    for start in np.stack(np.meshgrid(*[np.linspace(-1, 1, 15)] * 2), -1).reshape(-1, 2):
        root, _, flag, _ = optimize.fsolve(
            lambda h: h - phi(recurrent @ h + bias), start, full_output=True, xtol=1e-13
        )
        rest = np.abs(root - phi(recurrent @ root + bias)).max()
        if flag == 1 and rest < 1e-9 and all(np.abs(root - other).max() > 1e-6 for other in found):
            found.append(root)
    return np.array(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [at.models.RateRNN, at.models.CurrentRNN])
def test_a_users_record_gets_proofs(seed, kind):
    at.models.activation(**FACTS)(algebraic)
    net = network("algebraic", seed, kind=kind)
    points = at.analysis.fixed_points(net)
    assert points.certified.all()
    assert points.decided.all()
    assert points.completeness.proved
    assert "given the bounds stated for 'algebraic'" in points.statement
    rates = points.states
    if kind is at.models.CurrentRNN:
        rates = rates / np.sqrt(1 + rates**2)
    expected = roots_by_brute_force(net)
    assert len(points) == len(expected)
    for root in expected:
        assert np.abs(rates - root).max(axis=1).min() < 1e-8


def test_without_facts_nothing_is_proved():
    at.models.activation(algebraic)
    points = at.analysis.fixed_points(network("algebraic"), n_starts=64)
    assert len(points) > 0
    assert not points.certified.any()
    assert "no proof is known" in points.statement


def test_it_is_trained_saved_loaded_and_known_to_the_commands(tmp_path):
    from attractory.cli._config import read_config

    at.models.activation(**FACTS)(algebraic)
    task = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
    model = at.models.RateRNN(units=6, activation=algebraic)
    assert model.activation == "algebraic"
    rule = at.rules.BPTT(steps=3, batch=4, optimizer="sgd")
    run = at.train(task, model, rule, path=tmp_path / "run", progress=False)
    assert at.load(tmp_path / "run").model == run.model
    asked = read_config(None, {"task": "flipflop"}, ["model.activation=algebraic"])
    assert asked.model.activation == "algebraic"
    drawn = at.figures.network(run.networks[0])
    said = [text.get_text() for axes in drawn.axes for text in axes.texts]
    assert "algebraic (activation)" in said


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"high": 0.5}, "high = 0.5 is wrong at u = "),
        ({"low": -0.5}, "low = -0.5 is wrong at u = "),
        ({"max_slope": 0.8}, "max_slope = 0.8 is wrong at u = "),
        ({"curvature": 0.5}, "curvature = 0.5 is wrong at u = "),
        ({"slope_turns": ()}, r"slope_turns = \(\) is wrong at u = "),
        ({"source": ""}, "curvature needs source beside it: why the bounds hold"),
        ({"low": -np.inf}, "without low and high, curvature needs tails"),
        ({"kink": (0,)}, "unknown fact 'kink'"),
    ],
)
def test_facts_that_values_contradict_are_refused(changed, complaint):
    with pytest.raises(at.InvalidSetting, match=complaint):
        at.models.activation(**{**FACTS, **changed})(algebraic)
    assert "algebraic" not in ACTIVATIONS


def test_a_function_that_is_not_odd_or_turns_is_refused():
    def bump(u):
        return u * jnp.exp(-(u**2))

    facts = {**FACTS, "max_slope": 1.0, "curvature": 3.0, "slope_turns": (-1.3, 0.0, 1.3)}
    with pytest.raises(at.InvalidSetting, match=r"turns = \(\) is wrong at u = -0.7"):
        at.models.activation(**facts)(bump)

    def shifted(u):
        return jnp.tanh(u - 0.5)

    with pytest.raises(at.InvalidSetting, match="odd = True is wrong"):
        at.models.activation(**{**FACTS, "slope_turns": (0.5,)})(shifted)


def test_a_name_of_another_is_refused():
    def tanh(u):
        return u

    with pytest.raises(at.InvalidSetting, match="the name 'tanh' belongs to"):
        at.models.activation(tanh)
    with pytest.raises(at.InvalidSetting, match="must act on each element by itself"):
        at.models.activation(lambda u: u - u.mean())


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_facts_of_every_record_hold_on_the_grid(name):
    record = ACTIVATIONS[name]
    assert activation_of(name) is record
    assert activation_of(record.function) is record
    if record.curvature is None:
        return
    values, slopes = record.value(own._WHERE), record.slope(own._WHERE)
    for fact, wrong in own._contradictions(record, values, slopes).items():
        assert not wrong.any(), (fact, own._WHERE[: len(wrong)][wrong][:3])
    assert record.source


@pytest.mark.parametrize("name", sorted(n for n, a in ACTIVATIONS.items() if a.slope_from_value))
def test_the_slope_from_the_value_is_the_slope(name):
    record = ACTIVATIONS[name]
    u = jnp.asarray(np.linspace(-4, 4, 200))
    expected = jax.vmap(jax.grad(record.function))(u)
    np.testing.assert_allclose(record.slope_from_value(record(u)), expected, atol=1e-6)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_names_elsewhere_are_of_the_same_functions(framework):
    u = np.linspace(-7, 7, 301).astype(np.float32)
    if framework == "keras":
        keras = pytest.importorskip("keras")
        there = {a.keras: a for a in ACTIVATIONS.values() if a.keras}
        made = {name: np.asarray(keras.activations.get(name)(u)) for name in there}
    else:
        torch = pytest.importorskip("torch")
        there = {a.torch: a for a in ACTIVATIONS.values() if a.torch}
        made = {name: getattr(torch, name)(torch.tensor(u)).numpy() for name in there}
    assert there
    for name, record in there.items():
        np.testing.assert_allclose(made[name], record(jnp.asarray(u)), atol=2e-6, err_msg=name)


def test_a_record_may_be_given_itself():
    record = Activation("steep", lambda u: jnp.tanh(2 * u))
    net = network(record)
    path = net.simulate(np.ones((1, 3, 1)), precision="float64")
    inside = np.asarray(net.input_weights)[:, 0] + np.asarray(net.bias)
    np.testing.assert_allclose(path.states[0, 0], np.tanh(2 * inside), rtol=1e-12)
