"""The workers of a sweep: Dask's, on this machine, at an address, or from a queue."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attractory._cores import available_cores, memory
from attractory._errors import AttractoryError, InvalidSetting, one_line
from attractory.sweeps._study import Point
from attractory.sweeps._where import Cluster
from attractory.training import training_memory

QUEUES = {"slurm": "SLURMCluster", "sge": "SGECluster", "pbs": "PBSCluster"}
PROCESS_BYTES = 0.75 * 2**30  # of a worker with JAX and small programs: 0.62 to 0.68 GiB measured
FREE = 0.9  # the share of the memory that workers may take
SECONDS_FOR_AN_ANSWER = 6.0  # of a scheduler at an address; whoever waits is told within ten
SECONDS_FOR_A_WORKER = (
    120.0  # on this machine: importing JAX takes some seconds, on a busy one more
)
SECONDS_WITHOUT_A_SWEEP = 120.0  # after which a scheduler on another machine ends
ANSWERS = (OSError, TimeoutError)  # what Dask raises where nobody answers

_ANY_PORT = {"dashboard_address": ":0"}  # a free one: several sweeps may run on a machine
# Ctrl-C on a terminal goes to all processes; the sweep's own has the others write a checkpoint
_WITHOUT_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"

# a worker that dies ends its run's attempt at once, so that the sweep itself counts the attempts;
# and a worker holds no second run that would have to share the first one's fate
_OF_OUR_SCHEDULERS = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    # what Dask's own page shows of its processes took 2.4 % of a core in each worker, and as much
    # here: a look at the stack 100 times a second, at the loop 50 times, at the machine twice
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


def dask() -> Any:
    """Dask's `distributed`; InvalidSetting where it is not installed."""
    try:
        import distributed
    except ImportError:
        raise InvalidSetting(
            "a sweep needs Dask: pip install 'attractory[sweeps]' installs it"
        ) from None
    return distributed


@contextmanager
def connected(cluster: Cluster, needed: float, jobs: int) -> Iterator[Any]:
    """A client of the cluster, as long as the context lasts.

    needed: bytes that one job takes. jobs: how many there are. Raises InvalidSetting where nobody
    answers.
    """
    distributed = dask()
    if cluster.kind == "dask":
        with client_at(str(cluster.address)) as client:
            yield client
        return
    import dask as configured

    with (
        configured.config.set(_OF_OUR_SCHEDULERS),
        _started(cluster, needed, jobs) as made,
        distributed.Client(made) as client,
    ):
        if cluster.kind == "local":
            client.wait_for_workers(1, timeout=SECONDS_FOR_A_WORKER)
        yield client


def client_at(address: str) -> Any:
    """A client of the scheduler at an address; InvalidSetting where nobody answers."""
    try:
        return dask().Client(address, timeout=SECONDS_FOR_AN_ANSWER)
    except (*ANSWERS, ValueError) as error:
        raise InvalidSetting(
            f"scheduler = {address!r}: nobody answers there ({one_line(str(error))}); "
            "`dask scheduler` starts one, and says its address"
        ) from None


def local_workers(asked: int | None, needed: float, jobs: int) -> int:
    """How many workers this machine has room for."""
    if asked is not None:
        return asked
    fit = int(FREE * memory() / (PROCESS_BYTES + needed))
    return max(1, min(available_cores(), fit, jobs))


def memory_needed(points: Sequence[Point], most: int | None) -> float:
    """Bytes that the largest of the points takes, `most` of its networks at once.

    Only those that may be the largest are looked at: to look at one takes some milliseconds.
    """

    def size(point: Point) -> int:
        nets = min(point.nets, most or point.nets)
        of_weights = nets * point.model.units**2
        return of_weights + point.rule.batch * point.task.n_steps * point.model.units

    largest = sorted({point.identity: point for point in points}.values(), key=size)[-LOOKED_AT:]
    return max(
        training_memory(each.task, each.model, each.rule, min(each.nets, most or each.nets))
        for each in largest
    )


LOOKED_AT = 8  # points


def script(cluster: Cluster, needed: float) -> str:
    """What a queue would be given for one worker; of other kinds what would be done, in words."""
    if cluster.kind == "local":
        return "workers: processes on this machine, one a core, as many as its memory holds"
    if cluster.kind == "dask":
        return f"workers: those of the scheduler at {cluster.address}"
    if cluster.kind == "ssh":
        return f"workers: on {', '.join(map(str, cluster.options.get('hosts', ())[1:]))}, by SSH"
    with _queue(cluster, needed) as made:
        return str(made.job_script())


def _started(cluster: Cluster, needed: float, jobs: int) -> Any:
    """The cluster, started."""
    if cluster.kind == "local":
        return _local(local_workers(cluster.workers, needed, jobs))
    if cluster.kind == "ssh":
        return _made("SSHCluster", _ssh, cluster.options | {"workers": cluster.workers or 1})
    made = _queue(cluster, needed)
    made.scale(cluster.workers or 1)
    return made


def _local(workers: int) -> Any:
    _check_main()
    return dask().LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        **_ANY_PORT,
        silence_logs=logging.CRITICAL,  # what happens to workers the sweep says itself
        preload=_WITHOUT_CTRL_C,
    )


def _ssh(
    workers: int,
    worker_options: dict[str, Any] | None = None,
    scheduler_options: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Machines that are reached by SSH, each with so many workers of one thread."""
    if importlib.util.find_spec("asyncssh") is None:
        raise InvalidSetting(
            "cluster.kind = 'ssh' needs asyncssh: pip install 'attractory[ssh]' installs it"
        )
    return dask().SSHCluster(
        worker_options={"nthreads": 1, "n_workers": workers} | (worker_options or {}),
        # nobody else ends it, and its workers, where the sweep itself is killed
        scheduler_options={"idle_timeout": SECONDS_WITHOUT_A_SWEEP, **_ANY_PORT}
        | (scheduler_options or {}),
        silence_logs=logging.CRITICAL,
        **options,
    )


def _queue(cluster: Cluster, needed: float) -> Any:
    """A cluster of jobs of a queue: each is one worker of one core, if not said otherwise."""
    try:
        import dask_jobqueue
    except ImportError:
        raise InvalidSetting(
            f"cluster.kind = {cluster.kind!r} needs dask-jobqueue: "
            "pip install 'attractory[sweeps]' installs it"
        ) from None
    enough = f"{(PROCESS_BYTES + needed) / 2**30:.1f}GiB"
    usual = {"cores": 1, "processes": 1, "memory": enough, "scheduler_options": _ANY_PORT}
    return _made(
        cluster.kind, getattr(dask_jobqueue, QUEUES[cluster.kind]), usual | cluster.options
    )


def _made(name: str, kind: Callable[..., Any], options: dict[str, Any]) -> Any:
    try:
        return kind(**options)
    except AttractoryError:
        raise
    except Exception as error:  # whatever Dask's class says to its settings
        raise InvalidSetting(f"cluster: {name}: {type(error).__name__}: {error}") from None


def _check_main() -> None:
    """InvalidSetting for a script that would sweep again in each of its workers."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    by_name = getattr(sys.modules["__main__"], "__spec__", None) is not None  # python -m NAME
    if file is None or by_name or not str(file).endswith(".py"):
        return
    try:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if "__name__" not in text:
        raise InvalidSetting(
            f"{Path(file).name}: workers on this machine import it, and would begin the sweep "
            "again; what is to be done once stands under: if __name__ == '__main__':"
        )


def dashboard(client: Any) -> str:
    """The address of Dask's own page on its workers; "" where there is none."""
    return str(client.dashboard_link) if importlib.util.find_spec("bokeh") else ""
