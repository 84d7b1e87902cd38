"""A new user's mistakes: each is answered in one line, or taken where its meaning is plain."""

from __future__ import annotations

import inspect
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import attractory as at

LONGEST = 300
TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(4, 8), gaps=(9, 12), pulse=3, delay=3)
NET = at.models.RateRNN(units=4).build(1, 1, seed=1)
OTHER = at.models.RateRNN(units=4).build(1, 1, seed=2)
TRIALS = TASK.sample(3, seed=0)
RUN = at.Run.of(NET, TASK)
TWO = at.Run.of([NET, OTHER], TASK)
WEIGHTS = {"recurrent": np.eye(3), "input": np.ones((3, 1)), "output": np.ones((1, 3))}
analysis, tasks, models, rules = at.analysis, at.tasks, at.models, at.rules


@cache
def points():
    return analysis.fixed_points(NET, n_starts=8, max_starts=8)


@cache
def space():
    return analysis.state_space(NET, TRIALS, n=1)


def set_(thing, name, value):
    return lambda: setattr(thing, name, value)


def timeline_tuple_name(name):
    class Counting(tasks.EpochTask):
        parts = ("wait",)
        wait: float = 5.0

        def trial(self, key):
            steps = jnp.arange(getattr(self.timeline(key), name))
            return tasks.Trial(jnp.ones((steps.size, 1)), jnp.ones((steps.size, 1)))

    return Counting().sample(2)


# what is refused: a piece of the line (a regular expression), and the mistake
REFUSED = {
    # figures
    "half of a figure": (
        "missing a required argument: 'spectrum'",
        lambda: at.figures.connectivity(1),
    ),
    "a figure of nothing": (r"slow_sets\(sets, space", lambda: at.figures.slow_sets()),
    "a setting no figure has": (
        "unknown argument 'colour'",
        lambda: at.figures.spectrum(1, colour=2),
    ),
    # networks
    "evaluate nothing": ("networks = None", lambda: at.evaluate(None, TASK)),
    "evaluate a number": ("networks = 3", lambda: at.evaluate(3, TASK)),
    "evaluate a name": ("networks = 'GRU'", lambda: at.evaluate("GRU", TASK)),
    "evaluate a model": (r"networks = RateRNN\(", lambda: at.evaluate(models.RateRNN(), TASK)),
    "evaluate a model's class": ("the class GRU", lambda: at.evaluate(models.GRU, TASK)),
    "evaluate an empty list": ("networks is empty", lambda: at.evaluate([], TASK)),
    "evaluate a list with more": (r"networks\[1\] = 'x'", lambda: at.evaluate([NET, "x"], TASK)),
    "evaluate an array": ("networks", lambda: at.evaluate(np.eye(3), TASK)),
    "evaluate trials": ("networks = Trials", lambda: at.evaluate(TRIALS, TASK)),
    "task before network": ("task = Network", lambda: at.evaluate(TASK, NET)),
    "evaluate without a task": ("task = None", lambda: at.evaluate(NET)),
    "robustness of nothing": ("networks = None", lambda: at.robustness(None, TASK)),
    "spectrum of nothing": ("network = None", lambda: analysis.spectrum(None)),
    "spectrum of weights": ("network", lambda: analysis.spectrum(np.eye(3))),
    "spectrum of a name": ("network = 'x'", lambda: analysis.spectrum("x")),
    "connectivity of a task": ("network = FlipFlop", lambda: analysis.connectivity(TASK)),
    "audit of a name": ("networks = 'runs/a'", lambda: analysis.audit("runs/a")),
    "export of several": (r"2 networks.*run.networks\[0\]", lambda: at.to_torch(TWO)),
    "Keras of several": (r"run.networks\[0\]", lambda: at.to_keras(TWO)),
    "ONNX of several": (r"run.networks\[0\]", lambda: at.to_onnx(TWO, "x.onnx")),
    "export of nothing": ("network = None", lambda: at.to_keras(None)),
    "export without a file": ("missing.*'path'", lambda: at.to_onnx(NET)),
    # tasks
    "an unknown task": ("did you mean 'flipflop'", lambda: at.evaluate(NET, "flip_flop")),
    "a rule as a task": (r"task = BPTT\(", lambda: at.evaluate(NET, rules.BPTT())),
    "a run as a task": ("run.task", lambda: at.train(RUN)),
    "an unknown task to train": ("task 'memory' is unknown", lambda: at.train("memory")),
    "a number as a task": ("task = 3", lambda: at.recipe(3)),
    "another class as a task": ("the class GRU", lambda: at.train(models.GRU)),
    "a list of tasks": ("task = ", lambda: at.evaluate(NET, [TASK])),
    "another number of inputs": ("n_inputs = 1", lambda: at.evaluate(NET, "context_decision")),
    "a class of many inputs": ("n_inputs", lambda: at.evaluate(NET, tasks.ContextDecision)),
    "inputs as a task's trials": (
        "task = an array",
        lambda: analysis.fixed_points(NET, task=TRIALS.inputs),
    ),
    # training
    "a network to train": (
        "model = Network.*a Model is needed",
        lambda: at.train(TASK, NET),
    ),
    "model and task in another order": ("task = RateRNN", lambda: at.train(models.RateRNN(), TASK)),
    "a model's class": ("did you mean GRU", lambda: at.train(TASK, models.GRU)),
    "a rule as a model": ("model = BPTT", lambda: at.train(TASK, rules.BPTT())),
    "seeds": (r"seed = \[0, 1, 2\]", lambda: at.train(TASK, seed=[0, 1, 2])),
    "a seed below 0": ("seed = -1", lambda: at.train(TASK, seed=-1)),
    "half a network": ("nets = 1.5", lambda: at.train(TASK, nets=1.5)),
    "no networks": ("nets = 0", lambda: at.train(TASK, nets=0)),
    "an unknown argument": ("did you mean 'nets'", lambda: at.train(TASK, net=3)),
    "steps of train": ("unknown argument 'steps'", lambda: at.train(TASK, steps=100)),
    "too many arguments": (
        "too many positional",
        lambda: at.train(TASK, models.GRU(), rules.BPTT(), 4),
    ),
    "steps of another length": (
        r"dt = 1, but.*dt = 25.*model.replace\(dt=25\)",
        lambda: at.train(tasks.ContextDecision(), models.RateRNN(tau=100, dt=1)),
    ),
    "scores with steps of another length": (
        "with_dt",
        lambda: at.evaluate(models.RateRNN(tau=100, dt=1).build(7, 3), tasks.ContextDecision()),
    ),
    "trials with steps of another length": (
        "with_dt",
        lambda: (
            models.RateRNN(tau=100, dt=1).build(7, 3).simulate(tasks.ContextDecision().sample(2))
        ),
    ),
    # settings
    "a task's setting is set": (r"replace\(noise=2.0\)", set_(TASK, "noise", 2.0)),
    "a model's setting is set": (r"replace\(units=5\)", set_(NET.model, "units", 5)),
    "a rule's setting is set": (r"replace\(steps=5\)", set_(rules.BPTT(), "steps", 5)),
    "a typo is set": ("did you mean 'noise'", set_(TASK, "nois", 2.0)),
    "a setting is deleted": ("cannot be changed", lambda: delattr(TASK, "noise")),
    "a typo in a setting": ("did you mean 'units'", lambda: models.RateRNN(unit=5)),
    "a typo in replace": ("did you mean 'bits'", lambda: TASK.replace(bit=2)),
    "a typo in get": ("did you mean 'bits'", lambda: tasks.get("flipflop", bit=2)),
    "an unknown attribute of a task": ("did you mean 'noise'", lambda: TASK.nois),
    "an unknown attribute of a model": ("did you mean 'units'", lambda: NET.model.unit),
    "an unknown attribute of a rule": ("learning_rate", lambda: rules.BPTT().learning_rat),
    "two by position": ("by name", lambda: models.RateRNN(100, "tanh")),
    "twice": ("given twice", lambda: models.RateRNN(100, units=50)),
    "a task's setting by position": ("by name", lambda: tasks.FlipFlop(3)),
    "a rule's setting by position": ("by name", lambda: rules.BPTT(100)),
    "half a unit": ("units = 5.5", lambda: models.RateRNN(units=5.5)),
    "an array of units": ("units = an array", lambda: models.RateRNN(units=np.array([5, 6]))),
    "a flag for a number": ("units = True", lambda: models.RateRNN(units=True)),
    "a step that is no index": (
        "starts: 9",
        lambda: analysis.continuation(points(), [1.0], starts=[9]),
    ),
    "an amplitude of nothing": (
        "maximum = -1",
        lambda: analysis.continuation(points(), [1.0], maximum=-1),
    ),
    "another network of scores": (
        "net = 2.*0 to 1",
        lambda: at.evaluate([NET, OTHER], TASK, 4).of_network(2),
    ),
    "initial weights of another kind": (
        "input_init",
        lambda: models.RateRNN(4, input_init=TASK),
    ),
    "one value to vary": ("values = 0.5", lambda: at.robustness(NET, TASK, values=0.5)),
    "an unknown condition": ("vary = 3", lambda: at.robustness(NET, TASK, vary=3)),
    "an epoch by number": ("epoch = 0", lambda: TRIALS.during(0)),
    "steps of no length": ("dt = 0", lambda: NET.with_dt(0)),
    "units in words": ("units = 'many'", lambda: models.RateRNN("many")),
    "settings of get by position": ("positional", lambda: tasks.get("flipflop", 3)),
    # attributes
    "a typo in scores": ("did you mean 'correct'", lambda: at.evaluate(NET, TASK, 4).corect),
    "a typo in trials": ("did you mean 'inputs'", lambda: TRIALS.input),
    "a typo in a trajectory": ("did you mean 'states'", lambda: NET.simulate(TRIALS).state),
    "a typo in a run": ("did you mean 'networks'", lambda: RUN.network),
    "a typo in a network": ("units", lambda: NET.unit),
    "a typo in fixed points": ("did you mean 'states'", lambda: points().state),
    "a typo in the package": ("did you mean 'evaluate'", lambda: at.evalute),
    "count of a timeline": (
        "Timeline has no 'count'.*n_steps",
        lambda: timeline_tuple_name("count"),
    ),
    "index of a timeline": ("Timeline has no 'index'", lambda: timeline_tuple_name("index")),
    "starts of a timeline": (
        "Timeline has no 'starts'; allowed: anywhere_in, during, limits, n_steps",
        lambda: timeline_tuple_name("starts"),
    ),
    # trials and arrays
    "no trials at all": ("n = 0", lambda: TASK.sample(0)),
    "trials in words": ("n = '10'", lambda: TASK.sample("10")),
    "a typo in sample": ("did you mean 'seed'", lambda: TASK.sample(3, sed=1)),
    "another seed": ("seed = 1.5", lambda: TASK.sample(3, seed=1.5)),
    "trials without targets": ("missing.*'targets'", lambda: tasks.Trials(TRIALS.inputs)),
    "trials of other lengths": (
        "targets has shape",
        lambda: tasks.Trials(TRIALS.inputs, TRIALS.targets[:, :5]),
    ),
    "one trial as trials": (
        r"must be \(trial, time, input\)",
        lambda: tasks.Trials(TRIALS.inputs[0], TRIALS.targets[0]),
    ),
    "a mask by trial": (
        "mask has shape",
        lambda: tasks.Trials(TRIALS.inputs, TRIALS.targets, np.ones(3)),
    ),
    "inputs of another size": ("inputs have shape", lambda: NET.simulate(np.ones((3, 5, 2)))),
    "inputs in words": ("inputs = 'noise'", lambda: NET.simulate("noise")),
    "a task as inputs": ("inputs = FlipFlop", lambda: NET.simulate(TASK)),
    "no inputs": ("inputs = None", lambda: NET.simulate(None)),
    "rows of other lengths": ("an array of numbers", lambda: NET([[1.0], [1.0, 2.0]])),
    "a typo in simulate": ("did you mean 'seed'", lambda: NET.simulate(TRIALS, sed=1)),
    "a state of another size": (
        "initial_state has shape",
        lambda: NET.simulate(TRIALS, initial_state=np.ones(3)),
    ),
    "axes in another order": (
        "transpose",
        lambda: NET(xarray.DataArray(np.ones((5, 3, 1)), dims=("time", "trial", "input"))),
    ),
    "build from a task": ("missing.*'n_outputs'", lambda: models.GRU(units=3).build(TASK)),
    "weights of other sizes": (
        "input has shape",
        lambda: models.RateRNN.from_weights(**{**WEIGHTS, "input": np.ones((2, 1))}),
    ),
    "weights in words": (
        "recurrent",
        lambda: models.RateRNN.from_weights(**{**WEIGHTS, "recurrent": "eye"}),
    ),
    "weights without a readout": (
        "output",
        lambda: models.RateRNN.from_weights(recurrent=np.eye(3), input=np.ones((3, 1))),
    ),
    # analyses
    "states of inputs": (
        "trials = an array.*Trials",
        lambda: analysis.state_space(NET, TRIALS.inputs),
    ),
    "states of a task": ("trials = FlipFlop.*sample", lambda: analysis.state_space(NET, TASK)),
    "states without trials": ("missing.*'trials'", lambda: analysis.state_space(NET)),
    "points under trials": ("task=trials", lambda: analysis.fixed_points(NET, inputs=TRIALS)),
    "points of a trajectory": (
        "network = Trajectory",
        lambda: analysis.fixed_points(NET.simulate(TRIALS)),
    ),
    "attractors of a network": ("points = Network.*fixed_points", lambda: analysis.attractors(NET)),
    "connections of a list": ("points = ", lambda: analysis.connections([points()])),
    "a border of points without ends": ("missing", lambda: analysis.basin_border(points())),
    "a continuation without a pattern": ("'pattern'", lambda: analysis.continuation(points())),
    "a cube of a network": ("space = Network.*state_space", lambda: analysis.hypercube(NET)),
    "linearisation without a state": ("'state'", lambda: analysis.linearisation(NET)),
    "automaton without a task": ("'task'", lambda: analysis.automaton(NET)),
    # runs, reports, files
    "a report without a task": ("task = None", lambda: at.report.write(NET, "x.html")),
    "a report without a path": ("path = None", lambda: at.report.write(NET, task=TASK)),
    "a report of a folder": ("run = 'runs/memory'", lambda: at.report.write("runs/memory")),
    "a study of a network": ("run = Network.*at.Run.of", lambda: at.report.study(NET)),
    "a run without a task": ("missing.*'task'", lambda: at.Run(model=NET.model, networks=[NET])),
    "a run of two models": (
        "one model",
        lambda: at.Run.of([NET, models.RateRNN(units=5).build(1, 1)], TASK),
    ),
    "a run of another task": ("n_inputs", lambda: at.Run.of(NET, "context_decision")),
    "a run of nothing": ("networks = None", lambda: at.Run.of(None, TASK)),
    "a run is loaded": ("path = Run", lambda: at.load(RUN)),
    "a run that is not there": ("nowhere", lambda: at.load("nowhere")),
    "nothing is loaded": ("missing.*'path'", lambda: at.load()),
    "a run without a folder is saved": ("path = None", lambda: RUN.save()),
    "Keras from a network": ("source", lambda: at.load_keras(NET)),
    "torch from a network": ("source", lambda: at.from_torch(NET)),
    "torch from a number": ("source", lambda: at.from_torch(3)),
    "PsychRNN from nothing": ("path = None", lambda: at.load_psychrnn(None)),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_answered_in_one_line(mistake):
    said, do = REFUSED[mistake]
    with pytest.raises((at.InvalidSetting, at.FileProblem), match=said) as refused:
        do()
    line = str(refused.value)
    assert "\n" not in line
    assert len(line) <= LONGEST


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def tensor(array, **said):
    return pytest.importorskip("torch").tensor(np.asarray(array), **said)


def scores(networks, task=TASK, n=4):
    return at.evaluate(networks, task, n).mse


def radius(network):
    found = analysis.spectrum(network)
    return (found[0] if isinstance(found, list) else found).radius


OUTPUTS = NET(TRIALS.inputs)
BIG = tasks.ContextDecision()
BIG_NET = models.RateRNN(units=4, tau=100, dt=BIG.dt).build(BIG.n_inputs, BIG.n_outputs)

# what is taken: the plain way, and the other one, which gives the same
TAKEN = {
    "a run's scores": (lambda: [scores(NET)], lambda: scores(RUN)),
    "a run of several": (lambda: scores([NET, OTHER]), lambda: scores(TWO)),
    "scores on the run's task": (lambda: scores(RUN), lambda: at.evaluate(RUN, n=4).mse),
    "a task's name": (lambda: scores(BIG_NET, BIG), lambda: scores(BIG_NET, "context_decision")),
    "a task's class": (
        lambda: scores(BIG_NET, BIG),
        lambda: scores(BIG_NET, tasks.ContextDecision),
    ),
    "trials in the place of a task": (lambda: scores(NET, TRIALS), lambda: scores(NET, TRIALS)),
    "a name to recipe": (
        lambda: at.recipe(BIG).model.units,
        lambda: at.recipe("context_decision").model.units,
    ),
    "a run's spectrum": (lambda: radius(NET), lambda: radius(RUN)),
    "a list of one": (lambda: radius(NET), lambda: radius([NET])),
    "a run's states": (
        lambda: space().coordinates,
        lambda: analysis.state_space(RUN, TRIALS, n=1).coordinates,
    ),
    "a run's audit": (
        lambda: analysis.audit(NET).violations,
        lambda: analysis.audit(RUN).violations,
    ),
    "a list's audit": (
        lambda: analysis.audit(TWO).violations,
        lambda: analysis.audit([NET, OTHER]).violations,
    ),
    "a run's fixed points": (
        lambda: points().states,
        lambda: analysis.fixed_points(RUN, n_starts=8, max_starts=8).states,
    ),
    "starts of a task's name": (
        lambda: analysis.fixed_points(BIG_NET, n_starts=8, max_starts=8, task=BIG).states,
        lambda: (
            analysis.fixed_points(BIG_NET, n_starts=8, max_starts=8, task="context_decision").states
        ),
    ),
    "torch of a run": (
        lambda: at.to_torch(NET).state_dict()["readout.weight"],
        lambda: at.to_torch(RUN).state_dict()["readout.weight"],
    ),
    "torch of a list of one": (
        lambda: at.to_torch(NET).state_dict()["readout.weight"],
        lambda: at.to_torch([NET]).state_dict()["readout.weight"],
    ),
    "torch and back": (
        lambda: NET.recurrent_weights,
        lambda: at.from_torch(at.to_torch(NET)).recurrent_weights,
    ),
    "trials as inputs": (lambda: OUTPUTS, lambda: NET(TRIALS)),
    "trials to simulate": (lambda: OUTPUTS.shape, lambda: NET.simulate(TRIALS).outputs.shape),
    "trials to respond": (lambda: OUTPUTS, lambda: NET.respond(TRIALS)),
    "a tensor as inputs": (lambda: OUTPUTS, lambda: NET(tensor(TRIALS.inputs))),
    "a tensor with gradients": (
        lambda: OUTPUTS,
        lambda: NET(tensor(TRIALS.inputs, requires_grad=True)),
    ),
    "a JAX array as inputs": (lambda: OUTPUTS, lambda: NET(jnp.asarray(TRIALS.inputs))),
    "a list as inputs": (lambda: OUTPUTS, lambda: NET(TRIALS.inputs.tolist())),
    "a labelled array": (
        lambda: OUTPUTS,
        lambda: NET(xarray.DataArray(TRIALS.inputs, dims=("trial", "time", "input"))),
    ),
    "a tensor as a state": (
        lambda: NET.simulate(TRIALS, initial_state=np.ones(4)).outputs,
        lambda: NET.simulate(TRIALS, initial_state=tensor(np.ones(4))).outputs,
    ),
    "tensors as weights": (
        lambda: models.RateRNN.from_weights(**WEIGHTS).recurrent_weights,
        lambda: (
            models.RateRNN.from_weights(
                **{name: tensor(w, requires_grad=True) for name, w in WEIGHTS.items()}
            ).recurrent_weights
        ),
    ),
    "a tensor where a step is linearised": (
        lambda: analysis.linearisation(NET, np.zeros(4)).eigenvalues,
        lambda: analysis.linearisation(NET, tensor(np.zeros(4))).eigenvalues,
    ),
    "tensors as trials": (
        lambda: TRIALS.inputs,
        lambda: tasks.Trials(tensor(TRIALS.inputs), tensor(TRIALS.targets)).inputs,
    ),
    "trials without a mask": (
        lambda: np.ones_like(TRIALS.targets),
        lambda: tasks.Trials(TRIALS.inputs, TRIALS.targets).mask,
    ),
    "NumPy's n": (lambda: TRIALS.inputs, lambda: TASK.sample(np.int64(3), np.int32(0)).inputs),
    "NumPy's n of scores": (lambda: scores(NET), lambda: scores(NET, n=np.int64(4))),
    "NumPy's nets and seed": (
        lambda: at.train(TASK, models.RateRNN(3), rules.BPTT(steps=1), nets=2, seed=1).seed,
        lambda: (
            at.train(
                TASK, models.RateRNN(3), rules.BPTT(steps=1), nets=np.int64(2), seed=np.int64(1)
            ).seed
        ),
    ),
    "NumPy's steps": (lambda: 5, lambda: rules.BPTT(steps=np.int32(5)).steps),
    "NumPy's units": (lambda: 5, lambda: models.RateRNN(units=np.int64(5)).units),
    "NumPy's sizes": (lambda: 2, lambda: models.GRU(3).build(np.int64(2), np.int16(1)).n_inputs),
    "a NumPy float": (lambda: 0.5, lambda: TASK.replace(noise=np.float64(0.5)).noise),
    "units by position": (lambda: 100, lambda: models.RateRNN(100).units),
    "layers by position": (lambda: 3, lambda: models.Stacked([models.GRU(3)]).units),
    "a run's task is set": (lambda: 1, lambda: len(at.Run(TASK, NET.model, [NET]).status)),
    "a run of one network": (lambda: 1, lambda: len(at.Run.of(NET, TASK).networks)),
    "a run of a task's name": (
        lambda: 1,
        lambda: len(at.Run.of(BIG_NET, "context_decision").status),
    ),
    "steps of a timeline": (lambda: (2, 5, 1), lambda: timeline_tuple_name("n_steps").inputs.shape),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_plainly_meant_is_taken(what):
    plain, other = TAKEN[what]
    same(plain(), other())


def test_there_are_many():
    assert len(REFUSED) + len(TAKEN) >= 63
    # none of them is there twice under two names
    assert len({inspect.getsource(do) for _, do in REFUSED.values()}) > 50


def test_unknown_attributes_are_absent_for_python_too():
    assert not hasattr(TASK, "nois")
    assert getattr(TRIALS, "input", 3) == 3
    assert getattr(RUN, "network", None) is None
