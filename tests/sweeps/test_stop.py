"""Sweeps and tunings that are stopped, by Ctrl-C or by SIGTERM: workers write checkpoints first."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from sweeps.commands import Begun, write_study

import attractory as at
from attractory.sweeps import _work
from attractory.sweeps._common import Scoring
from attractory.sweeps._crew import pickled
from attractory.training import newest_step

# those of training/test_start.py: their programs are compiled once in a test run
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(
    steps=6, batch=4, optimizer="sgd", learning_rate=0.05, validation=4, check_every=2
)


def terminate(step, losses):
    if step == 2:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_training_that_is_terminated_writes_a_checkpoint(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        at.train(TASK, MODEL, RULE, path=tmp_path, progress=False, on_check=terminate)
    assert newest_step(tmp_path / "checkpoints") == 2
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


class Stop:
    """Has the worker stop at the second check."""

    def __init__(self, sign):
        self.sign = sign

    def __call__(self, step, losses):
        if step == 4:
            _work.stop(self.sign)


def test_a_worker_that_is_told_to_stop_writes_a_checkpoint(tmp_path):
    """In a thread, as a worker does it: signals do not reach it."""
    (tmp_path / "sign").touch()
    (tmp_path / "working").mkdir()
    setup = _work.Setup(_work.versions(), (), b"", _work.Process.this().token)
    order = _work.Order(
        key="key", parts=pickled((TASK, MODEL, RULE)), values={}, seed=0, first=0, stop=1,
        scoring=Scoring(trials=0), folder=str(tmp_path), sign="sign", commit="",
        on_check=Stop("sign"),
    )  # fmt: skip
    outcomes = []
    for _ in range(2):  # the second one is told so before it begins
        thread = threading.Thread(target=lambda: outcomes.append(_work.work(setup, pickled(order))))
        thread.start()
        thread.join()
    assert [outcome.status for outcome in outcomes] == ["stopped", "stopped"]
    (left,) = (tmp_path / "working").iterdir()
    assert newest_step(left / "checkpoints") == 4


# some seconds; the weights of a check say that it is on its way
LONG = {
    "rule": {"steps": 3000, "batch": 8, "validation": 8, "check_every": 200, "keep_checks": True}
}
STUDIES = {
    "sweep": {**LONG, "vary": {"grid": {"seed": [0, 1]}}},
    "tune": {
        **LONG, "tune": {"rule.decay": [0.5]}, "objective": "mse", "trials": 1, "retrain": 0,
    },
}  # fmt: skip


def by_ctrl_c(process):
    """As a terminal sends it: to the command and all its workers."""
    os.killpg(process.pid, signal.SIGINT)


def by_a_queue(process):
    process.terminate()


@pytest.mark.slow
@pytest.mark.parametrize("stop", [by_ctrl_c, by_a_queue])
@pytest.mark.parametrize("command", STUDIES)
def test_a_command_that_is_stopped_loses_an_update_at_most(tmp_path, command, stop):
    write_study(tmp_path, **STUDIES[command])
    arguments = (command, "study.yaml", "--out", "out", "--workers", "1")
    process = Begun(tmp_path, *arguments)
    working = tmp_path / "out" / "working"
    while not list(working.glob("*/checkpoints/weights-02*")):
        assert process.poll() is None, process.said()
        time.sleep(0.05)
    began = time.monotonic()
    stop(process)
    said = process.said()
    print(f"ended after {time.monotonic() - began:.1f} s")
    assert process.returncode == 130, said
    assert "the same command goes on with the rest" in said.splitlines()[-1]
    (left,) = working.iterdir()
    step = newest_step(left / "checkpoints")
    assert step is not None
    assert 400 <= step < 3000
    again = Begun(tmp_path, *arguments)
    said = again.said()
    assert again.returncode == 0, said
    opened = at.open_sweep if command == "sweep" else at.open_tuning
    made = opened(tmp_path / "out")
    run = made.run(int(made.table()["trial"].max()) if command == "tune" else 0)
    by_hand = at.train(run.task, run.model, run.rule, seed=0, progress=False)
    for name, array in run.networks[0].weights.items():
        np.testing.assert_array_equal(array, by_hand.networks[0].weights[name])
