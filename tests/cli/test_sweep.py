"""`attractory sweep`: what it prints, and what it refuses before anything runs."""

from __future__ import annotations

import pytest

from attractory import sweeps
from attractory.runs import FolderLock
from attractory.sweeps import _store

pytest.importorskip("distributed")

STUDY = """
task: {name: flipflop, bits: 1, steps: 40, first_onset: [5, 10], pulse: 4, delay: 4}
model: {units: 8}
rule: {steps: 4, batch: 4}
nets: 2
vary: {grid: {seed: [0, 1]}}
"""


@pytest.fixture
def sweep(in_process, monkeypatch, tmp_path):
    """The command on a study of this text, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        (tmp_path / "study.yaml").write_text(text)
        return in_process("sweep", "study.yaml", *arguments)

    return run


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_dry_run_shows_the_script_of_the_queue_and_trains_nothing(sweep, tmp_path):
    queue = "cluster: {kind: slurm, memory: 3GB, walltime: '02:00:00', queue: night}\n"
    status, said, errors = sweep(STUDY + queue, "--dry-run")
    assert (status, errors) == (0, "")
    assert "2 runs of 4 networks, 2 jobs" in said
    for line in ("#SBATCH -p night", "#SBATCH -t 02:00:00", "#SBATCH --mem=3G"):
        assert line in said
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
    status, said, _ = sweep(STUDY, "--dry-run", "--scheduler", "tcp://10.0.0.1:8786")
    assert status == 0
    assert "those of the scheduler at tcp://10.0.0.1:8786" in said


def test_the_status_says_what_failed_and_why(sweep, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    study = sweeps.Study.read(tmp_path / "study.yaml")
    store = _store.begun(tmp_path / "sweeps" / "study", study, study.points())
    store.note(store.jobs[0], _store.FAILED, line="ValueError: no such luck", attempt=3)
    store.close()
    status, said, _ = sweep(STUDY, "--status")
    assert status == 0
    assert "2 runs: 1 waiting, 1 failed" in said
    assert "ValueError: no such luck" in said
    with FolderLock(store.folder, "sweep"):
        status, _, errors = sweep(STUDY)
    assert status == 2
    assert "is working on this sweep" in errors


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        (STUDY.replace("seed:", "rule.lerning_rate:"), (), "did you mean 'learning_rate'"),
        (STUDY.replace("[0, 1]", "[]"), (), "a list of one value or more"),
        (STUDY.replace("seed: [0, 1]", "model.units: [4, -1]"), (), "point 1 (model.units = -1)"),
        (STUDY + "objective: correct\n", (), "attractory tune"),
        (STUDY + "vray: 1\n", (), "did you mean 'vary'"),
        (STUDY + "cluster: {kind: slrm}\n", (), "kind = 'slrm' is not allowed"),
        (STUDY + "cluster: {kind: dask}\n", (), "address and kind = 'dask' go together"),
        (STUDY, ("--redo", "faild"), "did you mean 'failed'"),
        (STUDY, ("--status",), "there is no sweep"),
        (STUDY, ("--retries", "-1"), "retries = -1"),
    ],
    ids=range(10),
)
def test_mistakes_are_one_line(sweep, text, arguments, said, tmp_path):
    status, printed, errors = sweep(text, *arguments)
    assert status == 2
    assert said in errors
    assert errors.count("\n") == 1
    assert printed == ""
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]
