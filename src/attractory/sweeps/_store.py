"""What a sweep's folder holds: its points, how each of them stands, and one file a finished run.

    study.json     what was asked: the points by the identity of their runs
    index.jsonl    a line whenever something happens to a run; the newest one counts
    runs/          one file for each training that is done
    working/       folders of those on their way
    sweep.log      what happened, for people

The index can be lost, wholly or at its end: what is done is known by the files themselves, and
nothing depends on clocks. One process alone writes here, which holds the folder's lock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from attractory._errors import FileProblem
from attractory._files import cannot_write, entries, exists, read_json, write_bytes, write_json
from attractory._settings import as_json
from attractory.sweeps._pack import record_of
from attractory.sweeps._study import Point, Study

STUDY, INDEX, RUNS, WORKING, LOG = "study.json", "index.jsonl", "runs", "working", "sweep.log"
SCHEMA = 1
SIGN = ".sweep-"  # begins the name of a file by which a worker knows that it sees this folder
WAITING, RUNNING, DONE, FAILED, LOST = "waiting", "running", "done", "failed", "lost"
STATES = (WAITING, RUNNING, DONE, FAILED, LOST)
ENDING = ".zip"
LETTERS = 16  # of the SHA-256 in a file's name: among a million runs two alike are not to be feared


@dataclass(frozen=True)
class Job:
    """What one worker does at once: a run, or some of its networks."""

    run: int
    identity: str
    first: int
    stop: int
    whole: bool

    @property
    def key(self) -> str:
        """Its name in the folder, which follows from what is trained and from nothing else."""
        part = "" if self.whole else f"-{self.first}-{self.stop}"
        return f"{self.identity[:LETTERS]}{part}"


def jobs_of(study: Study, points: list[Point]) -> list[Job]:
    """All that is to be done in a study."""
    return [
        Job(run, point.identity, part.start, part.stop, len(part) == point.nets)
        for run, point in enumerate(points)
        for part in study.parts_of(point)
    ]


def described(study: Study, points: list[Point], jobs: list[Job]) -> dict[str, Any]:
    """The content of study.json."""
    runs = [
        {
            "values": point.values_in_words(),
            "identity": point.identity,
            "nets": point.nets,
        }
        for point in points
    ]
    parts = [[job.run, job.first, job.stop] for job in jobs]
    imports = list(study.imports)
    return {
        "schema": SCHEMA,
        "scoring": as_json(study.scoring),
        "imports": imports,
        "runs": runs,
        "jobs": parts,
    }


class Store:
    """The folder of a sweep.

    Attributes
    ----------
    folder : Path
        The folder.
    content : dict
        What study.json says.
    jobs : list of Job
        All that is to be done.
    notes : dict of str to dict
        How each job stands, by its key: "status", and what else was noted of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content = _content(folder)
        nets = [run["nets"] for run in self.content["runs"]]
        self.jobs = [
            Job(run, self.content["runs"][run]["identity"], first, stop, stop - first == nets[run])
            for run, first, stop in self.content["jobs"]
        ]
        self.notes = self._read()
        self._index: IO[bytes] | None = None

    def status(self, job: Job) -> str:
        """How a job stands."""
        return str(self.notes.get(job.key, {}).get("status", WAITING))

    def place(self, job: Job) -> Path:
        """The file of a job that is done."""
        return self.folder / RUNS / job.key[:2] / f"{job.key}{ENDING}"

    def note(self, job: Job, status: str, **more: Any) -> None:
        """Write down how a job stands; FileProblem where that cannot be written."""
        self.notes[job.key] = {"status": status, **more}
        line = json.dumps({"job": job.key, **self.notes[job.key]}) + "\n"
        try:
            if self._index is None:
                self._index = _appending(self.folder / INDEX)
            self._index.write(line.encode())
            self._index.flush()
        except OSError as error:
            raise cannot_write(self.folder / INDEX, error) from None

    def keep(self, job: Job, content: bytes, record: dict[str, Any]) -> None:
        """Keep the file of a job that is done; its working folders go."""
        write_bytes(self.place(job), content)
        self.note(job, DONE, bytes=len(content), **record)
        for name in entries(self.folder / WORKING):
            if name.startswith(f"{job.key}."):
                shutil.rmtree(self.folder / WORKING / name, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what a kill has left: working folders of jobs that are done, signs to workers."""
        done = {job.key for job in self.jobs if self.status(job) == DONE}
        for name in entries(self.folder / WORKING):
            if name.partition(".")[0] in done:
                shutil.rmtree(self.folder / WORKING / name, ignore_errors=True)
        for sign in self.folder.glob(f"{SIGN}*"):
            with suppress(OSError):
                sign.unlink()

    def close(self) -> None:
        """Close the index."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def _read(self) -> dict[str, dict[str, Any]]:
        """How each job stands: by the index, and by the files where it says other things."""
        notes = _lines(self.folder / INDEX)
        sizes = dict(_packed(self.folder / RUNS))
        for job in self.jobs:
            noted, size = notes.get(job.key, {}), sizes.get(job.key)
            done = noted.get("status") == DONE
            if done and size != noted.get("bytes"):
                notes[job.key] = {"status": WAITING}  # its file is missing or torn
            elif not done and size is not None:
                notes[job.key] = self._of_file(job, size)
        return notes

    def _of_file(self, job: Job, size: int) -> dict[str, Any]:
        """What a file says of a job of which the index has lost the line."""
        try:
            return {"status": DONE, "bytes": size, **record_of(self.place(job))["noted"]}
        except FileProblem:
            return {"status": WAITING}


def begun(folder: Path, study: Study, points: list[Point]) -> Store:
    """The folder for a study: a new one, or one that has its runs already, all or some of them.

    Raises FileProblem where it has others.
    """
    jobs = jobs_of(study, points)
    content = described(study, points, jobs)
    if exists(folder / STUDY):
        _check_same(folder, _content(folder), content)
    else:
        ours = {INDEX, RUNS, WORKING, LOG}
        taken = [n for n in entries(folder) if n not in ours and not n.startswith(".")]
        if taken:
            raise FileProblem(
                f"{folder}: this folder holds other files (such as {taken[0]}) and no sweep; "
                "choose an empty or a new one"
            )
    write_json(folder / STUDY, content)
    return Store(folder)


def _check_same(folder: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    """A study may grow: all that was asked before must still be asked, and scored as it was."""
    asked = {(here["runs"][run]["identity"], first, stop) for run, first, stop in here["jobs"]}
    for run, first, stop in there["jobs"]:
        before = there["runs"][run]
        if (before["identity"], first, stop) not in asked:
            raise FileProblem(
                f"{folder}: this folder belongs to another study, whose run {run} "
                f"({before['values']}, networks {first} to {stop - 1}) this one does not have; "
                "choose another folder (a study may grow, not shrink)"
            )
    if there["scoring"] != here["scoring"]:
        raise FileProblem(
            f"{folder}: the runs in this folder are scored otherwise "
            f"({there['scoring']} there, {here['scoring']} here); choose another folder"
        )


def _content(folder: Path) -> dict[str, Any]:
    if not exists(folder / STUDY):
        raise FileProblem(f"{folder}: there is no sweep in this folder")
    content = read_json(folder / STUDY)
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise FileProblem(f"{folder / STUDY}: this version reads studies of schema {SCHEMA}")
    return content


def _lines(index: Path) -> dict[str, dict[str, Any]]:
    """The newest line of each job; lines that are torn are left out."""
    notes: dict[str, dict[str, Any]] = {}
    try:
        content = index.read_bytes()
    except FileNotFoundError:
        return notes
    except OSError as error:
        raise FileProblem(f"{index}: cannot be read: {error.strerror or error}") from None
    for line in content.splitlines():
        try:
            noted = json.loads(line)
            notes[noted.pop("job")] = noted
        except (ValueError, KeyError, AttributeError, TypeError):
            continue
    return notes


def _appending(index: Path) -> IO[bytes]:
    """The index, open at its end; a line that was torn there is cut off."""
    file = index.open("ab+")
    file.seek(0)
    whole = file.read().rfind(b"\n") + 1
    file.truncate(whole)
    return file


def _packed(folder: Path) -> Iterable[tuple[str, int]]:
    """The keys of all jobs that have a file, and the sizes of the files."""
    for room in entries(folder):
        with os.scandir(folder / room) as files:
            for file in files:
                if file.name.endswith(ENDING):
                    yield file.name.removesuffix(ENDING), file.stat().st_size
