"""What every registered task must do."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attractory import tasks
from attractory.tasks import Trials, random_key, trial_keys

N = 6


@pytest.fixture(scope="module", params=tasks.names())
def task(request):
    return tasks.get(request.param)


@pytest.fixture(scope="module")
def trials(task) -> Trials:
    return task.sample(N, seed=4)


def arrays(trials: Trials) -> dict[str, np.ndarray]:
    return {"inputs": trials.inputs, "targets": trials.targets, "mask": trials.mask}


def test_shapes_are_trial_time_channel_in_float32(task, trials):
    channels = {"inputs": task.n_inputs, "targets": task.n_outputs, "mask": task.n_outputs}
    for name, array in arrays(trials).items():
        assert isinstance(array, np.ndarray)
        assert array.shape == (N, task.n_steps, channels[name])
        assert array.dtype == np.float32
    assert len(trials) == N
    assert trials.dt == task.dt > 0


def test_all_values_are_finite(trials):
    for array in arrays(trials).values():
        assert np.isfinite(array).all()


def test_mask_lies_between_0_and_1_and_counts_something_in_every_trial(trials):
    assert trials.mask.min() >= 0
    assert trials.mask.max() <= 1
    assert (trials.mask.sum(axis=(1, 2)) > 0).all()


def test_there_is_something_to_do(trials):
    assert np.ptp(trials.inputs) > 0
    assert np.ptp(trials.targets[trials.mask > 0]) > 0


def test_same_seed_gives_the_same_trials(task, trials):
    fresh = tasks.get(task.name)  # nothing that the first task has cached
    for name, array in arrays(fresh.sample(N, seed=4)).items():
        np.testing.assert_array_equal(array, arrays(trials)[name])


def test_another_seed_gives_other_trials(task, trials):
    for seed in (0, 5, 4 + 2**32):
        assert not np.array_equal(task.sample(N, seed=seed).inputs, trials.inputs)


def test_trials_of_one_seed_differ_from_each_other(trials):
    assert len({trial.tobytes() for trial in trials.inputs}) == N


def test_a_trial_does_not_depend_on_how_many_are_made(task, trials):
    for name, array in arrays(task.sample(2, seed=4)).items():
        np.testing.assert_array_equal(array, arrays(trials)[name][:2])


def test_batch_inside_a_compiled_function_is_what_sample_gives(task, trials):
    keys = trial_keys(random_key(4), jnp.arange(N))
    batch = jax.jit(lambda keys: task.batch(keys))(keys)
    for name, array in arrays(trials).items():
        np.testing.assert_allclose(getattr(batch, name), array, rtol=0, atol=1e-6)


def test_settings_come_back_from_json(task):
    written = json.loads(json.dumps(task.to_json()))
    assert tasks.find(task.name)(**written) == task


def test_every_condition_can_be_varied_and_sampled(task):
    for name, values in task.conditions().items():
        for value in (values[0], values[-1]):
            varied = task.varied(name, value)
            assert getattr(varied, name) == value
            assert (varied.n_inputs, varied.n_outputs) == (task.n_inputs, task.n_outputs)
