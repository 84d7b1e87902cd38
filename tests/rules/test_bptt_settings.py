"""BPTT's schedules by hand, the published protocol, and what is not allowed."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from attractory._errors import InvalidSetting
from attractory.rules import BPTT


def rates(rule, steps):
    return [rule.rate(step) for step in steps]


def test_constant_stays():
    rule = BPTT(schedule="constant", warmup=0, learning_rate=0.3)
    assert rates(rule, (0, 10, 10_000)) == pytest.approx(3 * [0.3])


def test_inverse_time_is_the_decay_of_keras_2():
    rule = BPTT(schedule="inverse_time", warmup=0, learning_rate=0.1, decay=0.25)
    assert rates(rule, (0, 1, 2, 4, 36)) == pytest.approx([0.1, 0.08, 0.2 / 3, 0.05, 0.01])


def test_cosine_starts_at_the_rate_and_is_half_way_in_the_middle():
    rule = BPTT(warmup=0, steps=401, learning_rate=0.1, final_rate=0.2)
    assert rates(rule, (0, 200)) == pytest.approx([0.1, 0.1 * (1 + 0.2) / 2])
    at_a_quarter = 0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2
    assert rule.rate(100) == pytest.approx(0.1 * at_a_quarter)


def test_cosine_has_come_to_the_final_rate_at_the_last_update_of_a_long_run():
    rule = BPTT(warmup=20, steps=2000, learning_rate=0.1, final_rate=0.02)
    assert rule.rate(1999) == pytest.approx(0.1 * 0.02, rel=1e-4)


def test_cosine_falls_to_final_rate_at_the_last_step():
    rule = BPTT(warmup=0, steps=10, learning_rate=0.1, final_rate=0.02)
    assert rule.rate(9) == pytest.approx(0.1 * 0.02, rel=1e-5)


def test_cosine_counts_the_updates_of_all_epochs():
    rule = BPTT(warmup=0, trials=10, epochs=41, batch=10, learning_rate=0.1, final_rate=0.0)
    assert rule.rate(20) == pytest.approx(0.05)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_warmup_rises_linearly_to_the_rate(schedule):
    rule = BPTT(schedule=schedule, warmup=8, steps=1000, learning_rate=0.4)
    rising = rates(rule, range(9))
    steps = [b - a for a, b in pairwise(rising)]
    assert steps == pytest.approx(8 * [steps[0]], rel=1e-4)
    assert 0 < rising[0] <= 0.4 / 8 + 1e-7
    assert rising[8] == pytest.approx(0.4)


def test_warmup_of_one_update_is_the_rate_itself():
    rule = BPTT(schedule="constant", warmup=1, learning_rate=0.4)
    assert rates(rule, (0, 1)) == pytest.approx([0.4, 0.4])


def test_paper_holds_table_1():
    rule = BPTT.paper()
    assert (rule.optimizer, rule.learning_rate) == ("adam", 1e-4)
    assert (rule.schedule, rule.decay, rule.warmup, rule.clip) == ("inverse_time", 1e-4, 0, None)
    assert (rule.trials, rule.epochs, rule.batch, rule.validation) == (30_050, 20, 128, 50)
    assert (rule.stop_below, rule.patience) == (0.009, None)
    assert rule.orthogonal_pull == 0
    assert rule.steps_per_epoch == rule.check_interval == 235
    assert rule.n_steps == 235 * 20 == 4700
    assert rule.rate(0) == pytest.approx(1e-4)
    assert rule.rate(4699) == pytest.approx(1e-4 / 1.4699)


def test_changes_of_the_recipes_are_taken_and_checked():
    assert BPTT.paper(epochs=2).n_steps == 470
    assert BPTT.near_orthogonal(steps=7).n_steps == 7
    with pytest.raises(InvalidSetting, match="batch = 0"):
        BPTT.paper(batch=0)


@pytest.mark.parametrize(
    ("trials", "batch", "expected"), [(100, 10, 10), (101, 10, 11), (9, 10, 1)]
)
def test_the_last_batch_of_an_epoch_may_be_smaller(trials, batch, expected):
    assert BPTT(trials=trials, batch=batch, epochs=3).n_steps == 3 * expected


def test_with_fresh_trials_the_steps_and_checks_are_those_given():
    rule = BPTT(steps=70, check_every=30)
    assert (rule.n_steps, rule.check_interval, rule.steps_per_epoch) == (70, 30, None)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"patience": 3}, "patience = 3 needs validation trials"),
        ({"trials": 10}, "trials = 10 and epochs = None go together"),
        ({"epochs": 10}, "trials = None and epochs = 10 go together"),
        ({"optimizer": "adm"}, "optimizer 'adm' is unknown.*did you mean 'adam'"),
        ({"recurrent_optimizer": "x"}, "recurrent_optimizer: optimizer 'x' is unknown"),
        ({"schedule": "cosin"}, "schedule 'cosin' is unknown.*did you mean 'cosine'"),
        ({"learning_rate": 0}, "learning_rate = 0.*greater than 0"),
        ({"learning_rate": float("inf")}, "learning_rate = inf.*finite"),
        ({"steps": 0}, "steps = 0.*greater than or equal to 1"),
        ({"clip": -1.0}, "clip = -1.0.*greater than 0"),
        ({"pull_every": 0}, "pull_every = 0.*greater than or equal to 1"),
        ({"on_divergence": "panic"}, "on_divergence = 'panic'.*'retry'"),
        ({"precision": "float64"}, "precision = 'float64'.*'float32'"),
        ({"learnig_rate": 0.1}, "unknown setting 'learnig_rate'.*did you mean 'learning_rate'"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(settings, expected):
    with pytest.raises(InvalidSetting, match="BPTT: .*" + expected) as caught:
        BPTT(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rule", [BPTT(), BPTT.paper(), BPTT.near_orthogonal()])
def test_settings_come_back_from_json(rule):
    assert BPTT(**rule.to_json()) == rule
