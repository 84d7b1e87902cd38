"""The folder of a sweep: what is done is known whatever happens to the index, and nothing twice."""

from __future__ import annotations

import json

import pytest

import attractory as at
from attractory.runs import FolderLock
from attractory.sweeps._pack import packed
from attractory.sweeps._store import DONE, FAILED, INDEX, RUNNING, WAITING, WORKING, Store, begun
from attractory.sweeps._study import Study

TASK = {"name": "flipflop", "bits": 1, "steps": 40, "first_onset": [5, 10], "pulse": 4, "delay": 4}


def study(seeds, **more):
    common = {"task": TASK, "model": {"units": 8}, "rule": {"steps": 4, "batch": 4}, **more}
    return Study(**common, vary={"grid": {"seed": seeds}})


def opened(folder, asked):
    return begun(folder, asked, asked.points())


def noted(net=0):
    return {"networks": [{"net": net, "correct": 0.5}], "seconds": 1.0, "host": "here"}


def kept(store, job, tmp_path):
    """A job that is done, with a run's folder of one file."""
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    store.keep(job, packed(folder, {"noted": noted()}), noted())


@pytest.fixture
def store(tmp_path):
    made = opened(tmp_path / "sweep", study([0, 1, 2]))
    kept(made, made.jobs[0], tmp_path)
    made.note(made.jobs[1], FAILED, line="it broke", attempt=3)
    made.note(made.jobs[2], RUNNING, attempt=1)
    made.close()
    return made


def states(folder):
    made = Store(folder)
    return [made.status(job) for job in made.jobs]


def test_what_was_noted_is_found_again(store):
    assert states(store.folder) == [DONE, FAILED, RUNNING]
    sweep = at.open_sweep(store.folder)  # nobody works there: what was running waits
    assert sweep.status == {"waiting": 1, "running": 0, "done": 1, "failed": 1, "lost": 0}
    table = sweep.table()
    assert table["seed"].tolist() == [0, 1, 2]
    assert table["correct"].tolist()[0] == 0.5
    assert table["correct"].isna().tolist() == [False, True, True]
    assert sweep.failures()[["run", "line"]].values.tolist() == [[1, "it broke"]]
    assert "3 runs: 1 waiting, 1 done, 1 failed" in repr(sweep)
    with FolderLock(store.folder, "sweep"):
        assert at.open_sweep(store.folder).status["running"] == 1


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_line_at_the_end_hurts_nothing(store, cut):
    index = store.folder / INDEX
    index.write_bytes(index.read_bytes()[:-cut])
    assert states(store.folder)[:2] == [DONE, FAILED]
    again = opened(store.folder, study([0, 1, 2]))
    again.note(again.jobs[2], FAILED, line="later")
    again.close()
    assert states(store.folder) == [DONE, FAILED, FAILED]
    assert all(json.loads(line) for line in index.read_text().splitlines())


def test_the_index_is_made_again_from_the_files(store):
    (store.folder / INDEX).unlink()
    assert states(store.folder) == [DONE, WAITING, WAITING]
    assert at.open_sweep(store.folder).table()["correct"].tolist()[0] == 0.5


@pytest.mark.parametrize("damage", ["torn", "gone", "torn and no index"])
def test_a_run_whose_file_is_damaged_is_done_again(store, damage):
    file = store.place(store.jobs[0])
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-30])
    if damage == "torn and no index":
        (store.folder / INDEX).unlink()
    assert states(store.folder)[0] == WAITING


def test_working_folders_of_what_is_done_go_away(store, tmp_path):
    one, other = store.jobs[0], store.jobs[2]
    for job in (one, other):
        (store.folder / WORKING / f"{job.key}.0123abcd").mkdir(parents=True)
    store.tidy()
    assert [path.name for path in (store.folder / WORKING).iterdir()] == [f"{other.key}.0123abcd"]
    kept(store, other, tmp_path)
    store.close()
    assert not list((store.folder / WORKING).iterdir())


def test_a_study_may_grow_and_not_shrink_or_change(store):
    grown = opened(store.folder, study([5, 0, 1, 2]))
    assert [grown.status(job) for job in grown.jobs] == [WAITING, DONE, FAILED, RUNNING]
    for other in (study([0, 1]), study([5, 0, 1, 2], rule={"steps": 5, "batch": 4})):
        with pytest.raises(at.FileProblem, match="belongs to another study"):
            opened(store.folder, other)
    with pytest.raises(at.FileProblem, match="scored otherwise"):
        opened(store.folder, study([5, 0, 1, 2], scoring={"trials": 8}))


def test_other_folders_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(at.FileProblem, match=r"such as notes.txt"):
        opened(tmp_path, study([0]))
    with pytest.raises(at.FileProblem, match="there is no sweep"):
        at.open_sweep(tmp_path)


def test_two_sweeps_on_one_folder_are_refused(store):
    told = pytest.raises(at.FileProblem, match="is working on this sweep")
    with FolderLock(store.folder, "sweep"), told as refused:
        at.sweep(study([0, 1, 2]), store.folder, progress=False)
    assert "\n" not in str(refused.value)
