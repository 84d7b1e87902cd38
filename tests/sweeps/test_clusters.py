"""The same study on workers that are reached by SSH, and as jobs of queues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sweeps.commands import COMMON, Begun, write_study
from sweeps.sshd import connect_options

import attractory as at
from attractory.sweeps._cluster import script
from attractory.sweeps._where import Cluster

pytest.importorskip("distributed")

SEEDS = {"vary": {"grid": {"seed": [0, 1, 2]}}}
SWEEP = ("sweep", "study.yaml", "--out", "sweep")
GIB = 2**30


# what each queue is to be told, as its own manual has it: name of the queue, cores, memory, time
@pytest.mark.parametrize(
    ("kind", "directives"),
    [
        ("slurm", ["#SBATCH -p night", "#SBATCH --cpus-per-task=1", "#SBATCH --mem=3G"]),
        ("sge", ["#$ -q night", "#$ -l h_rt=02:00:00", "#$ -l h_vmem=3G"]),
        (
            "pbs",
            ["#PBS -q night", "#PBS -l select=1:ncpus=1:mem=3072MB", "#PBS -l walltime=02:00:00"],
        ),
    ],
)
def test_a_queue_is_told_what_a_study_says(kind, directives):
    options = {"queue": "night", "walltime": "02:00:00", "memory": "3GiB"}
    if kind == "sge":
        options["resource_spec"] = "h_vmem=3G"  # whose name each site chooses
    lines = script(Cluster(kind=kind, **options), GIB).splitlines()
    assert [line for line in directives if line not in lines] == []
    (worker,) = [line for line in lines if "dask_worker" in line]
    assert "--nthreads 1 --memory-limit 3.00GiB" in worker


@pytest.mark.parametrize("kind", ["slurm", "sge", "pbs"])
def test_a_queue_s_worker_has_room_for_what_it_trains(kind):
    lines = script(Cluster(kind=kind), 2 * GIB).splitlines()
    assert any("--memory-limit 2.80GiB" in line for line in lines)


@pytest.fixture
def by_ssh(tmp_path):
    """What a study says of this machine, as if it were another one."""
    # a session by SSH has an environment of its own, and these change the last bits of weights
    kinds = ("PYTHONPATH", "XLA_", "OPENBLAS_")
    same = " ".join(f"{n}='{value}'" for n, value in os.environ.items() if n.startswith(kinds))
    with connect_options(tmp_path) as options:
        yield {
            "kind": "ssh",
            "hosts": ["127.0.0.1", "127.0.0.1"],
            "workers": 2,
            "connect_options": options,
            "remote_python": f"env {same} {sys.executable}",
        }


def of_dask():
    """The processes that are there of Dask's schedulers and workers by SSH."""
    shown = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    return {line.split()[0] for line in shown.stdout.splitlines() if "cli.dask_spec" in line}


@pytest.mark.slow
def test_the_same_study_runs_by_ssh(by_ssh, tmp_path):
    write_study(tmp_path, **SEEDS, cluster=by_ssh)
    before = of_dask()
    sweep = Begun(tmp_path, *SWEEP)
    said = sweep.said()
    assert sweep.returncode == 0, said
    assert "distributed" not in said  # Dask's own lines
    made = at.open_sweep(tmp_path / "sweep")
    assert made.status["done"] == 3
    for seed in range(3):
        run = made.run(seed)
        by_hand = at.train(run.task, run.model, run.rule, seed=seed, progress=False)
        for name, array in run.networks[0].weights.items():
            np.testing.assert_array_equal(array, by_hand.networks[0].weights[name])
    until = time.monotonic() + 30
    while of_dask() - before:
        assert time.monotonic() < until, "processes are left over"
        time.sleep(0.5)


@pytest.mark.slow
def test_ssh_that_refuses_is_one_line(by_ssh, tmp_path):
    key = by_ssh["connect_options"]["client_keys"][0].replace("user_key", "host_key")
    options = {**by_ssh["connect_options"], "client_keys": [key]}
    write_study(tmp_path, **SEEDS, cluster={**by_ssh, "connect_options": options})
    sweep = Begun(tmp_path, *SWEEP)
    said = sweep.said()
    assert sweep.returncode == 2
    assert "Permission denied" in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.slow
def test_ctrl_c_leaves_checkpoints_and_no_process_on_other_machines(by_ssh, tmp_path):
    rule = {**COMMON["rule"], "steps": 4000}
    write_study(tmp_path, **{**SEEDS, "rule": rule}, cluster=by_ssh)
    before, working = of_dask(), tmp_path / "sweep" / "working"
    sweep = Begun(tmp_path, *SWEEP)
    while not list(working.glob("*/manifest.json")):
        assert sweep.poll() is None, sweep.said()
        time.sleep(0.1)
    time.sleep(2)
    os.killpg(sweep.pid, signal.SIGINT)
    began = time.monotonic()
    said = sweep.said()
    print(f"ended after {time.monotonic() - began:.1f} s")
    assert sweep.returncode == 130, said
    until = time.monotonic() + 30
    while of_dask() - before:
        assert time.monotonic() < until, "processes are left over"
        time.sleep(0.5)
