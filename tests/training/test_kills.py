"""Nothing is lost, refused or mixed, at whatever moment a process is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress

import numpy as np
import pytest
from training.kills import Killed, dying_at

import attractory as at
from attractory._files import entries
from attractory.runs import Run, _folder
from attractory.runs._lock import LOCK
from attractory.training import _train

TASK = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 10), gaps=(10, 20), pulse=3, delay=3)
MODEL = at.models.RateRNN(units=6)
RULE = at.rules.BPTT(steps=4, batch=4, keep_checks=True, check_every=2, optimizer="adam")


@pytest.fixture(autouse=True)
def _checkpoint_after_every_update(monkeypatch):
    monkeypatch.setattr(_train, "CHECKPOINT_SECONDS", 0.0)


def trained(folder, seed=0):
    return at.train(TASK, MODEL, RULE, nets=2, seed=seed, path=folder, progress=False)


@pytest.fixture(scope="module")
def undisturbed():
    return trained(None)


def assert_whole(folder, run):
    """The folder holds this run and nothing else, bit for bit."""
    again = at.load(folder)
    for one, other in zip(again.networks, run.networks, strict=True):
        for name, weights in one.weights.items():
            np.testing.assert_array_equal(weights, other.weights[name])
    assert again.status == run.status
    columns = ["net", "step", "loss", "gradient_norm"]
    np.testing.assert_array_equal(again.history[columns], run.history[columns])
    found = {
        os.path.relpath(os.path.join(place, name), folder)
        for place, _, names in os.walk(folder)
        for name in names
    }
    kept = {f"checkpoints/weights-0{check}.safetensors" for check in (1, 2)}
    wanted = {"manifest.json", "networks.safetensors", "history.csv"}
    assert found == wanted | kept | {"checkpoints/newest.safetensors"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == kept | wanted - {"manifest.json"}


def moments_of_training(tmp_path):
    with dying_at() as moments:
        trained(tmp_path / "counted")
    return moments


def killed_and_repeated(folder, moment, undisturbed):
    with pytest.raises(Killed), dying_at(moment):
        trained(folder)
    run = trained(folder)
    assert run.status == undisturbed.status
    assert_whole(folder, undisturbed)


def test_training_killed_at_any_moment_goes_on(tmp_path, undisturbed):
    """A sample: around the first lock, the first and the last manifest, and some between."""
    names = moments_of_training(tmp_path).names
    renames = [i for i, name in enumerate(names) if name == "before replace"]
    sample = {1, 3, renames[0], renames[0] + 1, renames[3], renames[-4], renames[-2], renames[-1]}
    assert len(names) > 60
    for moment in sorted(sample):
        killed_and_repeated(tmp_path / str(moment), moment, undisturbed)


@pytest.mark.slow
def test_training_killed_at_every_moment_goes_on(tmp_path, undisturbed):
    names = moments_of_training(tmp_path).names
    for moment in range(len(names)):
        killed_and_repeated(tmp_path / str(moment), moment, undisturbed)
        shutil.rmtree(tmp_path / str(moment))
    print(f"{len(names)} moments")


@pytest.mark.slow
def test_training_killed_twice_goes_on(tmp_path, undisturbed):
    """A second kill while the first one's remains are taken up."""
    names = moments_of_training(tmp_path).names
    rng = random.Random(0)
    for round_ in range(60):
        folder = tmp_path / str(round_)
        for moment in (rng.randrange(len(names)), rng.randrange(40)):
            # what goes on from the end may have fewer moments, and ends
            with suppress(Killed), dying_at(moment):
                trained(folder)
        trained(folder)
        assert_whole(folder, undisturbed)


def changed(run):
    """The same run with another history, to be written over it."""
    history = run.history.assign(seconds=run.history["seconds"] + 1.0)
    return Run(run.task, run.model, run.networks, run.status, run.rule, run.seed, history)


def test_saving_over_a_run_leaves_the_old_one_or_the_new_one(tmp_path, undisturbed):
    """Killed at every moment: what loads then is one of the two, whole."""
    folder = tmp_path / "run"
    first, second = undisturbed, changed(undisturbed)
    first.save(folder)
    with dying_at() as moments:
        second.save(folder)
    for moment in range(len(moments.names)):
        first.save(folder)
        with pytest.raises(Killed), dying_at(moment):
            second.save(folder)
        seconds = at.load(folder).history["seconds"].to_numpy()
        whole = [np.array_equal(seconds, run.history["seconds"]) for run in (first, second)]
        assert any(whole), f"{moments.names[moment]}: neither"
    second.save(folder)
    left = set(os.listdir(folder))
    assert left == {"manifest.json", "networks.safetensors", "history.csv"}


def test_a_run_that_waits_is_read_where_nothing_can_be_written(tmp_path, undisturbed, monkeypatch):
    """Between the manifest and the renames, on a file system that is read-only."""
    with dying_at() as moments:
        undisturbed.save(tmp_path / "counted")
    renames = [i for i, name in enumerate(moments.names) if name == "before replace"]
    with pytest.raises(Killed), dying_at(renames[-2]):
        undisturbed.save(tmp_path / "run")
    assert not (tmp_path / "run" / "networks.safetensors").exists()

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(_folder.os, "replace", read_only)
    again = at.load(tmp_path / "run")
    for one, other in zip(again.networks, undisturbed.networks, strict=True):
        np.testing.assert_array_equal(one.recurrent_weights, other.recurrent_weights)


# ---- real processes -----------------------------------------------------------------------------


def child(work, *arguments):
    """A forked process that does work(*arguments); its number. Nothing of pytest runs in it."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work(*arguments)
        os._exit(0)
    except at.FileProblem:
        os._exit(3)
    except BaseException:
        os._exit(4)


def trains(cores, folder, seed, programs):
    """A training in a fork of a process that has imported everything and computed nothing."""
    import jax

    jax.config.update("jax_num_cpu_devices", cores)
    jax.config.update("jax_compilation_cache_dir", str(programs))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    _train.CHECKPOINT_SECONDS = 0.0
    at.train(TASK, MODEL, LONGER, nets=2, seed=seed, path=folder, progress=False)


LONGER = RULE.replace(steps=150, check_every=50)


@pytest.fixture(scope="module")
def server():
    """Runs functions in a fresh process that forks: JAX has not started there."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")

    def run(function, *arguments):
        with context.Pool(1) as pool:
            return pool.apply(function, arguments)

    return run


def kill_at_random(folder, programs, rounds, most_seconds):
    """Kill trainings of two seeds at random moments, on one core or two; how many were refused."""
    rng = random.Random(0)
    refused = 0
    for kill in range(rounds):
        place, cores, seed = folder / str(kill // 10), 1 + kill % 2, kill // 10 % 2
        pid = child(trains, cores, place, seed, programs)
        time.sleep(rng.uniform(0.0, most_seconds))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            refused += os.WEXITSTATUS(status) != 0
            shutil.rmtree(place, ignore_errors=True)  # it had ended: anew
    return refused


def ends(folder, programs, runs):
    """Train what was killed to its end; the exit statuses."""
    found = []
    for i in range(runs):
        pid = child(trains, 1 + i % 2, folder / str(i), i % 2, programs)
        found.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return found


@pytest.mark.slow
def test_200_random_kills_lose_nothing(tmp_path, server):
    programs = tmp_path / "programs"
    for seed in (0, 1):
        for cores in (1, 2):
            whole = tmp_path / f"whole{seed}{cores}"
            assert server(_one_child, cores, whole, seed, programs) == 0
    assert server(kill_at_random, tmp_path, programs, 200, 4.0) == 0
    assert server(ends, tmp_path, programs, 20) == [0] * 20
    for i in range(20):
        run = at.load(tmp_path / str(i))
        for cores in (1, 2):
            whole = at.load(tmp_path / f"whole{i % 2}{cores}")
            for one, other in zip(run.networks, whole.networks, strict=True):
                for name, weights in one.weights.items():
                    np.testing.assert_array_equal(weights, other.weights[name])
        assert [name for name in entries(tmp_path / str(i)) if name == LOCK] == []


def _one_child(*arguments):
    return os.waitstatus_to_exitcode(os.waitpid(child(trains, *arguments), 0)[1])


def double_start(folder, programs, seconds_between):
    """Two trainings with other seeds into one folder: their exit statuses."""
    first = child(trains, 1, folder, 0, programs)
    time.sleep(seconds_between)
    second = child(trains, 1, folder, 1, programs)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (first, second)]


@pytest.mark.slow
def test_20_double_starts_give_one_run_each(tmp_path, server):
    programs = tmp_path / "programs"
    assert server(_one_child, 1, tmp_path / "warm", 0, programs) == 0
    for i in range(20):
        folder = tmp_path / str(i)
        statuses = server(double_start, folder, programs, 0.1 * (i % 10))
        assert sorted(statuses) == [0, 3]  # one is trained, the other is refused
        seed = at.load(folder).seed
        assert statuses[seed] == 0


@pytest.mark.slow
def test_analyze_and_report_killed_at_any_moment_are_repeated(tmp_path, undisturbed):
    """All moments of the tables, a sample of those of the page with its figures."""
    folder = undisturbed.save(tmp_path / "run")
    run = at.load(folder)
    results = at.report.study(run)

    def analyzed():
        results.save(folder / "analysis")

    def reported():
        at.report.write(run, None, results)

    for work, every in ((analyzed, 1), (reported, 23)):
        with dying_at() as moments:
            work()
        for moment in range(0, len(moments.names), every):
            with pytest.raises(Killed), dying_at(moment):
                work()
            assert len(at.load(folder).networks) == 2
        work()
    left = [name for _, _, names in os.walk(folder) for name in names if name.startswith(".")]
    assert left == []
