"""A user's own task: one class with one method."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import attractory as at
from attractory import tasks
from attractory._errors import InvalidSetting
from attractory.tasks import Task, Trial, random_key, trial_keys


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a test registers is gone after it."""
    known = tasks._registry._registry
    monkeypatch.setattr(known, "parts", dict(known.parts))


class Doubling(Task):
    """Output twice the input, of one random value a step."""

    steps: int = 6
    gain: float = 2.0

    def trial(self, key):
        inputs = jax.random.normal(key, (self.steps, 1))
        return Trial(inputs, self.gain * inputs)


def task_that_returns(made, name="odd"):
    class Odd(Task):
        def trial(self, key):
            return made

    Odd.name = name
    return Odd()


def test_a_task_is_named_after_its_class_unless_it_says_otherwise():
    class Named(Task):
        name = "my own"

    assert Doubling.name == "doubling"
    assert Named.name == "my own"


def test_a_registered_task_is_listed_found_and_sampled():
    assert tasks.register(Doubling) is Doubling
    assert "doubling" in tasks.names()
    task = tasks.get("doubling", gain=3.0)
    trials = task.sample(5, seed=1)
    assert (task.n_steps, task.n_inputs, task.n_outputs) == (6, 1, 1)
    assert trials.inputs.shape == (5, 6, 1)
    assert len(trials) == 5
    np.testing.assert_allclose(trials.targets, 3.0 * trials.inputs, rtol=1e-6)
    np.testing.assert_array_equal(trials.mask, np.ones((5, 6, 1)))


def test_each_trial_is_made_from_its_own_key_alone():
    task = Doubling()
    trials = task.sample(4, seed=9)
    keys = trial_keys(random_key(9), jnp.arange(4))
    for i, key in enumerate(keys):
        np.testing.assert_array_equal(trials.inputs[i], task.trial(key).inputs)
    assert len({row.tobytes() for row in trials.inputs}) == 4


def test_dt_of_the_task_goes_with_its_trials():
    assert Doubling(dt=2.5).sample(1).dt == 2.5


def test_an_unknown_setting_of_a_user_task_names_the_nearest():
    with pytest.raises(InvalidSetting, match=r"unknown setting 'gian'.*did you mean 'gain'\?"):
        Doubling(gian=1.0)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ((jnp.zeros((5, 1)), jnp.zeros((5, 1))), r"returned tuple; it must return"),
        (None, "returned NoneType"),
        (Trial(jnp.zeros(5), jnp.zeros((5, 1))), r"inputs has shape \(5,\)"),
        (Trial(jnp.zeros((5, 1)), jnp.zeros((5, 1, 1))), r"targets has shape \(5, 1, 1\)"),
        (Trial(jnp.zeros((5, 0)), jnp.zeros((5, 1))), r"inputs has shape \(5, 0\)"),
        (Trial(jnp.zeros((5, 1)), jnp.zeros((4, 1))), "targets has 4 steps, inputs have 5"),
        (
            Trial(jnp.zeros((5, 1)), jnp.zeros((5, 2)), jnp.zeros((5, 1))),
            r"mask has shape \(5, 1\).*\(5, 2\)",
        ),
        (Trial(1j * jnp.ones((5, 1)), jnp.ones((5, 1))), "inputs is of kind complex64"),
        (Trial(jnp.ones((5, 1)), 0.25 + 1j * jnp.ones((5, 1))), "targets is of kind complex64"),
        (
            Trial(jnp.ones((5, 1)), jnp.ones((5, 1)), 1j * jnp.ones((5, 1))),
            "mask is of kind complex64",
        ),
        (Trial(jax.random.split(jax.random.key(0), (5, 1)), jnp.ones((5, 1))), "inputs is of kind"),
        (Trial(None, jnp.ones((5, 1))), "inputs is of type NoneType"),
        (Trial([[1.0]] * 5, jnp.ones((5, 1))), "inputs is of type list"),
        (
            Trial(jnp.ones((5, 1)), jnp.ones((5, 1)), None, jnp.array([0.0, 5.0])),
            "epochs is of kind float32",
        ),
        (
            Trial(jnp.ones((5, 1)), jnp.ones((5, 1)), None, None, {"level": jnp.array(1j)}),
            r"conditions\['level'\] is of kind complex64",
        ),
    ],
)
def test_a_badly_shaped_trial_is_one_line_that_names_the_field(made, expected):
    task = task_that_returns(made)
    with pytest.raises(InvalidSetting, match="odd.*" + expected) as caught:
        task.sample(1)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidSetting, match=expected):
        _ = task.n_inputs


def masked(mask):
    """A task of 5 steps with this mask of the first point, by the trial's random number."""

    class Masked(Task):
        def trial(self, key):
            weight = mask(jax.random.uniform(key))
            return Trial(jnp.ones((5, 1)), jnp.ones((5, 1)), jnp.zeros((5, 1)).at[0].set(weight))

    return Masked()


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (lambda chance: -1.0, r"mask has negative values \(down to -1\)"),
        (
            lambda chance: jnp.where(chance < 0.2, -1e14, 1.0),
            r"negative values \(down to -1e\+14\)",
        ),
        (lambda chance: 0.0, "mask is 0 everywhere in 64 trials: nothing counts"),
        (lambda chance: jnp.nan, "mask has values that are not finite"),
        (lambda chance: jnp.inf, "mask has values that are not finite"),
    ],
)
def test_a_mask_that_cannot_weigh_is_refused_before_training(mask, expected, tmp_path):
    task = masked(mask)
    with pytest.raises(InvalidSetting, match=f"masked: .*{expected}") as caught:
        task.sample(64)
    assert "\n" not in str(caught.value)
    rule = at.rules.BPTT(steps=2, batch=2)
    with pytest.raises(InvalidSetting, match=expected):
        at.train(task, at.models.RateRNN(units=3), rule, progress=False)
    with pytest.raises(InvalidSetting, match=expected):
        at.evaluate(at.models.RateRNN(units=3).build(1, 1), task, n=64)


def test_a_trial_in_which_nothing_counts_is_no_fault():
    """A memory whose only pulse was left out; among many trials some count."""
    trials = masked(lambda chance: jnp.where(chance < 0.5, 0.0, 1.0)).sample(64)
    assert 0 < trials.mask.any((1, 2)).sum() < 64


def numpy_maths(key):
    inputs = jax.random.normal(key, (4, 1))
    return Trial(inputs, jnp.asarray(np.tanh(np.asarray(inputs))))


def python_branch(key):
    inputs = jax.random.normal(key, (4, 1))
    return Trial(inputs, inputs if inputs[0, 0] > 0 else -inputs)


def boolean_index(key):
    inputs = jax.random.normal(key, (4, 1))
    return Trial(inputs, inputs[inputs > 0][:, None])


@pytest.mark.parametrize("method", [numpy_maths, python_branch, boolean_index])
def test_a_trial_that_jax_cannot_trace_is_one_line_that_says_so(method):
    class Plain(Task):
        def trial(self, key):
            return method(key)

    with pytest.raises(InvalidSetting, match="plain: .*must be written in JAX") as caught:
        Plain().sample(2)
    assert "\n" not in str(caught.value)


def test_a_task_without_trial_says_what_is_missing():
    class Empty(Task):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define trial"):
        Empty().sample(1)


@pytest.mark.parametrize("thing", [object, 3, Doubling(), "doubling"])
def test_only_a_task_class_can_be_registered(thing):
    with pytest.raises(InvalidSetting, match="no subclass of attractory.tasks.Task"):
        tasks.register(thing)


def test_the_name_of_another_task_is_refused():
    class Impostor(Task):
        name = "flipflop"

    with pytest.raises(InvalidSetting, match="'flipflop' belongs to .*FlipFlop"):
        tasks.register(Impostor)
    assert tasks.find("flipflop") is tasks.FlipFlop


def test_a_user_class_that_is_also_called_flip_flop_does_not_replace_the_built_in_one():
    namesake = type("FlipFlop", (Task,), {"__qualname__": "FlipFlop", "__module__": "__main__"})
    with pytest.raises(InvalidSetting, match="flipflop"):
        tasks.register(namesake)


def test_registering_a_class_again_replaces_it():
    def made(factor):
        class Again(Task):
            def trial(self, key):
                return Trial(jnp.ones((3, 1)), factor * jnp.ones((3, 1)))

        return Again

    tasks.register(made(1.0))
    tasks.register(made(5.0))
    assert tasks.get("again").sample(1).targets.max() == 5.0
