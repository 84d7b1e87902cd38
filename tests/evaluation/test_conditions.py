"""Shares by condition against loops over the trials, and intervals against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

import attractory as at
from attractory._errors import InvalidSetting
from attractory.evaluation._conditions import in_levels
from attractory.evaluation._interval import wilson_interval

N = 200
TASK = at.tasks.ContextDecision(
    dt=50, fixation=50, stimulus=200, delay=50, coherences=(6.4, 50), sigma=0.5
)
NETS = [at.models.RateRNN(units=8).build(TASK.n_inputs, TASK.n_outputs, seed=s) for s in (0, 1)]
TRIALS = TASK.sample(N, seed=3)


def test_every_row_is_the_mean_over_its_trials():
    table = at.evaluation.by_condition(NETS, TASK, ["context", "relevant"], n=N, seed=3)
    assert len(table) == 2 * 2 * 4
    for row in table.to_dict("records"):
        outputs = NETS[row["net"]].respond(TRIALS.inputs)
        here = [
            i
            for i in range(N)
            if TRIALS.conditions["context"][i] == row["context"]
            and abs(TRIALS.conditions["relevant"][i] - row["relevant"]) < 1e-5
        ]
        assert row["trials"] == row["scored"] == len(here)
        correct, chosen = TASK.correct(outputs, TRIALS), TASK.chosen(outputs, TRIALS)
        assert row["correct"] == pytest.approx(np.mean([correct[i] for i in here]))
        assert row["chose first"] == pytest.approx(np.mean([chosen[i, 0] == 0 for i in here]))
        assert row["chose second"] == pytest.approx(np.mean([chosen[i, 0] == 1 for i in here]))
        interval = binomtest(int(sum(correct[here])), len(here)).proportion_ci(method="wilson")
        assert (row["low"], row["high"]) == pytest.approx(tuple(interval), abs=1e-6)
    assert table["correct"].nunique() >= 3  # shares that could have been mixed up
    assert set(table["relevant"]) == {-50.0, -6.4, 6.4, 50.0}


def test_one_network_and_the_share_of_all_trials():
    table = at.evaluation.by_condition(NETS[1], TASK, "context", n=N, seed=3)
    assert table["net"].tolist() == [0, 0]
    whole = (table["correct"] * table["scored"]).sum() / N
    assert whole == pytest.approx(at.evaluate(NETS[1], TASK, N, seed=3).correct)


def test_trials_without_a_right_answer_are_counted_but_not_scored():
    task = at.tasks.PerceptualDecision(dt=100, stimulus=200, coherences=(0, 51.2))
    net = at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs)
    table = at.evaluation.by_condition(net, task, "coherence", n=N).set_index("coherence")
    assert table.loc[0, "trials"] > 50
    assert table.loc[0, "scored"] == 0
    assert np.isnan(table.loc[0, "correct"])
    assert table.loc[0, ["low", "high"]].tolist() == [0, 1]
    assert table.loc[51.2, "scored"] == table.loc[51.2, "trials"]


def test_many_values_are_cut_into_bins_of_equal_numbers_named_by_their_mean():
    task = at.tasks.DelayedResponse(dt=100)
    net = at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs)
    table = at.evaluation.by_condition(net, task, "direction", n=N, seed=3)
    assert len(table) == 8
    assert not any("chose" in name for name in table)
    assert table["trials"].tolist() == [25] * 8
    ordered = np.sort(task.sample(N, seed=3).conditions["direction"])
    np.testing.assert_allclose(table["direction"], ordered.reshape(8, 25).mean(1), rtol=1e-6)


def test_levels_keep_nan_apart_and_have_no_negative_zero():
    values = np.array([6.4, -0.0, np.nan, 6.4], np.float32)
    levels = in_levels(values)
    assert str(levels.tolist()) == "[6.4, 0.0, nan, 6.4]"
    many = np.append(np.arange(80.0), np.nan)
    assert np.isnan(in_levels(many)[-1])
    assert in_levels(many)[0] == 4.5
    indices = np.arange(20)  # such as those of the rules of a battery of tasks
    assert in_levels(indices).tolist() == indices.tolist()


def test_each_answer_of_several_has_its_own_columns():
    task = at.tasks.DualDelayedMatch(dt=100, sigma=0)
    net = at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs)
    table = at.evaluation.by_condition(net, task, "first_item", n=20)
    assert [name for name in table if "chose" in name] == [
        "chose match in test_1", "chose non-match in test_1",
        "chose match in test_2", "chose non-match in test_2",
    ]  # fmt: skip


def test_interval_is_that_of_scipy():
    cases = [(0, 1), (1, 1), (3, 10), (0, 50), (50, 50), (250, 1000)]
    low, high = wilson_interval(*np.array(cases).T)
    for i, (k, n) in enumerate(cases):
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert (low[i], high[i]) == pytest.approx(tuple(expected), abs=1e-6)


FLIPFLOP = at.tasks.FlipFlop(bits=3, steps=200)


@pytest.mark.parametrize(
    ("task", "by", "expected"),
    [
        (TASK, "contxt", "by = 'contxt' is no condition of context_decision; .*'context'"),
        (TASK, [], "by is empty"),
        (TASK, ["context", "colour"], "by = 'colour'"),
        (FLIPFLOP, "noise", "by = 'noise' is no condition of flipflop; its trials have none"),
    ],
)
def test_a_callers_mistake_is_one_line(task, by, expected):
    net = at.models.RateRNN(units=8).build(task.n_inputs, task.n_outputs)
    with pytest.raises(InvalidSetting, match=expected) as caught:
        at.evaluation.by_condition(net, task, by, n=4)
    assert "\n" not in str(caught.value)
