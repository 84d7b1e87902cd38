"""What a worker does: it trains one job in a folder, scores the networks, and packs the run."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from attractory._cores import use_cores
from attractory._errors import AttractoryError, FileProblem, one_line
from attractory._files import entries
from attractory._process import Process
from attractory.evaluation import evaluate
from attractory.population import measure
from attractory.runs import CHECKPOINTS, LOCK, Run, import_named, package_versions
from attractory.sweeps._common import Scoring
from attractory.sweeps._pack import packed
from attractory.sweeps._store import DONE, FAILED, WORKING
from attractory.training import newest_step, stopped_when, train

REFUSED, PRUNED, STOPPED = "refused", "pruned", "stopped"
SCORES = ("correct", "accuracy", "mse", "distance")
LAST_LOSSES = 10  # of the training, whose mean is told
# numbers depend on these; a worker that has others would not do what was asked
SAME_VERSIONS = ("attractory", "jax", "jaxlib", "numpy", "equinox", "optax")
_FULL = re.compile("|".join(re.escape(os.strerror(n)) for n in (errno.ENOSPC, errno.EDQUOT)))


@dataclass(frozen=True)
class Order:
    """What a worker is told of one job: what to train, and where.

    parts: pickled task, model and rule; runs that differ in their seeds have the same, which a
    worker unpickles once. values: what varies, in words. sign: a file in the sweep's folder, by
    which a worker knows that it sees the same folder. commit: of the user's own code.
    on_check: as of `train`; it raises `Pruned` where the training is not worth going on with.
    """

    key: str
    parts: bytes
    values: dict[str, Any]
    seed: int
    first: int
    stop: int
    scoring: Scoring
    folder: str
    sign: str
    commit: str
    on_check: Any = None


@dataclass(frozen=True)
class Setup:
    """What must be so before a worker does anything.

    parts: pickled classes of all points. sweep: the sweep's own process, by its token.
    """

    versions: dict[str, str]
    imports: tuple[str, ...]
    parts: bytes
    sweep: str


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    status: "done", "failed", "lost", "pruned", "stopped", or "refused" (this worker can do none).
    noted: what the index says of it. content: the packed run. final: whether another attempt would
    end in the same way. halts: whether nothing else could be done now either, as a disk is full.
    """

    status: str
    noted: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""
    final: bool = False
    halts: bool = False


class Pruned(Exception):
    """A training that is not worth going on with."""


class Unreachable(FileProblem):
    """What a worker must reach, and cannot: nothing is wrong with the training itself."""


def versions() -> dict[str, str]:
    """The versions that must be the same everywhere."""
    found = package_versions()
    return {name: found[name] for name in SAME_VERSIONS}


def prepared(setup: Setup) -> str | None:
    """Make this process a worker; in one line why it cannot be one, None where it is.

    Nothing is done twice in a process.
    """
    if setup in _ready:
        return None
    here = versions()
    for name, wanted in setup.versions.items():
        if here[name] != wanted:
            return f"the worker on {platform.node()} has {name} {here[name]}, the sweep {wanted}"
    if Process.this().token != setup.sweep:  # which has its cores already
        with suppress(RuntimeError):  # JAX has worked in this process before: it stays as it is
            use_cores(1)
    try:
        for named in setup.imports:
            import_named(named, None, "imports:")
        _unpickled(setup.parts)
    except Exception as error:  # whatever the user's own code raises when it is imported
        what = f"{type(error).__name__}: {error}"
        return one_line(f"a part of your own cannot be had on {platform.node()} ({what})")
    _ready.append(setup)
    return None


_ready: list[Setup] = []  # what this process has been prepared for


def stop(sign: str) -> None:
    """Have this worker stop what it does for a sweep, with a checkpoint, and begin nothing more."""
    _stopped.add(sign)


_stopped: set[str] = set()  # by the signs of their orders


def work(setup: Setup, content: bytes) -> Outcome:
    """Train one job; every error is told, none is raised."""
    refusal = prepared(setup)
    if refusal is not None:
        return Outcome(REFUSED, {"line": refusal})
    began = time.monotonic()
    _forget_peak()
    try:
        order: Order = _unpickled(content)
        if order.sign in _stopped:
            return Outcome(STOPPED)
        with _working_folder(order) as folder:
            try:
                with stopped_when(lambda: order.sign in _stopped):
                    run = _trained(order, folder)
            except KeyboardInterrupt:
                if order.sign not in _stopped:
                    raise
                return Outcome(STOPPED)
            noted = {
                "networks": scored(run, order.scoring),
                "seconds": round(time.monotonic() - began, 3),
                "memory": peak_memory(),
                "host": platform.node(),
            }
            record = {
                "values": order.values,
                "commit": order.commit,
                "versions": package_versions(),
                "noted": noted,
            }
            return Outcome(DONE, noted, packed(folder, record))
    except Pruned:
        seconds = round(time.monotonic() - began, 3)
        return Outcome(PRUNED, {"seconds": seconds, "host": platform.node()})
    except Exception as error:  # of training, of the user's own code, of the system
        return _failure(error, time.monotonic() - began)


def _unpickled(content: bytes) -> Any:
    import cloudpickle

    return cloudpickle.loads(content) if content else None


@lru_cache(maxsize=16)  # as many as the compiled programs that training keeps
def _parts(content: bytes) -> Any:
    """Task, model and rule: the same objects again, which know already what they have found out."""
    return _unpickled(content)


def _failure(error: Exception, seconds: float) -> Outcome:
    own = isinstance(error, AttractoryError)
    line = one_line(str(error) if own else f"{type(error).__name__}: {error}{_where(error)}")
    halts = isinstance(error, Unreachable) or _FULL.search(str(error)) is not None
    noted = {"line": line, "seconds": round(seconds, 3), "host": platform.node()}
    # what settings do not allow, no further attempt does
    return Outcome(FAILED, noted, final=own and not isinstance(error, OSError), halts=halts)


def _where(error: BaseException) -> str:
    """The place in the code that an error came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})"


@contextmanager
def _working_folder(order: Order) -> Iterator[Path]:
    """A folder for this attempt alone: one that is thought dead may still write in its own.

    It lies in the sweep's folder, where the next attempt finds its checkpoint; on a machine that
    does not see that folder it is a temporary one.
    """
    shared = Path(order.folder)
    if (shared / order.sign).exists():
        yield shared / WORKING / f"{order.key}.{uuid.uuid4().hex[:8]}"
        return
    with tempfile.TemporaryDirectory(prefix="attractory-") as folder:
        yield Path(folder) / order.key


def _trained(order: Order, folder: Path) -> Run:
    """The run: gone on with from the farthest of the earlier attempts, or from the beginning."""
    steps = _earlier(folder)
    if steps:
        farthest = max(steps, key=lambda place: steps[place])
        with suppress(OSError):  # it goes away, or is not whole: then this begins anew
            shutil.copytree(farthest, folder, ignore=_not_to_copy)
            for place in steps:
                shutil.rmtree(place, ignore_errors=True)
            return _train(order, folder)
        shutil.rmtree(folder, ignore_errors=True)
    return _train(order, folder)


def _train(order: Order, folder: Path) -> Run:
    nets = range(order.first, order.stop)
    parts, told = _parts(order.parts), order.on_check
    return train(*parts, nets=nets, seed=order.seed, path=folder, progress=False, on_check=told)


def _earlier(folder: Path) -> dict[Path, int]:
    """The working folders of earlier attempts, and the steps of their newest checkpoints."""
    key = folder.name.partition(".")[0]
    places = [folder.parent / n for n in entries(folder.parent) if n.startswith(f"{key}.")]
    steps = {place: newest_step(place / CHECKPOINTS) for place in places}
    return {place: step for place, step in steps.items() if step is not None}


def _not_to_copy(_folder: str, names: list[str]) -> list[str]:
    """A lock, and files that are half written."""
    return [name for name in names if name == LOCK or name.endswith(".partial")]


def scored(run: Run, scoring: Scoring) -> list[dict[str, Any]]:
    """A row a network: how its training ended, its losses, scores and measures."""
    rows = [_of_training(run, net) for net in range(len(run.networks))]
    columns: dict[str, Any] = {}
    if scoring.trials:
        scores = evaluate(run, n=scoring.trials, seed=scoring.seed)
        columns = {name: np.atleast_1d(getattr(scores, name)) for name in SCORES}
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = float(value)
    if scoring.measures:
        _measure(run, scoring, rows)
    return rows


def _of_training(run: Run, net: int) -> dict[str, Any]:
    history = run.history[run.history["net"] == net]
    validation = history["validation_loss"].dropna()
    row = run.status[net]
    return {
        "net": run.first + net,
        "outcome": row["status"],
        "step": row["step"],
        "loss": float(history["loss"].tail(LAST_LOSSES).mean()),
        "validation_loss": float(validation.iloc[-1]) if len(validation) else float("nan"),
    }


def _measure(run: Run, scoring: Scoring, rows: list[dict[str, Any]]) -> None:
    """The measures into the rows; those of networks that diverged are not a number."""
    trials = {"trials": scoring.trials} if scoring.trials else {}
    names = list(scoring.measures)
    made = measure(run, names, run.task, seed=scoring.seed, progress=False, **trials)
    values = dict(zip(made.net.tolist(), made.values, strict=True))
    nothing = np.full(len(made.names), np.nan)
    for net, row in enumerate(rows):
        found = values.get(net, nothing)
        row.update({n: float(v) for n, v in zip(made.names, found, strict=True)})


def _forget_peak() -> None:
    """Have the system count the peak of memory anew, where it can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Bytes: the most that this process held since then; ever, where the system cannot tell."""
    with suppress(OSError, ValueError, IndexError):
        text = Path("/proc/self/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", text)[0]) * 1024
    with suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 0
