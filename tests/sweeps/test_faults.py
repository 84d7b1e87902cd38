"""Sweeps under real faults, for longer: processes killed, disks full, schedulers gone."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sweeps.commands import COMMON, Begun, ended, free_port, served, write_study

import attractory as at
from attractory.sweeps import _crew

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


def study(runs, **more):
    return {**COMMON, "vary": {"grid": {"seed": list(range(runs))}}, **more}


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


SWEEP = ("sweep", "study.yaml", "--out", "sweep")


def begin(folder, *more, **environment):
    return Begun(folder, *SWEEP, *more, **environment)


def done_in(folder):
    return len(list((folder / "sweep" / "runs").rglob("*.zip")))


# 100 moments were tried once; a run of the slow tests tries some
@pytest.mark.parametrize("kills", [int(os.environ.get("ATTRACTORY_KILLS", "5"))])
def test_the_sweep_killed_at_random_moments(without_faults, tmp_path, kills):
    runs = 50  # more than are done between the kills, so that these find the sweep at work
    write_study(tmp_path, **study(runs))
    chance, before, found_at_work = random.Random(0), 0, 0
    for _ in range(kills):
        process = begin(tmp_path, "--workers", "1")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.5, 12))
        process.kill()
        process.wait()
        found_at_work += process.returncode == -signal.SIGKILL
        assert done_in(tmp_path) >= before
        before = done_in(tmp_path)
        if before == runs:
            break
    assert found_at_work > 1
    assert begin(tmp_path, "--workers", "1").said().count("done") >= 1
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
        write_study(disk, **study(12))
        process = begin(disk, "--workers", "1")
        said = process.said()
        assert process.returncode == 2
        assert "No space left on device" in said.splitlines()[-1]
        assert "the same command goes on" in said.splitlines()[-1]
        (disk / "other").unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", str(disk)], check=True)
        process = begin(disk, "--workers", "1")
        said = process.said()
        assert process.returncode == 0, said
        check_same(at.open_sweep(disk / "sweep"), without_faults(12))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_the_same_file_by_address_and_the_scheduler_is_restarted(without_faults, tmp_path):
    write_study(tmp_path, **study(12))
    port = free_port()
    processes = served(port)
    try:
        sweep = begin(tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}")
        while done_in(tmp_path) < 2:
            assert sweep.poll() is None, sweep.said()
            time.sleep(0.2)
        ended(processes)
        processes = served(port)
        said = sweep.said()
    finally:
        ended(processes)
    assert sweep.returncode == 0, said
    check_same(at.open_sweep(tmp_path / "sweep"), without_faults(12))


@pytest.mark.parametrize("differs", ["__version__", "numpy"])
def test_a_worker_of_another_version_is_refused_in_one_line(tmp_path, differs):
    """Its process has a copy of the package, or is told of another NumPy."""
    write_study(tmp_path, **study(3))
    other = tmp_path / "other"
    if differs == "numpy":
        record = other / "numpy-9.9.9.dist-info" / "METADATA"
        record.parent.mkdir(parents=True)
        record.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 9.9.9\n")
    else:
        shutil.copytree(Path(at.__file__).parent, other / "attractory")
        front = other / "attractory" / "_version.py"
        text = front.read_text()
        assert at.__version__ in text
        front.write_text(text.replace(at.__version__, "9.9.9"))
    port = free_port()
    path = os.pathsep.join([str(other), os.environ.get("PYTHONPATH", "")])
    processes = served(port, PYTHONPATH=path)
    try:
        sweep = begin(tmp_path, "--scheduler", f"tcp://127.0.0.1:{port}")
        said = sweep.said()
    finally:
        ended(processes)
    assert sweep.returncode == 2, said
    package = "numpy" if differs == "numpy" else "attractory"
    assert f"has {package} 9.9.9, the sweep " in said.splitlines()[-1]
    assert done_in(tmp_path) == 0


def test_a_clock_that_jumps_while_runs_are_on_their_way(without_faults, tmp_path):
    """A year ahead, and then two back: for the sweep, its workers, and the files they see."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("a clock that jumps needs libfaketime (Debian's package faketime)")
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    write_study(tmp_path, **study(12))
    sweep = begin(
        tmp_path,
        "--workers",
        "2",
        LD_PRELOAD=str(library),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_CACHE_DURATION="1",  # second; to read the file each time takes most of the time
        FAKETIME_DONT_FAKE_MONOTONIC="1",  # which no clock that is set changes
    )
    for done, moved in ((2, "+365d"), (5, "-365d")):
        while done_in(tmp_path) < done:
            assert sweep.poll() is None, sweep.said()
            time.sleep(0.05)
        clock.write_text(moved)
    said = sweep.said()
    assert sweep.returncode == 0, said
    made = at.open_sweep(tmp_path / "sweep")
    check_same(made, without_faults(12))
    noted = [json.loads(line) for line in (made.path / "index.jsonl").read_text().splitlines()]
    begun = Counter(each["job"] for each in noted if each["status"] == "running")
    assert set(begun.values()) == {1}


def test_files_with_the_times_of_a_clock_that_jumped_are_not_done_again(without_faults, tmp_path):
    """Files that seem to be of the future and of long ago: nothing is done again."""
    begun = at.sweep(study(6), tmp_path / "sweep", progress=False)
    for number, file in enumerate(begun.path.rglob("*")):
        os.utime(file, (0, time.time() + (-1) ** number * 1e8))
    before = {file: file.stat().st_ino for file in begun.path.rglob("*.zip")}
    made = at.sweep(study(12), begun.path, progress=False)
    assert before == {file: file.stat().st_ino for file in before}
    check_same(made, without_faults(12))
