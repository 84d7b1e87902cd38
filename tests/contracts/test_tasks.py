"""What every registered task must do."""

from __future__ import annotations

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from few import few

from attractory import InvalidSetting, tasks
from attractory.tasks import Trials, random_key, trial_keys

N = 64  # trials: in all, so that one program makes them
FEW = 8
ROUNDING = {"mackey_glass": 1e-4}  # of a chaotic series: what float32 rounds off has grown

# every registered task with its defaults (environments of neurogym: below, and
# tests/tasks/test_neurogym.py), and the published versions of some
OWN = [name for name in tasks.names() if not name.startswith("neurogym/")]
PUBLISHED = [kind for name in OWN if hasattr(kind := tasks.find(name), "paper")]
CASES = {name: tasks.get(name) for name in OWN} | {
    **{f"{kind.name} as published": kind.paper() for kind in PUBLISHED},
    "flipflop of Golub": tasks.PoissonFlipFlop.golub(),
    "parametric memory of Romo": tasks.ParametricWorkingMemory.romo(),
}


@pytest.fixture(scope="module", params=few(list(CASES), OWN))
def task(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def trials(task) -> Trials:
    return task.sample(N, seed=4)


@pytest.mark.parametrize("name", tasks.names())
def test_every_listed_name_makes_a_task_and_is_told_in_a_line(name):
    if name.startswith("neurogym/") and hash_of(name) % 6:
        pytest.skip("a sample of neurogym's environments is made; all of them in the slow tests")
    assert isinstance(tasks.get(name), tasks.Task)
    assert len(tasks.in_words(name).splitlines()) == 1


def test_streams_of_evidence_are_inputs_epochs_and_conditions_that_there_are(task, trials):
    for stream in task.evidence_streams:
        assert {stream.plus, stream.minus} - {None} <= set(task.input_names[: task.n_inputs])
        assert stream.epoch is None or stream.epoch in task.epoch_names
        assert stream.condition in trials.conditions
        assert task.options


def test_variables_of_the_task_are_conditions_that_vary(task, many):
    for name in task.task_variables:
        assert len(np.unique(many.conditions[name])) > 1


def hash_of(name: str) -> int:
    return sum(name.encode())


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


def test_there_is_something_to_do(many):
    assert np.ptp(many.inputs) > 0
    assert np.ptp(many.targets[many.mask > 0]) > 0


def test_constant_inputs_and_evidence_are_inputs_of_the_task(task):
    evidence = task.evidence_directions()
    held = task.constant_inputs()
    assert len({each.name for each in held}) == len(held)
    for each in held:
        assert each.inputs.shape == (task.n_inputs,)
        assert np.isfinite(each.inputs).all()
        assert each.relevant in {"", *evidence}
    for change in evidence.values():
        assert change.shape == (task.n_inputs,)
        assert change.any()


def test_same_seed_gives_the_same_trials(task, trials):
    fresh = task.replace()  # nothing that the first task has cached
    for name, array in arrays(fresh.sample(N, seed=4)).items():
        np.testing.assert_array_equal(array, arrays(trials)[name])


def test_another_seed_gives_other_trials(task, trials):
    for seed in (0, 5, 4 + 2**32):
        assert not np.array_equal(task.sample(N, seed=seed).inputs, trials.inputs)


def test_trials_of_one_seed_differ_from_each_other(task, trials):
    different = len({trial.tobytes() for trial in trials.inputs})
    if getattr(task, noise_of(task)) > 0:
        assert different >= N - 2  # catch trials have no stimuli, whose noise would tell them apart
    else:  # a few pulses without noise may come again
        assert different > 1


def test_a_trial_does_not_depend_on_how_many_are_made(task, trials):
    for name, array in arrays(task.sample(2, seed=4)).items():
        np.testing.assert_array_equal(array, arrays(trials)[name][:2])


@pytest.mark.parametrize("name", ["flipflop", "context_decision"])
def test_batch_inside_a_compiled_function_is_what_sample_gives(name):
    made = CASES[name].sample(N, seed=4)
    keys = trial_keys(random_key(4), jnp.arange(N))
    batch = jax.jit(lambda keys: CASES[name].batch(keys))(keys)
    for part, array in arrays(made).items():
        np.testing.assert_allclose(getattr(batch, part), array, rtol=0, atol=1e-6)


def test_settings_come_back_from_json(task):
    written = json.loads(json.dumps(task.to_json()))
    assert tasks.find(task.name)(**written) == task


def test_every_condition_can_be_varied_and_sampled(task):
    for name, values in task.conditions().items():
        for value in (values[0], values[-1]):
            varied = task.varied(name, value)
            assert getattr(varied, name) == value
            assert (varied.n_inputs, varied.n_outputs) == (task.n_inputs, task.n_outputs)


@pytest.fixture(scope="module")
def many(task) -> Trials:
    return sampled(task, 11)


def sampled(task, seed: int) -> Trials:
    """1024 trials, so many at a time: one program does for all that is asked of a task here."""
    parts = [task.sample(N, seed=1000 * seed + i) for i in range(1024 // N)]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("inputs", "targets", "mask")
    }
    if parts[0].epochs is not None:
        joined["epochs"] = np.concatenate([part.epochs for part in parts])
    conditions = {
        name: np.concatenate([part.conditions[name] for part in parts])
        for name in parts[0].conditions
    }
    return dataclasses.replace(parts[0], **joined, conditions=conditions)


def noiseless(task):
    """The task without noise on its inputs."""
    return task.replace(**{noise_of(task): 0.0})


def noise_of(task) -> str:
    """The name of the setting that is the noise on the inputs."""
    return "sigma" if "sigma" in type(task).model_fields else "noise"


def test_without_noise_the_observer_gives_the_targets_so_they_follow_from_the_inputs(task):
    trials = noiseless(task).sample(N, seed=3)
    made = noiseless(task).ideal_observer(trials.inputs)
    counted = trials.mask > 0
    rounded = ROUNDING.get(task.name, 1e-5)
    np.testing.assert_allclose(made[counted], trials.targets[counted], rtol=0, atol=rounded)
    correct = task.correct(made, trials)
    assert (correct[~np.isnan(correct)] == 1).all()  # no trial whose answer cannot be known


def test_the_observer_sees_nothing_of_the_future(task):
    given = task.sample(N, seed=5).inputs[:FEW]
    whole = task.ideal_observer(given)
    noise = np.random.default_rng(0)
    for cut in np.linspace(1, task.n_steps - 1, 12).astype(int):
        other = given.copy()
        other[:, cut:] = noise.normal(size=other[:, cut:].shape) + given[::-1, cut:]
        np.testing.assert_array_equal(task.ideal_observer(other)[:, :cut], whole[:, :cut])


def test_the_observer_reaches_the_ideal_score_that_the_task_states(task, many):
    correct = task.correct(task.ideal_observer(many.inputs), many)
    asked = ~np.isnan(correct)
    stated = task.ideal()
    spread = np.sqrt(max(stated * (1 - stated), 1e-4) / asked.sum())
    assert abs(correct[asked].mean() - stated) < 4 * spread


def test_no_fixed_answer_does_better_than_chance(task, many):
    best = max(np.nanmean(task.correct(np.repeat(answer[None], len(many), 0), many))
               for answer in fixed_answers(task, many))  # fmt: skip
    spread = np.sqrt(max(task.chance() * (1 - task.chance()), 1e-4) / len(many))
    # the best of several is a little lucky; where chance is next to nothing, some trials are alike
    assert best <= task.chance() + max(4.5 * spread, 0.02)
    if task.chance() > 0.1:
        assert best >= task.chance() - 4 * spread


def fixed_answers(task, trials: Trials) -> list[np.ndarray]:
    """Outputs (time, output) that ignore the inputs: targets of some trials, and levels held."""
    levels = np.unique(np.round(trials.targets, 2))[:5]
    held = [np.full(trials.targets.shape[1:], level) for level in levels]
    one_hot = [np.tile(np.eye(task.n_outputs)[i], (task.n_steps, 1)) for i in range(task.n_outputs)]
    return [*trials.targets[:12], *held, *one_hot]


def test_epochs_follow_one_another_and_nothing_is_counted_after_the_last(task, trials):
    if not task.epoch_names:
        assert trials.epochs is None
        return
    assert trials.epochs.shape == (N, len(task.epoch_names) + 1)
    assert (trials.epochs[:, 0] == 0).all()
    assert (np.diff(trials.epochs, axis=1) >= 0).all()
    assert (trials.epochs[:, -1] <= task.n_steps).all()
    covered = np.stack([trials.during(name) for name in task.epoch_names])
    inside = np.arange(task.n_steps) < trials.epochs[:, -1:]
    np.testing.assert_array_equal(covered.sum(0), inside)
    assert (trials.mask[~inside] == 0).all()


def test_conditions_are_one_number_a_trial_and_come_as_a_table(trials):
    for value in trials.conditions.values():
        assert value.shape == (N,)
    table = trials.table()
    assert len(table) == N
    assert set(trials.conditions) <= set(table.columns)


def test_statistics_do_not_change_with_the_time_step(task, many):
    if not isinstance(task, tasks.EpochTask):
        pytest.skip("its times are in steps")
    coarser = task.replace(dt=finer_or_coarser(task))
    others = sampled(coarser, 12)
    scale = coarser.dt / task.dt
    for name in task.epoch_names:
        ms = [each.during(name).sum(1) * each.dt for each in (many, others)]
        spread = np.hypot(ms[0].std(), ms[1].std()) / np.sqrt(len(many))
        assert abs(ms[0].mean() - ms[1].mean()) <= 4.5 * spread + max(task.dt, coarser.dt) / 2
    for values in (inputs_summed, targets_summed):
        first, second = values(many), values(others)
        spread = np.sqrt((first.var(0) + second.var(0)) / len(many))
        longest = np.abs(first).max() + 1
        np.testing.assert_array_less(
            np.abs(first.mean(0) - second.mean(0)), 4.5 * spread + 0.02 * longest * max(1, scale)
        )
        ratio = (first.std(0) + 1e-3 * longest) / (second.std(0) + 1e-3 * longest)
        np.testing.assert_allclose(ratio, 1, atol=0.2)
    assert coarser.ideal() == pytest.approx(task.ideal())


def finer_or_coarser(task) -> float:
    """Another time step that all durations are multiples of."""
    if task.dt in (20.0, 25.0):
        return 5.0
    lasts = jax.tree.leaves(task.durations())
    return 0.5 if any(isinstance(each, float) and each % 2 for each in lasts) else 2.0


def inputs_summed(trials: Trials) -> np.ndarray:
    """(trial, input): the integral over the trial (ms)."""
    return trials.inputs.sum(1) * trials.dt


def targets_summed(trials: Trials) -> np.ndarray:
    """(trial, output): the integral of what is asked for (ms)."""
    return (np.abs(trials.targets) * (trials.mask > 0)).sum(1) * trials.dt


def test_what_is_held_can_be_held_longer(task):
    if not task.held:
        with pytest.raises(InvalidSetting, match="does not say which of its settings are `held`"):
            task.held_longer(2)
        return
    assert task.held_longer(1) == task
    assert task.held_longer(2).n_steps > task.n_steps
