"""What a tuning's folder holds, and who works on it.

study.json       what is tuned towards what, and where Optuna keeps the trials
tuning.db        the trials, as Optuna has them (or tuning.journal, or a database elsewhere)
runs/            one file for each trial that is done
kept/            the best trials as folders of normal runs
retrained/       the runs of the best values on fresh seeds
retrained.json   what those came to
at-work/         a folder with a lock for each process that works on the study
working/         folders of trials on their way
tuning.log       what happened, for people
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attractory._errors import FileProblem, InvalidSetting
from attractory._files import entries, exists, read_json, write_json
from attractory._shown import in_short
from attractory.runs import FolderLock, worked_on
from attractory.sweeps._optuna import optuna, quiet, storage_at
from attractory.sweeps._store import RUNS, WORKING
from attractory.sweeps._tuning_study import TuningStudy

STUDY, LOG, KEPT = "study.json", "tuning.log", "kept"
RETRAINED, RETRAINED_ROWS = "retrained", "retrained.json"
AT_WORK = "at-work"
SCHEMA = 1
SECONDS_FOR_THE_OTHERS = 20.0  # that begin on the same folder: each takes about one
_PASSWORD = re.compile(r"(://[^/@:]*):[^@/]*@")


def trial_file(folder: Path, number: int) -> Path:
    """The packed run of a trial."""
    return folder / RUNS / f"{number:05d}.zip"


def content_of(folder: Path) -> dict[str, Any]:
    """What study.json says; FileProblem where there is no tuning."""
    if not exists(folder / STUDY):
        raise FileProblem(f"{folder}: there is no tuning in this folder")
    content = read_json(folder / STUDY)
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or "name" not in content:
        raise FileProblem(f"{folder / STUDY}: not a tuning's study of schema {SCHEMA}")
    return content


def begun(folder: Path, study: TuningStudy) -> Any:
    """Optuna's study for this one, new or gone on with.

    Raises FileProblem where the folder has another one: which field differs.
    """
    described, shown = study.described, _PASSWORD.sub(r"\1@", study.storage)
    if exists(folder / STUDY):
        content = content_of(folder)
        _check_same(folder, content["described"], described)
    else:
        _check_empty(folder)
        with quiet():
            storage_at(folder, study.storage)  # a wrong address is told before it is written down
        content = {
            "schema": SCHEMA,
            "name": f"attractory-{uuid.uuid4().hex[:12]}",
            # a password is no thing to lie in a folder that is shared
            "storage": shown,
            "described": described,
        }
        write_json(folder / STUDY, content)
    if content["storage"] != shown:
        raise FileProblem(f"{folder}: storage differs: {content['storage']} there, {shown} here")
    with quiet():
        return optuna().create_study(
            storage=storage_at(folder, study.storage),
            study_name=content["name"],
            directions=[each.towards for each in study.objective],
            pruner=study.pruner.pruner() if study.pruner else optuna().pruners.NopPruner(),
            load_if_exists=True,
        )


def opened(folder: Path, storage: str | None) -> tuple[dict[str, Any], Any]:
    """The content of study.json, and Optuna's study."""
    content = content_of(folder)
    with quiet():
        place = storage_at(folder, storage or content["storage"])
        try:
            return content, optuna().load_study(study_name=content["name"], storage=place)
        except KeyError:
            raise FileProblem(
                f"{folder}: the trials of this study are not in its storage {content['storage']}"
            ) from None


def _check_same(folder: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    for field, value in here.items():
        if there.get(field) != value:
            raise InvalidSetting(
                f"{folder}: this folder belongs to a study of another {field}: "
                f"{_told(there.get(field), value)}; choose another folder"
            )


def _told(there: Any, here: Any, name: str = "") -> str:
    """The first difference of two values: where, what there, what here."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in dict.fromkeys([*there, *here]):
            if there.get(key) != here.get(key):
                return _told(there.get(key), here.get(key), f"{name}.{key}" if name else key)
    words = f"{name} = " if name else ""
    said = ["nothing" if value is None else in_short(value) for value in (there, here)]
    return f"{words}{said[0]} there, {said[1]} here"


def _check_empty(folder: Path) -> None:
    # what a process leaves that is killed before it has written down its study: the log, trials
    ours = (".", "tuning.")
    taken = [n for n in entries(folder) if not n.startswith(ours) and n != AT_WORK]
    if taken:
        raise FileProblem(
            f"{folder}: this folder holds other files (such as {taken[0]}) and no tuning; "
            "choose an empty or a new one"
        )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """As the only process that changes what all of them share."""
    until = time.monotonic() + SECONDS_FOR_THE_OTHERS
    while True:
        lock = FolderLock(folder, "tuning")
        try:
            lock.__enter__()
            break
        except FileProblem:
            if time.monotonic() > until or not worked_on(folder):
                raise
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.__exit__()


@contextmanager
def at_work(folder: Path) -> Iterator[tuple[str, FolderLock]]:
    """A name under which the other processes see that this one works."""
    name = uuid.uuid4().hex[:12]
    try:
        with FolderLock(folder / AT_WORK / name, "tuning") as lock:
            yield name, lock
    finally:
        with suppress(OSError):
            (folder / AT_WORK / name).rmdir()


def those_at_work(folder: Path) -> set[str]:
    """The names of all processes that work; folders of those that were killed go."""
    found = set()
    for name in entries(folder / AT_WORK):
        if worked_on(folder / AT_WORK / name):
            found.add(name)
        else:
            shutil.rmtree(folder / AT_WORK / name, ignore_errors=True)
    return found


def forget_working(folder: Path, key: str) -> None:
    """Remove the working folders of a trial that has ended."""
    for name in entries(folder / WORKING):
        if name.startswith(f"{key}."):
            shutil.rmtree(folder / WORKING / name, ignore_errors=True)
