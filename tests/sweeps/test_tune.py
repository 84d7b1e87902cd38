"""Tunings from the beginning to the end: trials are normal runs, none lost and none twice."""

from __future__ import annotations

import platform
import shutil

import numpy as np
import pandas as pd
import pytest

import attractory as at
from attractory.sweeps import _optuna, _tune, _tuning_store, _work

pytest.importorskip("distributed")
optuna = pytest.importorskip("optuna")

TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, validation=4, check_every=2)
# a number of updates is no other program, unlike a rate: nothing is compiled for another trial
STEPS = {"rule.steps": {"low": 4, "high": 90, "log": True}}


def study(**more):
    common = {"task": TASK, "model": MODEL, "rule": RULE, "nets": 2, "scoring": {"trials": 16}}
    few = {"objective": "mse", "trials": 3, "retrain": 1, "sampler": "random"}
    return at.sweeps.TuningStudy(**{**common, "tune": STEPS, **few, **more})


def tune(asked, folder, **more):
    return at.tune(asked, folder, progress=False, **more)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    return tune(study(), tmp_path_factory.mktemp("tunings") / "steps")


def test_each_trial_is_a_normal_run_and_scored_by_hand(tuned):
    table = tuned.table()
    assert table["state"].tolist() == ["complete"] * 3
    assert table["trial"].tolist() == [0, 1, 2]
    steps = table["rule.steps"]
    assert steps.between(4, 90).all()
    assert steps.nunique() == 3
    by_hand = at.train(
        TASK, MODEL, RULE.replace(steps=int(steps[1])), nets=2, seed=0, progress=False
    )
    run = tuned.run(1)
    assert all(
        np.array_equal(a.weights[name], b.weights[name])
        for a, b in zip(run.networks, by_hand.networks, strict=True)
        for name in a.weights
    )
    assert table["mse"][1] == pytest.approx(at.evaluate(by_hand, n=16, seed=1).mse.mean())
    assert tuned.best["trial"].tolist() == [int(table["mse"].idxmin())]


def test_the_best_is_kept_and_trained_again_on_fresh_seeds_and_trials(tuned):
    (number,) = tuned.best_trials
    kept = at.load(tuned.path / "kept" / f"trial-{number:05d}")
    assert kept.seed == 0
    again = at.load(tuned.path / "retrained" / f"trial-{number:05d}-seed-1")
    assert again.seed == 1
    assert again.rule == kept.rule
    fresh = at.evaluate(again, n=16, seed=2).mse
    assert np.allclose(tuned.retrained()["mse"], fresh)
    (row,) = tuned.optimism().to_dict("records")
    assert row["fresh"] == pytest.approx(fresh.mean())
    assert row["optimism"] == pytest.approx(fresh.mean() - row["chosen"])  # of mse less is better
    assert f"{row['chosen']:.4g} on the trials it was chosen by" in tuned.statement


def test_a_study_goes_on_with_more_trials_and_trains_none_again(tuned, monkeypatch):
    trained = []
    train = _work.train

    def counting(*args, **more):
        trained.append(args)
        return train(*args, **more)

    monkeypatch.setattr(_work, "train", counting)
    before = tuned.table()
    after = tune(study(trials=4, sampler="random"), tuned.path)
    assert len(trained) == 1
    pd.testing.assert_frame_equal(after.table().head(3), before)


def test_no_workers_are_started_where_nothing_is_left_to_try(tuned, monkeypatch):
    def started(*args):
        raise AssertionError("workers were started")

    before = at.open_tuning(tuned.path).table()
    monkeypatch.setattr(_tune, "Crew", started)
    again = tune(study(), tuned.path, workers=1)
    pd.testing.assert_frame_equal(again.table(), before)
    with pytest.raises(AssertionError, match="workers were started"):
        tune(study(trials=len(before) + 1), tuned.path, workers=1)


def test_what_was_cut_off_is_tried_again_with_the_same_values(tuned, tmp_path, monkeypatch):
    """Cut off in the second trial: the trials that count are those of a study without it."""
    train = _work.train
    begun = []

    def cut_off(*args, **more):
        begun.append(args)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return train(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(_work, "train", cut_off)
        with pytest.raises(KeyboardInterrupt):
            tune(study(), tmp_path)
    left = at.open_tuning(tmp_path)
    assert left.status["running"] == 1
    again = tune(study(), tmp_path)
    columns = ["state", "rule.steps", "mse"]
    expected = tuned.table()[columns].head(3).sort_values("mse", ignore_index=True)
    found = again.table()[columns].sort_values("mse", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)
    assert not list((tmp_path / "at-work").iterdir())
    assert not list((tmp_path / "working").iterdir())


@pytest.mark.slow
def test_a_trial_of_another_process_that_is_killed_meanwhile_is_tried_again(tmp_path, monkeypatch):
    train = _work.train

    def another_begins(*args, **more):
        if not lost:
            _, of_another = _tuning_store.opened(tmp_path, None)
            trial = of_another.ask()
            trial.set_user_attr("process", "gone")
            lost.append(trial.suggest_int("rule.steps", 4, 90, log=True))
        return train(*args, **more)

    lost = []
    monkeypatch.setattr(_work, "train", another_begins)
    table = tune(study(retrain=0), tmp_path).table()
    assert table["state"].tolist() == ["complete"] * 3
    assert lost[0] in table["rule.steps"].tolist()


def test_a_check_is_told_what_the_history_has():
    told = []
    run = at.train(
        TASK, MODEL, RULE, nets=2, progress=False, on_check=lambda *check: told.append(check)
    )
    assert [step for step, _ in told] == [2, 4, 6]
    losses = run.history.pivot(index="step", columns="net", values="validation_loss").dropna()
    assert np.array_equal(np.array([losses for _, losses in told]), losses.to_numpy())
    with pytest.raises(at.InvalidSetting, match="on_check = 3 is not allowed: a function"):
        at.train(TASK, MODEL, RULE, on_check=3)


def test_pruning_ends_trials_by_their_validation_losses(tmp_path):
    """Nothing may be above a loss of 0: every trial ends at the first check it is asked at."""
    pruner = {"name": "threshold", "upper": -1.0}
    made = tune(study(objective="mse", pruner=pruner), tmp_path)
    table = made.table()
    assert table["state"].tolist() == ["pruned"] * 3
    assert table["step"].tolist() == [RULE.check_every] * 3
    assert (table["seconds"] > 0).all()
    assert (table["host"] == platform.node()).all()
    assert made.best_trials == []
    assert len(made.retrained()) == 0
    assert made.status["complete"] == 0


@pytest.mark.slow
def test_several_objectives_give_a_pareto_front(tmp_path):
    objective = ["mse", {"name": "spectral_radius", "direction": "maximize"}]
    made = tune(study(objective=objective, retrain=0, trials=5), tmp_path)
    table = made.table()
    mse, radius = table["mse"].to_numpy(), table["spectral_radius"].to_numpy()
    front = [
        number
        for number in range(5)
        if not any(
            mse[other] <= mse[number]
            and radius[other] >= radius[number]
            and (mse[other] < mse[number] or radius[other] > radius[number])
            for other in range(5)
        )
    ]
    assert sorted(made.best_trials) == front
    assert made.best["trial"].tolist() == front
    measured = at.population.measure(made.run(0), "spectral_radius", progress=False)
    assert radius[0] == pytest.approx(measured.values.mean())


@pytest.mark.slow
def test_values_that_do_not_go_together_fail_with_a_line_and_the_rest_goes_on(tmp_path):
    """Patience needs validation trials, which one of two choices lacks."""
    fields = {"rule.validation": [4, 0], "rule.patience": [3, None]}
    made = tune(study(tune=fields, trials=8, retrain=0, seed=1), tmp_path)
    table = made.table()
    wrong = (table["rule.validation"] == 0) & table["rule.patience"].notna()
    assert wrong.any()
    assert not wrong.all()
    assert (table["state"] == "failed").equals(wrong)
    assert table["line"][wrong].str.contains("patience = 3 needs validation trials").all()


@pytest.mark.slow
def test_trials_of_a_scheduler_s_workers_are_those_of_this_process(tuned, tmp_path):
    import distributed

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        made = tune(study(storage="journal"), tmp_path, scheduler=cluster.scheduler_address)
    assert made.status["complete"] == 3
    expected = dict(zip(*tuned.table()[["rule.steps", "mse"]].head(3).T.to_numpy(), strict=True))
    for row in made.table().to_dict("records"):
        assert row["mse"] == expected[row["rule.steps"]]
    # no trial is asked for before one of the worker's threads is free: it knows all before it
    trials = optuna.load_study(
        study_name=None, storage=_optuna.storage_at(made.path, "journal")
    ).trials
    begun = [trial.datetime_start for trial in trials]
    ended = [trial.datetime_complete for trial in trials]
    assert all(start >= end for start, end in zip(begun[1:], ended, strict=False))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_importance_is_of_the_better_trials(tuned, tmp_path, direction):
    """Planted: the better half of the trials has high widths, and depths that are anything."""
    shutil.copytree(tuned.path, tmp_path, dirs_exist_ok=True)
    made = at.open_tuning(tmp_path)
    made.objectives = {"mse": direction}
    planted = optuna.create_study(direction=direction)
    sign = 1.0 if direction == "maximize" else -1.0
    spans = {name: optuna.distributions.FloatDistribution(0, 1) for name in ("width", "depth")}
    for number in range(40):
        width, depth = number / 40, (number * 17 % 40) / 40
        planted.add_trial(
            optuna.create_trial(
                params={"width": width, "depth": depth},
                distributions=spans,
                # of low widths none tells from another, so that the wrong way round shows
                value=sign * (width if width > 0.9 else depth / 100),
            )
        )
    made._optuna = planted
    importance = made.importance()
    assert importance["field"].tolist() == ["width", "depth"]
    assert importance["importance"].sum() == pytest.approx(1.0)
    with pytest.raises(at.InvalidSetting, match="objective = 'correct'"):
        made.importance("correct")


def test_a_wrong_address_is_one_line_and_no_password_is_written(tmp_path, monkeypatch):
    asked = study(storage="nosuchdatabase://me:secret@host/name", trials=1, retrain=0)
    with pytest.raises(at.FileProblem, match="cannot be read or written") as told:
        tune(asked, tmp_path)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "study.json").exists()
    there = _optuna.storage_at(tmp_path.parent, "journal")
    monkeypatch.setattr(_tuning_store, "storage_at", lambda folder, storage: there)
    assert tune(asked, tmp_path).status["complete"] == 1
    content = (tmp_path / "study.json").read_text()
    assert "nosuchdatabase://me@host/name" in content
    assert "secret" not in content
