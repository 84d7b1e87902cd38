"""Training that begins with given networks: goes on from them, is a run of its own."""

from __future__ import annotations

import numpy as np
import pytest
from contracts.rules_of_users import GradientDescent

import attractory as at
from attractory.training._population import Population

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, optimizer="sgd", learning_rate=0.05)


def same(one, other):
    return all(np.array_equal(one.weights[n], other.weights[n]) for n in one.weights)


@pytest.fixture(scope="module")
def first():
    return at.train(TASK, MODEL, RULE, nets=2, progress=False)


def test_training_in_two_parts_is_training_in_one_for_a_rule_without_memory(monkeypatch):
    """Plain gradient descent on the trials of steps 7 to 12, from the weights after step 6."""
    rule = GradientDescent(steps=6, batch=4, validation=0)
    first = at.train(TASK, MODEL, rule, nets=2, progress=False)
    whole = at.train(TASK, MODEL, rule.replace(steps=12), nets=2, progress=False)
    update = Population.update
    monkeypatch.setattr(Population, "update", lambda self, s, a, step: update(self, s, a, step + 6))
    second = at.train(TASK, None, rule, start=first, progress=False)
    assert len(second.networks) == 2
    for one, other in zip(whole.networks, second.networks, strict=True):
        for name in one.weights:
            np.testing.assert_allclose(one.weights[name], other.weights[name], rtol=1e-6, atol=1e-7)


def test_a_step_of_no_length_leaves_the_given_weights(first):
    still = RULE.replace(steps=1, learning_rate=1e-30)
    run = at.train(TASK, MODEL, still, start=first.networks[1], progress=False)
    assert same(run.networks[0], first.networks[1])


def test_one_network_serves_any_number_of_nets(first):
    run = at.train(TASK, None, RULE, start=first.networks[0], nets=3, progress=False)
    assert len(run.networks) == 3
    assert not same(run.networks[0], run.networks[1])  # on trials of their own


def test_a_folder_knows_what_its_training_began_with(first, tmp_path):
    kept = at.train(TASK, MODEL, RULE, start=first, path=tmp_path / "run", progress=False)
    back = at.load(tmp_path / "run")
    assert back.start == kept.start
    assert back.config == kept.config
    again = at.train(TASK, MODEL, RULE, start=first, path=tmp_path / "run", progress=False)
    assert same(again.networks[0], kept.networks[0])
    with pytest.raises(at.FileProblem, match="belongs to another run"):
        at.train(TASK, MODEL, RULE, nets=2, path=tmp_path / "run", progress=False)
    with pytest.raises(at.FileProblem, match="belongs to another run"):
        at.train(TASK, MODEL, RULE, start=kept, path=tmp_path / "run", progress=False)
    assert first.start is None
    assert "start" not in first.config


def test_a_curriculum_by_hand_ends_on_the_harder_task(first):
    harder = TASK.replace(noise=0.3, delay=8)
    run = at.train(harder, None, RULE, start=first, progress=False)
    assert run.task == harder
    assert run.model == first.model


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"start": 5}, "start = 5 is not allowed: a Run, a Network"),
        ({"start": []}, "is not allowed: a Run, a Network"),
        ({"start": "first", "nets": 3}, "nets = 3 is not allowed: start has 2 networks"),
        ({"start": "first", "model": MODEL.replace(units=9)}, r"start: .* has shape .*, the task"),
        ({"start": "first", "task": TASK.replace(bits=2)}, r"start: input_weights has shape"),
    ],
)
def test_what_cannot_begin_is_one_line(first, settings, complaint):
    asked = {"task": TASK, "model": None, "rule": RULE, "progress": False, **settings}
    if asked["start"] == "first":
        asked["start"] = first
    with pytest.raises(at.InvalidSetting, match=complaint) as caught:
        at.train(asked.pop("task"), asked.pop("model"), asked.pop("rule"), **asked)
    assert "\n" not in str(caught.value)


def test_networks_of_two_models_are_refused(first):
    other = at.models.GRU(units=8).build(1, 1)
    with pytest.raises(at.InvalidSetting, match="of different models"):
        at.train(TASK, None, RULE, start=[first.networks[0], other], progress=False)
