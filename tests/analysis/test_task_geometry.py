"""Averages, task axes and selectivity of states that were made by hand, and brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import sem

import attractory as at
from attractory._errors import InvalidSetting
from attractory.analysis import condition_averages, selectivity, task_axes
from attractory.models import Trajectory

TASK = at.tasks.ContextDecision(
    dt=50, fixation=(50, 150), stimulus=(150, 250), delay=50, decision=100
)
UNITS = 12
VARIABLES = ("choice", "coherence_1", "context")


@pytest.fixture(scope="module")
def trials():
    return TASK.sample(500, seed=1)


@pytest.fixture(scope="module")
def choice(trials):
    """0 or 1: by the evidence that counts, with noise; -1 in five trials."""
    rng = np.random.default_rng(0)
    drawn = (trials.conditions["relevant"] + rng.normal(0, 30, len(trials)) < 0).astype(int)
    drawn[:5] = -1
    return drawn


@pytest.fixture(scope="module")
def scaled(trials, choice):
    """The variables from -1 to 1, in the order of `VARIABLES`."""
    context = 2.0 * trials.conditions["context"] - 1
    coherence = trials.conditions["coherence_1"].astype(float) / 50
    return np.stack([1 - 2.0 * choice, coherence, context], axis=1)


def outputs_of(choice, trials):
    outputs = np.zeros_like(trials.targets)
    outputs[np.arange(len(trials)), :, choice + 1] = 1.0
    return outputs


def trajectory(states, choice, trials):
    return Trajectory(trials.inputs, states, outputs_of(choice, trials), trials.dt, trials)


@pytest.fixture(scope="module")
def directions():
    """Of three variables: not orthogonal, on units of other size."""
    rng = np.random.default_rng(4)
    return rng.normal(size=(3, UNITS)) * rng.uniform(0.5, 2, UNITS)


@pytest.fixture(scope="module")
def planted(trials, choice, scaled, directions):
    """Context from the beginning, choice and coherence grow in the stimulus; a little noise."""
    rng = np.random.default_rng(5)
    begun = np.arange(TASK.n_steps) - trials.epochs[:, 1, None] + 1
    growing = np.clip(begun, 0, None)[..., None] / 5
    weights = np.concatenate([growing, growing, np.ones_like(growing)], axis=2)
    carried = (weights * scaled[:, None]) @ directions
    noise = rng.normal(0, 0.3, carried.shape)
    return trajectory(3.0 + carried + noise, choice, trials)


# averages


def test_averages_are_those_of_a_loop(trials, choice, planted):
    found = condition_averages(
        planted, trials, ["choice", "context"], TASK, align="decision", window_ms=(-400, 50)
    )
    assert found.conditions["choice"].tolist() == ["first", "first", "second", "second"]
    assert found.conditions["context"].tolist() == [0, 1, 0, 1]
    assert found.left_out == 5
    begins = trials.epochs[:, 3]
    for cell, (option, context) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        here = (choice == option) & (trials.conditions["context"] == context)
        assert found.trials[cell] == here.sum()
        for place, time in enumerate(found.time_ms):
            steps = begins + round(time / 50) - 1
            own = [planted.states[i, steps[i]] for i in np.flatnonzero(here) if steps[i] >= 0]
            assert found.counts[cell, place] == len(own)
            np.testing.assert_allclose(found.averages[cell, place], np.mean(own, axis=0))
            if len(own) > 1:
                np.testing.assert_allclose(found.sem[cell, place], sem(own), rtol=1e-9)
    assert found.time_ms[[0, -1]].tolist() == [-400.0, 50.0]


def test_only_correct_trials_of_outputs(trials, choice, planted):
    found = condition_averages(planted, trials, "relevant", TASK, of="outputs", correct_only=True)
    correct = choice == trials.conditions["answer"]
    assert found.trials.sum() == correct.sum()
    assert found.left_out == (~correct).sum()
    assert found.names == ("fixation", "first", "second")
    toward_first = found.conditions["relevant"] > 0
    np.testing.assert_array_equal(found.averages[:, 0, 1], toward_first)
    shown = found.to_xarray()
    assert shown.averages.sel(output="first", relevant=50.0).size == len(found.time_ms)


def test_where_no_trial_has_a_step_there_is_nan_and_it_is_said(trials, planted):
    one = trials.first(1)
    short = Trajectory(one.inputs, planted.states[:1], planted.outputs[:1], 50.0)
    two = replace(
        trials.first(2), epochs=np.array([[0, 1, 3, 4, 6], [0, 2, 6, 7, 9]]),
        conditions={"longer": np.array([0, 1])},
    )  # fmt: skip
    both = Trajectory(two.inputs, planted.states[:2], planted.outputs[:2], 50.0)
    found = condition_averages(both, two, "longer")
    assert found.counts.tolist() == [[1] * 6 + [0] * 3, [1] * 9]
    assert np.isnan(found.averages[0, 6:]).all()
    assert np.isfinite(found.averages[1]).all()
    assert np.isnan(found.sem).all()
    assert "at 3 of 18 times no trial has a step" in found.statement
    assert found.table()["last time (ms)"].tolist() == [300.0, 450.0]
    alone = condition_averages(short, one)
    assert (alone.by, alone.conditions, alone.trials.tolist()) == ((), {}, [1])


# axes


def cosines(one, other):
    return np.sum(one * other, axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_planted_axes_are_found_and_made_orthogonal_in_order(trials, planted, directions):
    found = task_axes(planted, trials, VARIABLES, TASK, align="stimulus")
    expected = directions / found.scale
    raw = found.coefficients[np.arange(3), [list(found.time_ms).index(t) for t in found.peaks_ms]]
    assert cosines(raw, expected).min() > 0.99
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-12)
    left = expected[1] - found.axes[0] * (found.axes[0] @ expected[1])
    assert cosines(found.axes[:2], np.stack([expected[0], left])).min() > 0.99
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found.angles, np.degrees(np.arccos(np.clip(unit @ unit.T, -1, 1))),
                               atol=6)  # fmt: skip
    assert found.peaks_ms[0] == found.peaks_ms[1] == 250.0
    assert found.readings.min() > 0.8
    assert found.read.all()
    assert found.trials == 495
    assert found.left_out == 5


def test_positions_along_an_axis_follow_its_variable(trials, choice, planted, scaled):
    found = task_axes(planted, trials, VARIABLES, TASK, align="stimulus")
    averages = condition_averages(planted, trials, "choice", TASK, align="stimulus")
    first, second = found.project(averages.averages)[:, -1, 0]
    assert first > second + 1
    z = (planted.states[5:] - found.center) / found.scale
    np.testing.assert_allclose(found.project(planted.states[5:]), z @ found.axes.T)
    used = planted.states[5:][trials.during("stimulus")[5:]]
    np.testing.assert_allclose(found.center, used.mean(axis=0))
    np.testing.assert_allclose(found.scale, used.std(axis=0))


def test_coefficients_without_denoising_are_least_squares(trials, planted, scaled):
    found = task_axes(planted, trials, VARIABLES, TASK, align="stimulus", components=UNITS)
    step = trials.epochs[5:, 1] + 2  # at 150 ms, of which every trial has a step
    z = (planted.states[np.arange(5, 500), step] - found.center) / found.scale
    design = np.column_stack([scaled[5:], np.ones(495)])
    expected = np.linalg.solve(design.T @ design, design.T @ z)[:3]
    np.testing.assert_allclose(found.coefficients[:, 2], expected, atol=1e-10)
    correlations = np.corrcoef(scaled[5:].T)
    for i in range(3):
        others = np.delete(np.arange(3), i)
        inside, across = correlations[np.ix_(others, others)], correlations[i, others]
        explained = across @ np.linalg.solve(inside, across)
        assert found.inflation[i] == pytest.approx(1 / (1 - explained))


def test_denoising_projects_on_the_leading_components_of_the_averages(trials, planted, scaled):
    """The averages by a loop, their components by a singular value decomposition."""
    few = task_axes(planted, trials, VARIABLES, TASK, align="stimulus", components=4)
    raw = task_axes(planted, trials, VARIABLES, TASK, align="stimulus", components=UNITS)
    z = (planted.states - few.center) / few.scale
    averages = []
    for combination in np.unique(scaled[5:], axis=0):
        own = 5 + np.flatnonzero((scaled[5:] == combination).all(axis=1))
        for step in range(5):
            there = [i for i in own if trials.epochs[i, 1] + step < trials.epochs[i, 2]]
            if there:
                averages.append(z[there, trials.epochs[there, 1] + step].mean(axis=0))
    averages = np.array(averages) - np.mean(averages, axis=0)
    leading = np.linalg.svd(averages)[2][:4]
    expected = raw.coefficients @ leading.T @ leading
    np.testing.assert_allclose(few.coefficients, expected, atol=1e-9)
    along = np.var(averages @ few.axes.T, axis=0) / np.var(averages, axis=0).sum()
    np.testing.assert_allclose(few.explained_variance, along)


def test_shares_of_variance_add_up_to_all_along_all_axes(trials, planted):
    """With as many variables as units the axes span everything."""
    few = Trajectory(trials.inputs, planted.states[..., :3], planted.outputs, 50.0)
    found = task_axes(few, trials, VARIABLES, TASK, align="stimulus")
    assert found.explained_variance.sum() == pytest.approx(1.0)
    assert found.components == 3


def test_a_variable_that_is_not_carried_is_not_read(trials, choice, scaled):
    """Coherence goes along with the choice, and the states carry the choice alone."""
    correlated = scaled[5:, 0] @ scaled[5:, 1]
    assert correlated > 50
    step_alone = np.clip(np.arange(TASK.n_steps) - 3, 0, 1)[None, :, None]
    read = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        carried = step_alone * scaled[:, None, :1] * rng.normal(size=8)
        states = carried + rng.normal(0, 1.0, (len(trials), TASK.n_steps, 8))
        found = task_axes(
            trajectory(states, choice, trials), trials, ["coherence_1", "choice"], TASK, "stimulus",
            seed=seed,
        )  # fmt: skip
        assert found.read[1]
        read += int(found.read[0])
    assert read <= 3  # 2.5 % of 20 are expected
    assert "coherence_1" in found.statement


def test_units_that_do_not_change_weigh_nothing(trials, planted):
    states = planted.states.copy()
    states[..., 4] = 0.5
    silent = Trajectory(trials.inputs, states, planted.outputs, 50.0)
    found = task_axes(silent, trials, VARIABLES, TASK, align="stimulus")
    assert found.scale[4] == np.inf
    assert np.abs(found.axes[:, 4]).max() < 1e-9
    assert np.isfinite(found.project(states)).all()
    single = selectivity(silent, trials, VARIABLES, TASK, align="stimulus")
    assert np.isnan(single.r_squared[4])
    assert single.kind[4] == "none"
    assert (single.low[4] <= 0).all()


# selectivity


def test_coefficients_intervals_and_shares_are_those_of_single_regressions(trials, planted, scaled):
    found = selectivity(planted, trials, VARIABLES, TASK, align="stimulus")
    during = trials.during("stimulus")
    activity = np.array([planted.states[i, during[i]].mean(axis=0) for i in range(5, 500)])
    y = (activity - activity.mean(axis=0)) / activity.std(axis=0)
    x = (scaled[5:] - scaled[5:].mean(axis=0)) / scaled[5:].std(axis=0)
    design = np.column_stack([np.ones(495), x])
    inverse = np.linalg.inv(design.T @ design)
    for unit in range(UNITS):
        beta = inverse @ design.T @ y[:, unit]
        residual = y[:, unit] - design @ beta
        leverage = np.diag(design @ inverse @ design.T)
        meat = design.T @ np.diag((residual / (1 - leverage)) ** 2) @ design
        errors = np.sqrt(np.diag(inverse @ meat @ inverse))[1:]
        np.testing.assert_allclose(found.coefficients[unit], beta[1:], atol=1e-10)
        half = 1.9648 * errors  # of Student's t with 491 degrees of freedom
        np.testing.assert_allclose(found.high[unit] - beta[1:], half, rtol=1e-4)
        assert found.r_squared[unit] == pytest.approx(1 - residual.var() / y[:, unit].var())
        for i in range(3):
            less = np.delete(design, i + 1, axis=1)
            left = y[:, unit] - less @ np.linalg.lstsq(less, y[:, unit], rcond=None)[0]
            assert found.share[unit, i] == pytest.approx(left.var() - residual.var(), abs=1e-10)


def test_intervals_hold_the_truth_where_noise_grows_with_the_variable(trials, choice, scaled):
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        size = 0.2 + np.abs(scaled[:, 1, None])
        activity = scaled[:, 1, None] + rng.normal(size=(len(trials), 20)) * size
        states = np.repeat(activity[:, None], TASK.n_steps, axis=1)
        made = Trajectory(trials.inputs, states, np.zeros_like(trials.targets), 50.0)
        found = selectivity(made, trials, "coherence_1")
        truth = scaled[:, 1].std() / activity.std(axis=0)
        inside.append((found.low[:, 0] < truth) & (truth < found.high[:, 0]))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_units_of_noise_alone_follow_nothing(trials):
    """Of 40 networks 2 may have a unit that seems to follow something, the shares left aside."""
    few = trials.first(100)
    wrong = 0
    for seed in range(40):
        activity = np.random.default_rng(seed).normal(size=(100, 1, 12))
        states = np.repeat(activity, TASK.n_steps, axis=1)
        made = Trajectory(few.inputs, states, np.zeros_like(few.targets), 50.0)
        found = selectivity(made, few, ["coherence_1", "context"], least_share=0)
        wrong += int(found.selective.any())
    assert wrong <= 6


def test_units_are_pure_mixed_or_neither_and_sorted(trials, choice, scaled):
    """Two units of the choice, one of context, one of both, one of noise alone."""
    rng = np.random.default_rng(1)
    weights = np.array([[-2.0, 0, 0, 1.5, 0], [0] * 5, [0, 0, 1.0, 1.0, 0]])
    weights[0, 1] = 2.0
    activity = scaled @ weights + rng.normal(size=(len(trials), 5))
    states = np.repeat(activity[:, None], TASK.n_steps, axis=1)
    found = selectivity(trajectory(states, choice, trials), trials, VARIABLES, TASK)
    assert found.kind.tolist() == ["pure", "pure", "pure", "mixed", "none"]
    assert found.preferred.tolist() == [0, 0, 2, 0, -1]
    assert found.order.tolist() == [1, 3, 0, 2, 4]
    assert found.table()["unit"].tolist() == [1, 3, 0, 2, 4]
    assert found.table()["preferred"].tolist() == ["choice"] * 3 + ["context", ""]
    assert found.statement.startswith("Of 5 units 3 follow one variable, 1 several, 1 none")


# what is not allowed


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda n, t: condition_averages(n, t, "choice"), "by = 'choice' needs the task"),
        (lambda n, t: condition_averages(n, t, "contxt"), "'contxt' is no condition.*'context'"),
        (lambda n, t: condition_averages(n, t, of="rates"), "of = 'rates' is not allowed"),
        (lambda n, t: condition_averages(n, t, correct_only=True), "needs the task"),
        (lambda n, t: task_axes(n, t, []), "variables is empty"),
        (lambda n, t: task_axes(n, t, ["context"] * 2), "each of them once"),
        (lambda n, t: task_axes(n, t, VARIABLES, TASK, components=2), "components = 2 .* 3 variab"),
        (
            lambda n, t: task_axes(n, t, ["coherence_1", "coherence_2", "relevant", "irrelevant"]),
            "depend on each other: one is a sum of the others",
        ),
        (lambda n, t: task_axes(n, t.first(2), "context"), "must be of these trials"),
        (lambda n, t: selectivity(n, t, "context", least_share=2), "least_share = 2 is not allo"),
        (lambda n, t: selectivity(n, t, "nothing"), "has the same value in all 500 trials"),
        (lambda n, t: selectivity(n, t, "words"), "'words' is of kind <U1; regression takes num"),
        (lambda n, t: selectivity(n, t, "missing"), "'missing' has no value in any of the 500"),
        (lambda n, t: condition_averages(n, t, "short"), r"'short'. has shape \(3,\); it must be"),
        (
            lambda n, t: condition_averages(replace(n, states=np.inf * n.states), t),
            "states in these trials are not finite: it diverges",
        ),
    ],
)
def test_a_callers_mistake_is_one_line(trials, planted, call, expected):
    odd = {
        "nothing": np.ones(len(trials)), "words": np.array(["a", "b"] * 250),
        "missing": np.full(len(trials), np.nan), "short": np.zeros(3),
    }  # fmt: skip
    odd = replace(trials, conditions=trials.conditions | odd)
    with pytest.raises(InvalidSetting, match=expected) as caught:
        call(planted, odd)
    assert "\n" not in str(caught.value)


def test_conditions_that_are_words_are_averaged_by(trials, planted):
    words = np.array(["b", "a"] * 250)
    found = condition_averages(planted, replace(trials, conditions={"side": words}), "side")
    assert found.conditions["side"].tolist() == ["a", "b"]
    first = planted.states[words == "a", 0]
    np.testing.assert_allclose(found.averages[0, 0], first.mean(axis=0))


def test_choices_among_many_options_are_no_number(trials, planted):
    class ThreeDirections(at.tasks.ContextDecision):
        options = ("left", "right", "up")

    with pytest.raises(InvalidSetting, match="'choice' is one of 3 options, which no number"):
        task_axes(planted, trials, "choice", ThreeDirections(dt=50))


def test_several_networks_have_a_result_each(trials):
    networks = [
        at.models.RateRNN(units=4, dt=50, tau=50).build(TASK.n_inputs, 3, seed=i) for i in range(2)
    ]
    found = condition_averages(networks, trials.first(20), "context")
    assert [one.averages.shape[-1] for one in found] == [4, 4]
    assert np.abs(found[0].averages - found[1].averages).max() > 0
