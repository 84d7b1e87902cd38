"""Tunings whose trials are kept by a real PostgreSQL server."""

from __future__ import annotations

import socket
import sys
import threading
import time

import numpy as np
import pytest
from sweeps.commands import Begun, write_study
from sweeps.postgres import PASSWORD, USER, server

import attractory as at
from attractory.sweeps import _optuna

pytest.importorskip("distributed")
pytest.importorskip("optuna")

# those of test_tune.py: their programs are compiled once in a test run
TASK = at.tasks.FlipFlop(bits=1, steps=40, first_onset=(5, 10), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, validation=4, check_every=2)
STEPS = {"rule.steps": {"low": 4, "high": 90, "log": True}}


@pytest.fixture(scope="module")
def postgres():
    with server() as made:
        yield made


@pytest.fixture
def running(postgres):
    """The server, which a test may stop."""
    yield postgres
    postgres.stop()
    postgres.start()


def study(**more):
    few = {"objective": "mse", "trials": 3, "retrain": 0, "sampler": "random"}
    common = {"task": TASK, "model": MODEL, "rule": RULE, "nets": 2, "scoring": {"trials": 16}}
    return at.sweeps.TuningStudy(**{**common, **few, "tune": STEPS, **more})


@pytest.mark.slow
def test_a_server_that_is_stopped_is_one_line_and_the_same_call_goes_on(running, tmp_path):
    def stop_after_two():
        while len(list(tmp_path.glob("runs/*.zip"))) < 2:
            time.sleep(0.02)
        running.stop()

    asked = study(storage=running.address, trials=200, pruner="median")
    stopping = threading.Thread(target=stop_after_two)
    stopping.start()
    with pytest.raises(at.FileProblem, match="cannot be read or written.*goes on once") as told:
        at.tune(asked, tmp_path, progress=False)
    stopping.join()
    assert "\n" not in str(told.value)
    with pytest.raises(at.FileProblem, match="cannot be read or written"):
        at.open_tuning(tmp_path, running.address)
    running.start()
    before = at.open_tuning(tmp_path, running.address).table()
    ended = before[before["state"].isin(["complete", "pruned"])]
    assert len(ended) >= 1
    more = len(ended) + 2
    made = at.tune(asked.replace(trials=more), tmp_path, progress=False)
    assert len(made) == more
    assert made.status["complete"] + made.status["pruned"] == more
    steps = made.table().set_index("trial")["rule.steps"]
    assert steps.loc[ended["trial"]].tolist() == ended["rule.steps"].tolist()
    assert set(before["rule.steps"]) <= set(steps)  # what was cut off is tried again
    assert not list((tmp_path / "working").iterdir())
    assert len(list(tmp_path.glob("runs/*.zip"))) == made.status["complete"]


def test_no_password_lies_in_the_folder(postgres, tmp_path, monkeypatch):
    at.tune(study(storage=postgres.address, trials=1), tmp_path, progress=False)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert f"//{USER}@127.0.0.1".encode() in (tmp_path / "study.json").read_bytes()
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]
    with pytest.raises(at.FileProblem, match="no password supplied"):
        at.open_tuning(tmp_path)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(at.open_tuning(tmp_path)) == 1


def test_a_missing_driver_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(at.InvalidSetting, match=r"pip install 'attractory\[postgresql\]'"):
        at.tune(study(storage="postgresql://host/name"), tmp_path, progress=False)


def test_a_server_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    assert _optuna.SECONDS_FOR_AN_ANSWER < 10
    monkeypatch.setattr(_optuna, "SECONDS_FOR_AN_ANSWER", 2)  # the least that libpq takes
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"postgresql://{USER}@127.0.0.1:{silent.getsockname()[1]}/postgres"
        with pytest.raises(at.FileProblem, match="timeout expired"):
            at.tune(study(storage=address), tmp_path, progress=False)


OF_COMMANDS = {
    "rule": {"steps": 300, "batch": 8, "validation": 8, "check_every": 50},
    "tune": {"rule.steps": {"low": 150, "high": 600, "log": True}},
    "objective": "mse",
    "sampler": "random",
    "pruner": {"name": "threshold", "upper": 1e9},  # which asks at each check, and ends none
    "trials": 8,
    "retrain": 1,
}
TUNE = ("tune", "study.yaml", "--out", "tuning")


@pytest.mark.slow
def test_two_commands_with_workers_share_the_trials(postgres, tmp_path):
    write_study(tmp_path, **OF_COMMANDS, storage=postgres.address)
    both = [Begun(tmp_path, *TUNE, "--workers", "1") for _ in range(2)]
    said = [each.said() for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    made = at.open_tuning(tmp_path / "tuning", postgres.address)
    assert made.status["complete"] == len(made) == 8
    told = [sum(f"trial {n}: mse" in text for n in range(9)) for text in said]
    assert min(told) >= 1
    assert sum(told) == 8
    assert PASSWORD not in "".join(said)
    shown = Begun(tmp_path, *TUNE, "--status")
    assert "8 complete" in shown.said()
    trial = made.best_trials[0]
    best = made.run(trial)
    by_hand = at.train(best.task, best.model, best.rule, seed=0, progress=False)
    for name, array in best.networks[0].weights.items():
        np.testing.assert_array_equal(array, by_hand.networks[0].weights[name])


@pytest.mark.slow
def test_a_server_stopped_under_workers_loses_no_trial(running, tmp_path):
    write_study(tmp_path, **OF_COMMANDS, storage=running.address)
    begun = Begun(tmp_path, *TUNE, "--workers", "2")
    while len(list(tmp_path.glob("tuning/runs/*.zip"))) < 2:
        assert begun.poll() is None, begun.said()
        time.sleep(0.1)
    running.stop()
    said = begun.said()
    assert begun.returncode == 2, said
    assert "the same command goes on once" in said.splitlines()[-1]
    running.start()
    again = Begun(tmp_path, *TUNE, "--workers", "2")
    said = again.said()
    assert again.returncode == 0, said
    made = at.open_tuning(tmp_path / "tuning", running.address)
    assert made.status["complete"] == len(made) == 8
