"""Sweeps under real faults, for longer: processes killed, disks full, schedulers gone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import yaml

import attractory as at
from attractory.sweeps import _crew

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

# half a second of training and more, so that a kill finds one on its way
STUDY = {
    "task": {"name": "flipflop", "bits": 1, "steps": 40, "first_onset": [5, 10], "delay": 4},
    "model": {"units": 16},
    "rule": {"steps": 400, "batch": 8, "validation": 0},
    "scoring": {"trials": 16},
}


def study(runs, **more):
    return {**STUDY, "vary": {"grid": {"seed": list(range(runs))}}, **more}


def weights(sweep):
    return [
        np.concatenate([np.ravel(w) for _, w in sorted(network.weights.items())])
        for run in range(len(sweep))
        for network in sweep.run(run).networks
    ]


def check_same(sweep, other):
    assert sweep.status["done"] == len(sweep) == len(other)
    files = list((sweep.path / "runs").rglob("*.zip"))
    assert len(files) == len(sweep)  # each once
    for one, two in zip(weights(sweep), weights(other), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.fixture(scope="module")
def without_faults(tmp_path_factory):
    made = {}

    def swept(runs):
        if runs not in made:
            folder = tmp_path_factory.mktemp("whole") / "sweep"
            made[runs] = at.sweep(study(runs), folder, progress=False)
        return made[runs]

    return swept


def test_fifty_runs_with_a_worker_killed_every_ten_seconds(without_faults, tmp_path, monkeypatch):
    crews, killed, over = [], [], threading.Event()
    enter = _crew.Crew.__enter__
    monkeypatch.setattr(_crew.Crew, "__enter__", lambda crew: crews.append(crew) or enter(crew))
    whole = without_faults(50)

    def kill():
        while not over.wait(10):
            with contextlib.suppress(Exception):  # of a client that is not there yet, or no more
                pids = list(crews[-1]._client.run(os.getpid).values())
                os.kill(random.choice(pids), signal.SIGKILL)
                killed.append(time.monotonic())

    crews.clear()
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        made = at.sweep(study(50), tmp_path / "sweep", workers=2, retries=20, progress=False)
    finally:
        over.set()
        killer.join()
    print(f"{len(killed)} kills")
    assert killed
    check_same(made, whole)


COMMAND = [sys.executable, "-m", "attractory", "sweep", "study.yaml", "--out", "sweep"]


def begin(folder, *more):
    return subprocess.Popen(
        [*COMMAND, *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done_in(folder):
    return len(list((folder / "sweep" / "runs").rglob("*.zip")))


# 100 moments were tried once; a run of the slow tests tries some
@pytest.mark.parametrize("kills", [int(os.environ.get("ATTRACTORY_KILLS", "5"))])
def test_the_sweep_killed_at_random_moments(without_faults, tmp_path, kills):
    runs = 12
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study(runs)))
    chance, before = random.Random(0), 0
    for _ in range(kills):
        process = begin(tmp_path, "--workers", "1")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.5, 12))
        process.kill()
        process.wait()
        assert done_in(tmp_path) >= before
        before = done_in(tmp_path)
        if before == runs:
            break
    assert begin(tmp_path, "--workers", "1").communicate()[0].count("done") >= 1
    check_same(at.open_sweep(tmp_path / "sweep"), without_faults(runs))


def test_a_disk_that_is_full_and_then_freed(without_faults, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        (disk / "other").write_bytes(b"x" * 300_000)
        (disk / "study.yaml").write_text(yaml.safe_dump(study(12)))
        process = begin(disk, "--workers", "1")
        said = process.communicate()[0]
        assert process.returncode == 2
        assert "No space left on device" in said.splitlines()[-1]
        assert "the same command goes on" in said.splitlines()[-1]
        (disk / "other").unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        process = begin(disk, "--workers", "1")
        said = process.communicate()[0]
        assert process.returncode == 0, said
        check_same(at.open_sweep(disk / "sweep"), without_faults(12))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def served(port, *preload):
    """A scheduler and a worker as processes of their own."""
    of_dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port)]
    of_worker = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [
        subprocess.Popen([*of_dask, "--no-dashboard"], **quiet),
        subprocess.Popen([*of_worker, "--nthreads", "1", "--no-dashboard", *preload], **quiet),
    ]


def ended(processes):
    for process in processes:
        process.kill()
        process.wait()


def test_the_same_file_by_address_and_the_scheduler_is_restarted(without_faults, tmp_path):
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study(12)))
    port = free_port()
    processes = served(port)
    try:
        time.sleep(5)
        sweep = begin(tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}")
        while done_in(tmp_path) < 2:
            assert sweep.poll() is None, sweep.communicate()[0]
            time.sleep(0.2)
        ended(processes)
        time.sleep(2)
        processes = served(port)
        said = sweep.communicate()[0]
    finally:
        ended(processes)
    assert sweep.returncode == 0, said
    check_same(at.open_sweep(tmp_path / "sweep"), without_faults(12))


def test_a_clock_that_jumps_changes_nothing(without_faults, tmp_path):
    """Files that seem to be of the future and of long ago: nothing is done again."""
    begun = at.sweep(study(6), tmp_path / "sweep", progress=False)
    for number, file in enumerate(begun.path.rglob("*")):
        os.utime(file, (0, time.time() + (-1) ** number * 1e8))
    before = {file: file.stat().st_ino for file in begun.path.rglob("*.zip")}
    made = at.sweep(study(12), begun.path, progress=False)
    assert before == {file: file.stat().st_ino for file in before}
    check_same(made, without_faults(12))
