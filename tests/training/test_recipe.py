"""The recipe of a task: what is trained when nothing is said; and what comes of it (slow)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from training import recipe_table

import attractory as at
from attractory import tasks
from attractory.models import GRU, LSTM, Constraints, LowRankRNN, RateRNN

NAMES = [name for name in tasks.names() if "neurogym" not in name]
TRAINED = [name for name in NAMES if name != "yang"]  # the battery takes longer: test below


@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_a_recipe_whose_steps_are_the_tasks(name):
    task = tasks.get(name)
    made = at.recipe(task)
    assert made.model.step_length == task.dt
    assert made.model.weight_shapes(task.n_inputs, task.n_outputs)


@pytest.mark.parametrize("name", ["and", "perceptual_decision"])
def test_cells_and_constraints(name):
    task = tasks.get(name)
    for cell, kind in {"rate": RateRNN, "gru": GRU, "lstm": LSTM, "lowrank": LowRankRNN}.items():
        model = at.recipe(task, cell).model
        assert type(model) is kind
        assert model.step_length == task.dt
    free, law = (
        at.recipe(task).model,
        at.recipe(task, constraints=Constraints(excitatory=0.8)).model,
    )
    assert (free.constraints, free.activation) == (None, "tanh")
    assert (law.constraints.excitatory, law.activation) == (0.8, "relu")
    assert at.recipe(task, constraints=Constraints(density=0.2)).model.activation == "tanh"


def test_recipes_are_those_that_the_scores_in_the_docs_come_from():
    """The table was written before tasks brought their recipes themselves."""
    assert json.loads(json.dumps(recipe_table.table())) == json.loads(recipe_table.FILE.read_text())


class Rings(tasks.FlipFlop):
    """A task that says what it is learned with."""

    name = "rings"

    def network_settings(self):
        return {"name": "gru", "units": 7}

    def rule_settings(self, network):
        steps = 9 if network.rates else 3
        return {"name": "BPTT", "optimizer": "sgd", "steps": steps, "batch": 2}


@pytest.fixture
def rings(monkeypatch):
    monkeypatch.setattr(
        tasks._registry._registry, "parts", {**tasks._registry._registry.parts, "rings": Rings}
    )
    return tasks.get("rings", dt=2.0)


def test_a_users_task_brings_its_own_recipe(rings):
    made = at.recipe(rings)
    assert made.model == GRU(units=7, tau=2.0, dt=2.0)
    assert made.rule == at.rules.BPTT(optimizer="sgd", steps=3, batch=2)
    other = at.recipe(rings, "rate")  # which the task says nothing of
    assert (type(other.model), other.model.units, other.rule.steps) == (RateRNN, 96, 9)
    run = at.train(rings, progress=False)
    assert (run.model.units, run.rule.steps) == (7, 3)


def test_its_recipe_is_what_the_command_line_trains(rings):
    from attractory.cli._config import read_config

    asked = read_config(None, {"task": "rings"}, ["task.dt=2", "rule.steps=4"])
    assert asked.model == at.recipe(rings).model
    assert asked.rule == at.recipe(rings).rule.replace(steps=4)
    asked = read_config(None, {"task": "rings", "model.units": 5}, ["task.dt=2"])
    assert asked.model == at.recipe(rings).model.replace(units=5)
    assert read_config(None, {"task": "rings", "model.name": "RateRNN"}, []).model.units == 96


def test_a_recipe_that_names_nothing_known_is_said(monkeypatch):
    monkeypatch.setattr(Rings, "network_settings", lambda self: {"name": "gruu"})
    with pytest.raises(at.InvalidSetting, match=r"rings: network_settings\(\) says name = 'gruu'"):
        at.recipe(Rings())
    monkeypatch.setattr(Rings, "network_settings", lambda self: {"units": 4})
    assert at.recipe(Rings()).model.step_length == 1.0
    monkeypatch.setattr(Rings, "rule_settings", lambda self, network: {"name": "BPT"})
    with pytest.raises(at.InvalidSetting, match="rule 'BPT' is unknown"):
        at.recipe(Rings())


def test_tasks_know_facts_of_models_and_no_classes():
    from attractory.training._recipe import network_facts

    law = RateRNN(units=20, constraints=Constraints(density=0.5), tau=4.0)
    facts = network_facts(law)
    assert (facts.rates, facts.leak, facts.constrained, facts.rank) == (True, 0.25, True, None)
    assert network_facts(LowRankRNN(units=20, rank=3)).rank == 3
    assert not network_facts(LSTM(units=5)).rates
    assert network_facts(GRU(units=5)).leak == 1


def test_the_papers_network_keeps_its_rule():
    task = tasks.FlipFlop()
    assert at.training.rule_for(task, RateRNN()) == at.rules.BPTT()
    assert at.training.rule_for(task, at.recipe(task).model).learning_rate > 1e-2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda task: at.recipe(task, "grru"), "cell = 'grru' is not allowed.*did you mean 'gru'"),
        (
            lambda task: at.recipe(task, "lstm", Constraints(density=0.5)),
            "constraints are not allowed with cell = 'lstm'; allowed: 'rate'",
        ),
    ],
)
def test_what_cannot_be_is_said(make, said):
    with pytest.raises(at.InvalidSetting, match=said):
        make(tasks.get("and"))


def test_training_without_a_model_is_the_recipe():
    task = tasks.get("and")
    rule = at.recipe(task).rule.replace(steps=1, batch=2)
    run = at.train(task, rule=rule, progress=False)
    assert run.model == at.recipe(task).model
    with pytest.raises(at.InvalidSetting, match="model = .* is not allowed: a Model is needed"):
        at.train(task, model="gru")


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_network_comes_near_the_ideal_observer(name):
    """95 % of its score; 99 % of the trials where nothing but memory and timing is asked."""
    task = tasks.get(name)
    run = at.train(task, seed=3, progress=False)
    correct = at.evaluate(run.networks[0], task, n=2000, seed=99).correct
    assert correct >= (0.99 if task.ideal() == 1 else 0.95 * task.ideal())


@pytest.mark.slow
def test_contexts_are_told_apart():
    """Each of AND, OR, XOR in one network; the modality that counts, and only that."""
    task = tasks.get("context_boolean")
    network = at.train(task, seed=4, progress=False).networks[0]
    rows = at.evaluation.by_condition(network, task, "context", n=2000)
    assert (rows.correct >= 0.99).all()
    task = tasks.get("context_decision")
    network = at.train(task, seed=4, progress=False).networks[0]
    rows = at.evaluation.by_condition(network, task, ["relevant", "irrelevant"], n=12_000)
    middle = rows[rows.relevant.abs() == 15]
    assert np.average(middle.correct, weights=middle.scored) >= 0.9
    share = rows.groupby("irrelevant")["chose first"].mean()
    assert share.max() - share.min() < 0.06


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules", [{"excitatory": 0.8}, {"density": 0.2}, {"excitatory": 0.8, "density": 0.2}]
)
def test_a_flip_flop_under_constraints(rules, tmp_path):
    task = tasks.FlipFlop()
    made = at.recipe(task, constraints=Constraints(**rules))
    run = at.train(task, made.model, made.rule, path=tmp_path / "run", progress=False)
    assert at.evaluate(run.networks[0], task).mse <= 0.02
    assert at.analysis.audit(at.load(tmp_path / "run").networks[0]).violations == 0


@pytest.mark.slow
def test_an_environment_of_neurogym_is_learned():
    pytest.importorskip("neurogym")
    task = tasks.from_neurogym("DelayMatchSample-v0")
    network = at.train(task, progress=False).networks[0]
    assert at.evaluate(network, task.fresh(1), n=1000).correct >= 0.9


@pytest.mark.slow
def test_one_network_learns_the_battery():
    """256 units, 20 tasks; prints what docs/tasks.md reports."""
    task = tasks.YangBattery()
    network = at.train(task, progress=False).networks[0]
    rows = at.evaluation.by_condition(network, task, "rule", n=4000, seed=99)
    print(rows.round(3).to_string())
    assert rows.correct.mean() >= 0.93
    assert rows.correct.min() >= 0.7
