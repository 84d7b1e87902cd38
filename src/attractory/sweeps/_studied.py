"""What the pages of a sweep and of a tuning are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from attractory._errors import FileProblem
from attractory._shown import Shown
from attractory.population import TriedSettings
from attractory.sweeps._pack import record_of

MOST_RECORDS = 100  # files that are opened for the versions in them, of however many runs


@dataclass(frozen=True, repr=False)
class Provenance(Shown):
    """Where runs were made, and with what.

    Attributes
    ----------
    versions : dict of str to tuple of str
        Of each package all that were used.
    commits : tuple of str
        Of the folders in which the commands were given, where those are in git.
    hosts : dict of str to int
        How many runs each machine has done.
    seconds : tuple of float
        Of each run that is done: training and scores.
    memory : int
        The most that a process held (bytes); 0 where that is not known.
    asked : int
        From how many runs versions and commits are.
    """

    versions: dict[str, tuple[str, ...]]
    commits: tuple[str, ...]
    hosts: dict[str, int]
    seconds: tuple[float, ...]
    memory: int
    asked: int

    @classmethod
    def of(cls, noted: Iterable[Mapping[str, Any]], files: Sequence[Path]) -> Provenance:
        """From what is noted of all runs that are done, and from the files of some.

        Parameters
        ----------
        noted : iterable of dict
            Of each run: host, seconds, memory, as far as they are known.
        files : sequence of Path
            Of all packed runs; up to 100, spread over them, are opened.

        Returns
        -------
        Provenance
            All of it.
        """
        told = list(noted)
        records = _records(files)
        versions: dict[str, dict[str, None]] = {}
        for record in records:
            for name, version in record.get("versions", {}).items():
                versions.setdefault(name, {})[str(version)] = None
        commits = dict.fromkeys(record["commit"] for record in records if record.get("commit"))
        return cls(
            versions={name: tuple(found) for name, found in versions.items()},
            commits=tuple(commits),
            hosts=dict(Counter(str(each["host"]) for each in told if each.get("host"))),
            seconds=tuple(float(each["seconds"]) for each in told if each.get("seconds")),
            memory=max((int(each.get("memory") or 0) for each in told), default=0),
            asked=len(records),
        )


def _records(files: Sequence[Path]) -> list[dict[str, Any]]:
    """What some of the packed runs say of themselves; one that is damaged says nothing."""
    found = []
    for file in files[:: -(-len(files) // MOST_RECORDS) or 1]:
        with suppress(FileProblem):
            found.append(record_of(file))
    return found


@dataclass(frozen=True, repr=False)
class StudiedSweep(Shown):
    """What the page of a sweep is about, as it stood when it was made.

    Attributes
    ----------
    name : str
        Of its folder.
    tried : TriedSettings
        Its networks.
    table : pandas.DataFrame
        The sweep's table, which is written beside the page.
    status : dict of str to int
        How many runs stand in which way.
    seeds : int
        With how many seeds settings were tried.
    failures : pandas.DataFrame
        The runs that failed or were lost: run, status, line.
    provenance : Provenance
        Where the others were made, and with what.
    """

    name: str
    tried: TriedSettings
    table: pd.DataFrame
    status: dict[str, int]
    seeds: int
    failures: pd.DataFrame
    provenance: Provenance

    @property
    def score(self) -> str | None:
        """The score that the page shows: the first that tells networks apart; None without any."""
        return self.tried.score() if self.tried.scores else None


@dataclass(frozen=True, repr=False)
class StudiedTuning(Shown):
    """What the page of a tuning is about, as it stood when it was made.

    Attributes
    ----------
    name : str
        Of its folder.
    task : str
        What the networks learned.
    tried : TriedSettings
        Its trials.
    table : pandas.DataFrame
        The tuning's table, which is written beside the page.
    ranges : dict of str to str
        What was tuned, in words: of each field the range or the choices.
    status : dict of str to int
        How many trials stand in which way.
    best : tuple of int
        The numbers of the best trials.
    optimism : pandas.DataFrame
        What these seemed worth, and what they are worth on fresh seeds and trials.
    recipe : dict of str to object
        The values of the task's own recipe in these fields; {} where they are not known.
    provenance : Provenance
        Where trials were made, and with what.
    """

    name: str
    task: str
    tried: TriedSettings
    table: pd.DataFrame
    ranges: dict[str, str]
    status: dict[str, int]
    best: tuple[int, ...]
    optimism: pd.DataFrame
    provenance: Provenance
    recipe: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> int:
        """How many trials are complete."""
        return self.status["complete"]
