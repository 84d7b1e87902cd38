"""What a task says of itself, so that nobody has to ask of which class it is."""

from __future__ import annotations

import ast
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory import tasks
from attractory.tasks import FlipFlop, Trial

SOURCE = Path(at.__file__).parent


class Side(tasks.Task):
    """Which way a line leans: a task with options that is no ChoiceTask."""

    options = ("left", "right")
    evidence = "slope"

    def trial(self, key):
        slope = jnp.round(jax.random.uniform(key, minval=-3, maxval=3))
        line = jnp.full((8, 1), slope)
        return Trial(line, jnp.sign(line), conditions={"slope": slope})

    def chosen(self, outputs, trials):
        return (outputs[:, -1] > 0).astype(int)


def copying(sign):
    """A network that says its input, or the opposite of it."""
    return at.models.RateRNN.from_weights([[0.0]], [[1.0]], [[sign]], activation="linear")


def test_a_probe_is_the_first_trials_of_a_sample():
    task = tasks.get("and")
    sample = task.sample(40, seed=7)
    probe = task.probe(sample)
    assert len(probe) == 16
    np.testing.assert_array_equal(probe.inputs, sample.inputs[:16])
    np.testing.assert_array_equal(probe.epochs, sample.epochs[:16])
    assert {name: len(values) for name, values in probe.conditions.items()} == {
        "a": 16, "b": 16, "answer": 16,
    }  # fmt: skip
    np.testing.assert_array_equal(task.probe().inputs, task.sample(16).inputs)
    assert len(task.probe(task.sample(3))) == 3


def test_the_probe_of_a_flip_flop_is_its_walk_through_all_states():
    task = FlipFlop(bits=2)
    np.testing.assert_array_equal(task.probe(task.sample(4)).inputs, task.walk().inputs)
    assert task.memory_bits == 2
    many = FlipFlop(bits=7)
    assert (many.memory_bits, len(many.probe(many.sample(20)))) == (0, 16)
    assert tasks.get("and").memory_bits == 0


def test_spoiled_steps_are_left_out_where_there_are_any():
    for neutral in (True, False):
        published = FlipFlop.paper(neutral_start=neutral)
        scored = published.scored()
        assert (published.score_last_step, scored.score_last_step) == (True, False)
        assert scored.scored() == scored
        np.testing.assert_array_equal(
            scored.mask_with_spoiled(scored.sample(20)), published.sample(20).mask
        )
    for task in (FlipFlop(), tasks.get("xor")):
        assert task.scored() is task
        assert task.mask_with_spoiled(task.sample(2)) is None


def test_a_task_of_any_class_with_options_has_curves_and_shares():
    task = Side()
    nets = [copying(1.0), copying(-1.0)]
    curve = at.evaluation.psychometric(nets, task, n=200)
    assert (curve.option, curve.evidence) == ("left", "slope")
    trials = task.sample(200)
    below = trials.conditions["slope"] <= 0
    np.testing.assert_allclose(
        curve.fits[0].first @ curve.fits[0].counts, below.sum()
    )  # the copy goes left where the line falls, or is flat
    table = at.evaluation.by_condition(nets, task, "slope", n=200)
    assert {"chose left", "chose right"} <= set(table)
    assert table.query("net == 0 and slope == 2")["chose right"].tolist() == [1.0]


def test_a_task_without_options_says_so():
    task = tasks.get("xor")
    trials = task.sample(2)
    with pytest.raises(at.InvalidSetting, match="'xor' is not answered by choosing"):
        task.chosen(trials.targets, trials)


def test_nobody_outside_of_tasks_asks_of_which_class_a_task_is():
    """isinstance(x, Task) checks an argument; a class below it would be a ladder."""
    classes = {
        name for name, each in vars(tasks).items()
        if isinstance(each, type) and issubclass(each, tasks.Task) and each is not tasks.Task
    }  # fmt: skip
    assert "FlipFlop" in classes
    for file in SOURCE.rglob("*.py"):
        if file.is_relative_to(SOURCE / "tasks"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
                asked = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
                assert not asked & classes, f"{file.name}:{node.lineno}"


def shown_in(trials, epoch):
    """The input of each trial in an epoch in which it is constant, (trial, input)."""
    during = trials.during(epoch)
    first = trials.inputs[np.arange(len(trials)), during.argmax(axis=1)]
    assert (np.abs(trials.inputs - first[:, None])[during] < 1e-6).all()
    return first


@pytest.mark.parametrize("name", ["perceptual_decision", "context_decision"])
def test_the_constant_inputs_of_decisions_are_those_of_their_trials(name):
    task = tasks.get(name, sigma=0)
    trials = task.sample(30, seed=1)
    known = task.constant_inputs()
    without_stimulus = {tuple(each.inputs) for each in known if "off" in each.name}
    quiet = trials.epoch_names[0]
    assert {tuple(row) for row in shown_in(trials, quiet).round(6)} == without_stimulus
    directions = task.evidence_directions()
    strengths = ["coherence"] if len(directions) == 1 else ["coherence_1", "coherence_2"]
    of_context = {each.name.split(",")[0][-1]: each for each in known if "coherence" in each.name}
    contexts = trials.conditions.get("context", np.zeros(len(trials)))
    for i, stimulus in enumerate(shown_in(trials, "stimulus")):
        held = known[1] if len(known) == 2 else of_context[str(int(contexts[i]) + 1)]
        expected = held.inputs + sum(
            trials.conditions[strength][i] / 100 * change
            for strength, change in zip(strengths, directions.values(), strict=True)
        )
        np.testing.assert_allclose(stimulus, expected, atol=1e-6)
        assert held.relevant in directions
        if len(known) > 2:
            assert trials.conditions["relevant"][i] == trials.conditions[
                f"coherence_{held.relevant[-1]}"
            ][i]  # fmt: skip


def test_other_tasks_of_choices_hold_fixation_and_the_rest_nothing():
    for name in ("parametric_memory", "dual_delayed_match"):
        task = tasks.get(name)
        (only,) = task.constant_inputs()
        assert only.inputs.tolist() == [1.0] + [0.0] * (task.n_inputs - 1)
        assert task.evidence_directions() == {}
    assert tasks.get("flipflop").constant_inputs() == ()
    compatible = tasks.get("context_decision", neurogym_compat=True)
    assert [each.inputs.tolist() for each in compatible.constant_inputs()] == [
        [0.0] * 5, [0.0] + [0.5] * 4,
    ]  # fmt: skip
    assert {each.shape for each in compatible.evidence_directions().values()} == {(5,)}
