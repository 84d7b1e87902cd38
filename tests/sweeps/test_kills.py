"""A sweep that is killed between two changes of files: nothing is lost, and nothing is twice."""

from __future__ import annotations

import contextlib
import random
import shutil

import cloudpickle
import numpy as np
import pytest
from training.kills import Killed, dying_at

import attractory as at
from attractory.sweeps import _sweep, _work
from attractory.training import _train

# those of training/test_start.py: their programs are compiled once in a test run
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, optimizer="sgd", learning_rate=0.05)
RUNS = 3


class InOneProcess:
    """A crew of nobody: what is handed out is done at once."""

    def __init__(self, where, needed, jobs, setup, say):
        self.setup, self.ended = setup, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def busy(self):
        return len(self.ended)

    def has_room(self):
        return not self.ended

    def submit(self, job, order):
        self.ended.append((job, _work.work(self.setup, cloudpickle.dumps(order))))

    def finished(self, seconds):
        done, self.ended = self.ended, []
        return done


@pytest.fixture(scope="module")
def whole():
    return [
        at.train(TASK, MODEL, RULE, seed=seed, progress=False).networks[0] for seed in range(RUNS)
    ]


@pytest.fixture
def sweep(monkeypatch, tmp_path):
    monkeypatch.setattr(_sweep, "Crew", InOneProcess)
    monkeypatch.setattr(_train, "CHECKPOINT_SECONDS", -1.0)  # after every update
    study = at.sweeps.Study(
        task=TASK,
        model=MODEL,
        rule=RULE,
        vary={"grid": {"seed": range(RUNS)}},
        scoring={"trials": 0},
    )
    return lambda: at.sweep(study, tmp_path / "sweep", progress=False)


def killed_and_resumed(sweep, moments, whole):
    """Kill it at one moment after another, each time it begins again; then let it end."""
    for moment in moments:
        with contextlib.suppress(Killed), dying_at(moment):
            sweep()
    made = sweep()
    assert made.status["done"] == RUNS
    assert len(list((made.path / "runs").rglob("*.zip"))) == RUNS
    assert not list((made.path / "working").iterdir())
    assert {path.name for path in made.path.iterdir()} <= {
        "study.json", "index.jsonl", "runs", "working", "sweep.log",
    }  # fmt: skip
    for run, network in enumerate(whole):
        for name, array in made.run(run).networks[0].weights.items():
            np.testing.assert_array_equal(array, network.weights[name])


@pytest.fixture
def moments(sweep, tmp_path):
    """How many moments a whole sweep has."""
    with dying_at() as counted:
        sweep()
    shutil.rmtree(tmp_path / "sweep")
    return counted.passed


@pytest.mark.parametrize("share", [0.3, 0.97])
def test_a_sweep_that_is_killed_goes_on(sweep, moments, share, whole):
    killed_and_resumed(sweep, [int(share * moments)], whole)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_a_sweep_that_is_killed_at_four_random_moments_goes_on(sweep, moments, seed, whole):
    chance = random.Random(seed)
    killed_and_resumed(sweep, [chance.randrange(moments) for _ in range(4)], whole)
