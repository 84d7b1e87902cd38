"""A network and a task whose steps differ in length, or whose axes do, do not meet in silence."""

from __future__ import annotations

import numpy as np
import pytest
import xarray

import attractory as at
from attractory.models import GRU, LSTM, CurrentRNN, Custom, RateRNN, Stacked
from attractory.tasks import Trials
from attractory.training._arguments import checked_arguments

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 20), pulse=5, delay=5, dt=25.0)
RULE = at.rules.BPTT(steps=1, batch=2)


def built(model):
    return model.build(TASK.n_inputs, TASK.n_outputs)


def trained(model, task=TASK):
    """The model that `at.train` would train."""
    return checked_arguments(task, model, RULE, 1, 0)[0]


TAKEN = {
    "neither said": (RateRNN(units=4), 25.0, 25.0),
    "tau said": (RateRNN(units=4, tau=100.0), 100.0, 25.0),
    "after replace": (RateRNN(units=4).replace(units=5, tau=40.0), 40.0, 25.0),
    "both said": (CurrentRNN(units=4, tau=50.0, dt=25.0), 50.0, 25.0),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_model_that_never_said_its_dt_takes_the_tasks(name):
    model, tau, dt = TAKEN[name]
    made = trained(model)
    assert (made.tau, made.dt) == (tau, dt)
    assert trained(made) == made  # it is said now


def test_cells_without_a_time_constant_and_layers_do_so_too():
    stack = Stacked(layers=(LSTM(units=3), GRU(units=3, tau=60.0)))
    lower, upper = trained(stack).layers
    assert (lower.dt, upper.dt, upper.tau) == (25.0, 25.0, 60.0)
    custom = Custom(step=lambda w, s, x: 0.5 * s + w["input_weights"] @ x, units=3)
    assert trained(custom).dt == 25.0


def test_where_steps_are_equal_nothing_changes():
    task = at.tasks.get("flipflop")
    for model in (RateRNN(units=4, tau=10.0), RateRNN(units=4, tau=10.0, dt=1.0), RateRNN(units=4)):
        assert trained(model, task) == model


@pytest.mark.slow
def test_a_run_says_the_length_of_its_steps(tmp_path):
    run = at.train(TASK, RateRNN(units=4, tau=100.0), RULE, path=tmp_path / "run", progress=False)
    assert run.model.dt == at.load(tmp_path / "run").networks[0].model.dt == 25.0
    assert np.isfinite(at.evaluate(run.networks, TASK, n=4).mse).all()


REFUSED = {
    "dt said": (
        RateRNN(units=4, tau=10.0, dt=1.0),
        "model: dt = 1, but the steps .* dt = 25; they",
    ),
    "tau too short": (RateRNN(units=4, tau=10.0), "model: tau = 10 is shorter than a step"),
    "a layer": (Stacked(layers=(RateRNN(units=4, dt=1.0), GRU(units=3))), "model: dt = 1, but"),
    "a label": (LSTM(units=4, dt=5.0), "model: dt = 5, but"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_dt_is_refused_in_training(name):
    model, said = REFUSED[name]
    with pytest.raises(at.InvalidSetting, match=said) as caught:
        at.train(TASK, model, RULE, progress=False)
    assert "\n" not in str(caught.value)


MEETINGS = {
    "evaluate": lambda net: at.evaluate(net, TASK, n=4),
    "robustness": lambda net: at.robustness(net, TASK, vary="noise", values=[0.1], n=4),
    "psychometric": lambda net: at.evaluation.psychometric(net, TASK, n=4),
    "by_condition": lambda net: at.evaluation.by_condition(net, TASK, "any", n=4),
    "state_space": lambda net: at.analysis.state_space(net, TASK.sample(4)),
    "fixed_points": lambda net: at.analysis.fixed_points(net, n_starts=4, max_starts=4, task=TASK),
    "fixed_points of trials": lambda net: at.analysis.fixed_points(net, 4, task=TASK.sample(4)),
    "imported_run": lambda net: at.runs._foreign.imported_run(net, TASK, __file__),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_every_place_where_a_network_meets_a_task(name):
    meet = MEETINGS[name]
    net = built(RateRNN(units=4, tau=10.0))
    with pytest.raises(
        at.InvalidSetting, match=r"has steps of dt = 1, .* of dt = 25; .*with_dt.25"
    ):
        meet(net)
    with pytest.raises(at.InvalidSetting, match="has steps of dt = 1, "):
        meet(built(RateRNN(units=4, dt=1.0)))


def test_an_automaton_is_of_the_tasks_steps():
    task = at.tasks.get("flipflop", bits=1, dt=5.0)
    with pytest.raises(at.InvalidSetting, match="has steps of dt = 1, the task flipflop of dt = 5"):
        at.analysis.automaton(RateRNN(units=4, tau=10.0).build(1, 1), task)


def test_a_network_whose_steps_have_no_length_is_taken_step_by_step():
    """As those of other frameworks: without a time constant nothing depends on the length."""
    net = built(RateRNN(units=4))
    assert np.isfinite(at.evaluate(net, TASK, n=4).mse)
    plain = RateRNN.from_weights(net.recurrent_weights, net.input_weights, net.output_weights)
    assert np.isfinite(at.evaluate(plain, TASK, n=4).mse)
    assert at.runs._foreign.imported_run(plain, TASK, __file__).model.dt == 25.0


LAYERS = Stacked(layers=(CurrentRNN(units=3, tau=3.0), GRU(units=2)))


@pytest.mark.parametrize(
    "model",
    [
        RateRNN(units=4, tau=7.0),
        pytest.param(LSTM(units=3), marks=pytest.mark.slow),
        pytest.param(LAYERS, marks=pytest.mark.slow),
    ],
)
def test_steps_of_another_length_compute_the_same(model):
    net = built(model)
    inputs = TASK.sample(3).inputs
    other = net.with_dt(25.0)
    assert other.model.step_length == 25.0
    np.testing.assert_allclose(other.respond(inputs), net.respond(inputs), atol=1e-6)
    assert np.isfinite(at.evaluate(other, TASK, n=4).mse)
    for wrong in (0, -1.0, float("nan"), "25", True):
        with pytest.raises(at.InvalidSetting, match="is not allowed: a number above 0"):
            net.with_dt(wrong)


def test_axes_in_another_order_are_told_where_they_can_be():
    net = RateRNN(units=4).build(2, 1)
    given = np.zeros((5, 9, 2))
    turned = given.swapaxes(0, 1)
    start = np.zeros((5, 4))
    assert net.simulate(given, initial_state=start).outputs.shape == (5, 9, 1)
    with pytest.raises(at.InvalidSetting, match=r"\(9, 5, 2\) and initial_state is of 5 trials"):
        net.simulate(turned, initial_state=start)
    named = xarray.DataArray(turned, dims=("time", "trial", "input"))
    with pytest.raises(at.InvalidSetting, match=r"dimensions \(time, trial, input\); they must be"):
        net.simulate(named)
    right = named.transpose("trial", "time", "input")
    assert net.simulate(right).outputs.shape == (5, 9, 1)
    trials = Trials(turned, turned[..., :1], turned[..., :1], conditions={"side": np.ones(5)})
    with pytest.raises(at.InvalidSetting, match=r"\(9, 5, 2\) and side is of 5 trials"):
        at.analysis.state_space(net, trials)


def test_numbers_that_are_none_in_float32_are_refused():
    for place in ("recurrent", "input", "output"):
        arrays = {"recurrent": np.eye(3), "input": np.ones((3, 1)), "output": np.ones((1, 3))}
        arrays[place] = arrays[place] * 1e300
        with pytest.raises(at.InvalidSetting, match=rf"{place} has a value of size 1e\+300"):
            RateRNN.from_weights(**arrays)
    with pytest.raises(at.InvalidSetting, match=r"recurrent_init has a value of size 1e\+39"):
        RateRNN(units=3, recurrent_init=1e39 * np.eye(3))
