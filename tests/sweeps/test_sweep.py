"""Sweeps from the beginning to the end, with workers in this process and with real ones."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

import attractory as at
from attractory.sweeps import _cluster, _crew, _work
from attractory.sweeps._store import INDEX, WORKING
from attractory.training import _train
from attractory.training._population import Population

distributed = pytest.importorskip("distributed")
# what Dask leaves to the collector when it ends is not of these tests
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

# those of training/test_start.py: their programs are compiled once in a test run
TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(5, 15), pulse=4, delay=4)
MODEL = at.models.RateRNN(units=8)
RULE = at.rules.BPTT(steps=6, batch=4, optimizer="sgd", learning_rate=0.05)


def study(values, **more):
    common = {"task": TASK, "model": MODEL, "rule": RULE, "nets": 2, "scoring": {"trials": 16}}
    return at.sweeps.Study(**{**common, **more}, vary={"grid": values})


def by_hand(seed, nets=2, rule=RULE):
    return at.train(TASK, MODEL, rule, nets=nets, seed=seed, progress=False)


def same(one, other):
    return len(one.networks) == len(other.networks) and all(
        np.array_equal(a.weights[name], b.weights[name])
        for a, b in zip(one.networks, other.networks, strict=True)
        for name in a.weights
    )


@pytest.fixture(scope="module")
def address():
    """A scheduler with one worker, in this process: compiled programs are those of the tests."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def sweep(address, tmp_path):
    def go(asked, **more):
        return at.sweep(asked, tmp_path / "sweep", scheduler=address, progress=False, **more)

    return go


def test_every_run_is_what_train_makes_of_it(sweep):
    made = sweep(study({"seed": [0, 1]}, split=1))
    assert made.status["done"] == 2
    for run, seed in enumerate((0, 1)):
        assert same(made.run(run), by_hand(seed))
    table = made.table()
    assert table[["run", "net", "seed"]].values.tolist() == [
        [0, 0, 0],
        [0, 1, 0],
        [1, 0, 1],
        [1, 1, 1],
    ]
    scores = at.evaluate(by_hand(1), n=16, seed=1)
    assert np.allclose(table[table["run"] == 1]["mse"], scores.mse)
    told = made.provenance(0)[0]
    assert told["versions"]["attractory"] == at.__version__
    assert told["noted"]["memory"] > 0
    assert not list((made.path / WORKING).iterdir())
    assert not list(made.path.glob(".sweep-*"))


def test_a_run_is_a_normal_one_where_it_has_a_folder(sweep, tmp_path):
    made = sweep(study({"seed": [0]}, scoring={"trials": 0, "measures": ["spectral_radius"]}))
    run = made.run(0, tmp_path / "run")
    assert same(at.load(tmp_path / "run"), run)
    again = at.train(TASK, MODEL, RULE, nets=2, path=tmp_path / "run")  # it is found, not trained
    assert same(again, run)
    radii = at.population.measure(run, "spectral_radius", progress=False).values[:, 0]
    assert np.allclose(made.table()["spectral_radius"], radii)
    with pytest.raises(at.FileProblem, match="choose an empty one"):
        made.run(0, tmp_path / "run")
    with pytest.raises(at.InvalidSetting, match="run = 1 is not allowed: 0 to 0"):
        made.run(1)


@pytest.fixture
def breaking(monkeypatch):
    """Trainings of seed 1 fail as often as it is said; every training is counted."""
    told = {"times": 0, "error": ValueError("no such luck"), "trained": []}
    train = _work.train

    def sometimes(*args, seed, **more):
        told["trained"].append(seed)
        if seed == 1 and told["times"] > 0:
            told["times"] -= 1
            raise told["error"]
        return train(*args, seed=seed, **more)

    monkeypatch.setattr(_work, "train", sometimes)
    return told


def test_what_fails_is_tried_again_up_to_a_limit_and_then_told(sweep, breaking):
    breaking["times"] = 2
    asked = study({"seed": [0, 1, 2]})
    made = sweep(asked, retries=1)
    assert made.status == {"waiting": 0, "running": 0, "done": 2, "failed": 1, "lost": 0}
    (line,) = made.failures()["line"]
    assert line.startswith("ValueError: no such luck (test_sweep.py, line ")
    with pytest.raises(at.InvalidSetting, match="it is failed, not done"):
        made.run(1)
    breaking["trained"].clear()
    assert sweep(asked).status["failed"] == 1  # a failure stays until it is asked for
    assert breaking["trained"] == []
    assert sweep(asked, redo="failed").status["done"] == 3
    assert breaking["trained"] == [1]


def test_a_full_disk_is_one_line_and_the_same_call_goes_on(sweep, breaking):
    breaking["times"], breaking["error"] = 1, OSError(28, os.strerror(28))
    asked = study({"seed": [0, 1, 2]})
    with pytest.raises(at.FileProblem, match="1 of 3 are done and whole.*the same command") as told:
        sweep(asked)
    assert "\n" not in str(told.value)
    breaking["trained"].clear()
    made = sweep(asked)
    assert made.status["done"] == 3
    assert 0 not in breaking["trained"]
    assert same(made.run(1), by_hand(1))


def test_an_attempt_goes_on_from_the_farthest_checkpoint(sweep, tmp_path, monkeypatch):
    """Two attempts lie there: one was cut off after 4 of 6 updates, the checkpoint of the other,
    later one is torn."""
    asked = study({"seed": [0]})
    (point,) = asked.points()
    cut, torn = (
        tmp_path / "sweep" / WORKING / f"{point.identity[:16]}.{name}" for name in ("cut", "torn")
    )
    updates = []
    update = Population.update

    def counted(population, state, active, step):
        if len(updates) == 4 and cut.exists():
            raise KeyboardInterrupt
        updates.append(step)
        return update(population, state, active, step)

    at.train(TASK, MODEL, RULE, nets=2, path=torn, progress=False)
    file = torn / "checkpoints" / "newest.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    monkeypatch.setattr(_train, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(Population, "update", counted)
    with pytest.raises(KeyboardInterrupt):
        at.train(TASK, MODEL, RULE, nets=2, path=cut, progress=False)
    updates[:] = [None] * 5  # beyond the cut: no further one
    made = sweep(asked)
    assert updates[5:] == [4, 5]
    assert same(made.run(0), by_hand(0))
    assert not list((made.path / WORKING).iterdir())


def test_a_lost_index_is_made_again_and_nothing_is_trained_twice(sweep, breaking):
    asked = study({"seed": [0, 2]})
    made = sweep(asked)
    (made.path / INDEX).unlink()
    breaking["trained"].clear()
    assert sweep(asked).status["done"] == 2
    assert breaking["trained"] == []


def test_a_worker_of_another_version_is_refused(sweep, monkeypatch):
    here = _work.versions()
    monkeypatch.setattr("attractory.sweeps._sweep.versions", lambda: {**here, "attractory": "9.9"})
    with pytest.raises(at.InvalidSetting, match="has attractory .*, the sweep 9.9"):
        sweep(study({"seed": [0]}))


def test_a_part_that_cannot_be_had_is_said_before_anything_runs(sweep, breaking, monkeypatch):
    def gone(_points):
        return b"cnowhere_to_be_found\nTask\n."  # pickle's own words for a class in a module

    monkeypatch.setattr("attractory.sweeps._sweep.own_classes", gone)
    with pytest.raises(at.InvalidSetting, match="No module named 'nowhere_to_be_found'"):
        sweep(study({"seed": [0]}))
    assert breaking["trained"] == []


def test_an_address_where_nobody_answers_is_refused_in_time(tmp_path, monkeypatch):
    assert _cluster.SECONDS_FOR_AN_ANSWER < 10
    monkeypatch.setattr(_cluster, "SECONDS_FOR_AN_ANSWER", 1.0)
    began = time.monotonic()
    with pytest.raises(at.InvalidSetting, match="nobody answers there"):
        at.sweep(study({"seed": [0]}), tmp_path / "sweep", scheduler="tcp://127.0.0.1:9")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("deaths", "status"), [(2, "done"), (3, "lost")])
def test_a_run_whose_worker_dies_too_often_is_lost(sweep, monkeypatch, deaths, status):
    outcome = _crew.Crew._outcome
    died = []

    def dying(crew, future):
        if len(died) < deaths:
            died.append(future)
            return _crew.Outcome("lost", {"line": "its worker died"})
        return outcome(crew, future)

    monkeypatch.setattr(_crew.Crew, "_outcome", dying)
    made = sweep(study({"seed": [0]}), retries=2)
    assert made.status[status] == 1
    assert len(died) == deaths


@pytest.mark.slow
def test_a_worker_that_dies_loses_nothing(tmp_path, monkeypatch):
    """The worker's process is killed in the middle of the sweep: the runs are as without it."""
    submit = _crew.Crew.submit
    killed = []

    def submit_and_kill(crew, job, order):
        submit(crew, job, order)
        if job.run == 2:
            killed.extend(crew._client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(_crew.Crew, "submit", submit_and_kill)
    asked = study({"seed": [0, 1, 2]})
    made = at.sweep(asked, tmp_path / "sweep", workers=1, progress=False, retries=5)
    assert len(killed) == 1
    assert made.status["done"] == 3
    assert all(same(made.run(run), by_hand(run)) for run in range(3))
