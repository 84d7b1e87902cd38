"""Tunings that are killed: no trial is lost, none is twice, and values are tried again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import Counter

import numpy as np
import pytest
from sweeps.commands import Begun, write_study
from training.kills import Killed, dying_at

import attractory as at

pytest.importorskip("distributed")
pytest.importorskip("optuna")

# those of test_tune.py: their programs are compiled once in a test run
STUDY = {
    "task": at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4),
    "model": at.models.RateRNN(units=8),
    "rule": at.rules.BPTT(steps=6, batch=4, validation=4, check_every=2),
    "tune": {"rule.steps": {"low": 4, "high": 90, "log": True}},
    "objective": "mse",
    "sampler": "random",
    "scoring": {"trials": 16},
}


def tune(folder):
    study = at.sweeps.TuningStudy(**STUDY, nets=2, trials=2, retrain=1)
    return at.tune(study, folder, progress=False)


def check_whole(made, trials):
    """Each trial once, its run as `at.train` makes it of its values, and nothing left over."""
    assert made.status["complete"] == len(made) == trials
    table = made.table()
    assert table["rule.steps"].nunique() == trials
    files = sorted(file.name for file in made.path.glob("runs/*.zip"))
    assert files == [f"{number:05d}.zip" for number in table["trial"]]
    for folder in ("at-work", "working"):
        assert not list((made.path / folder).glob("*"))
    rows = made.retrained()[["trial", "seed"]].drop_duplicates()
    again = [f"trial-{row.trial:05d}-seed-{row.seed}" for row in rows.itertuples()]
    runs = [at.load(made.path / "retrained" / name) for name in again]
    for run in [made.run(made.best_trials[0]), *runs]:
        check_by_hand(run)


def check_by_hand(run):
    nets = len(run.networks)
    by_hand = at.train(run.task, run.model, run.rule, nets=nets, seed=run.seed, progress=False)
    for one, two in zip(run.networks, by_hand.networks, strict=True):
        for name, array in one.weights.items():
            np.testing.assert_array_equal(array, two.weights[name])


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    """The moments of a whole tuning by their names, and the values that it tries."""
    folder = tmp_path_factory.mktemp("whole")
    tune(folder / "first")  # which compiles: compiled programs are kept in files, too
    with dying_at() as counted:
        made = tune(folder / "tuning")
    return counted.names, set(made.table()["rule.steps"])


def killed_and_resumed(folder, at_moments, values):
    for moment in at_moments:
        with contextlib.suppress(Killed), dying_at(moment):
            tune(folder)
    made = tune(folder)
    check_whole(made, 2)
    assert set(made.table()["rule.steps"]) == values


@pytest.mark.slow
def test_a_tuning_that_is_killed_halfway_goes_on(moments, tmp_path):
    names, values = moments
    killed_and_resumed(tmp_path / "tuning", [len(names) // 2], values)


def test_a_tuning_that_is_killed_before_it_has_written_down_its_study_goes_on(moments, tmp_path):
    names, values = moments
    killed_and_resumed(tmp_path / "tuning", [names.index("before replace")], values)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_a_tuning_that_is_killed_at_three_random_moments_goes_on(moments, seed, tmp_path):
    names, values = moments
    chance = random.Random(seed)
    at_random = [chance.randrange(len(names)) for _ in range(3)]
    killed_and_resumed(tmp_path / "tuning", at_random, values)


TRIALS = 10  # more than are done between the kills, so that these find the command at work
# half a second of training and more, so that a kill finds a trial on its way
OF_COMMANDS = {
    "rule": {"steps": 400, "batch": 8, "validation": 8, "check_every": 50},
    "tune": {"rule.steps": {"low": 300, "high": 900, "log": True}},
    "objective": "mse",
    "sampler": "random",
    "trials": TRIALS,
    "retrain": 1,
}
TUNE = ("tune", "study.yaml", "--out", "tuning")


@pytest.mark.slow
@pytest.mark.parametrize("kills", [int(os.environ.get("ATTRACTORY_KILLS", "4"))])
@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_the_command_killed_at_random_moments(tmp_path, workers, kills):
    write_study(tmp_path, **OF_COMMANDS)
    folder = tmp_path / "tuning"
    chance, complete, tried, found_at_work = random.Random(1), 0, set(), 0
    for _ in range(kills):
        before = set((folder / "working").glob("*/manifest.json"))
        process = Begun(tmp_path, *TUNE, *workers)
        while process.poll() is None and set(folder.glob("working/*/manifest.json")) <= before:
            time.sleep(0.05)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, 3))
        process.kill()  # workers are left to see it themselves
        process.communicate()  # which waits for them: they hold its output
        found_at_work += process.returncode == -signal.SIGKILL
        with contextlib.suppress(at.FileProblem):  # of a tuning that was not begun yet
            made = at.open_tuning(folder)
            assert made.status["complete"] >= complete
            complete = made.status["complete"]
            tried |= set(made.table()["rule.steps"].dropna())
    assert found_at_work >= kills / 2
    process = Begun(tmp_path, *TUNE, *workers)
    said = process.said()
    assert process.returncode == 0, said
    made = at.open_tuning(folder)
    check_whole(made, TRIALS)
    assert tried <= set(made.table()["rule.steps"])


@pytest.mark.slow
def test_workers_killed_in_the_middle_of_trials(tmp_path):
    """Each time another trial is on its way, its worker is killed: its values are tried again."""
    write_study(tmp_path, **OF_COMMANDS)
    process = Begun(tmp_path, *TUNE, "--workers", "2")
    killed, working = Counter(), tmp_path / "tuning" / "working"
    while process.poll() is None:
        for left in working.glob("*/manifest.json"):
            trial = left.parent.name.partition(".")[0]
            if len(killed) < 3 and not killed[trial]:
                os.kill(holder_of(left.parent), signal.SIGKILL)
                killed[trial] += 1
        time.sleep(0.05)
    said = process.said()
    assert process.returncode == 0, said
    assert len(killed) == 3
    made = at.open_tuning(tmp_path / "tuning")
    check_whole(made, TRIALS)
    assert made.table()["trial"].max() > 5  # what was cut off has numbers, too


def holder_of(folder):
    """The number of the process that trains in a folder, as its lock says."""
    token = (folder / ".attractory.lock").read_text().partition("\n")[0]
    return int(token.split("-")[2])
