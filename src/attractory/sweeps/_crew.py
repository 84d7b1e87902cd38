"""The workers as a sweep sees them: jobs go out, outcomes come back, whatever happens between."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Self

from attractory._errors import FileProblem, InvalidSetting, one_line
from attractory.sweeps._cluster import ANSWERS, client_at, connected, dashboard, dask
from attractory.sweeps._store import FAILED, LOST, Job
from attractory.sweeps._study import Point
from attractory.sweeps._where import Cluster
from attractory.sweeps._work import Order, Outcome, Setup, prepared, stop, work

A_THREAD = 2  # jobs that are handed out: one that is done, one that waits at the scheduler
SECONDS_OF_THREADS = 1.0  # for which the number of threads is taken to be as it was
PATIENCE_SECONDS = (
    600.0  # for a scheduler that has gone to come back: a queue restarts it in minutes
)
SECONDS_BETWEEN_TRIES = 2.0
SECONDS_TO_STOP = 10.0  # for workers to write a checkpoint, which they do after an update


def own_classes(points: list[Point]) -> bytes:
    """The classes of all points, pickled: what every worker must be able to have."""
    kinds = {type(part) for p in points for part in (p.task, p.model, p.rule)}
    return pickled(sorted(kinds, key=lambda kind: kind.__qualname__))


def pickled(value: Any) -> bytes:
    """What a worker makes the value of; classes and functions of a notebook are in it."""
    import cloudpickle

    return bytes(cloudpickle.dumps(value))


class Crew:
    """The workers of a cluster, prepared, as a context.

    Parameters
    ----------
    where : Cluster
        Where they are.
    needed : float
        Bytes of memory that one job takes.
    jobs : int
        How many jobs there are.
    setup : Setup
        What must be so for a worker to do anything.
    say : callable
        Takes a line for the user.
    a_thread : int
        How many jobs a worker's thread is handed at once.
    """

    def __init__(
        self,
        where: Cluster,
        needed: float,
        jobs: int,
        setup: Setup,
        say: Callable[[str], None],
        a_thread: int = A_THREAD,
    ) -> None:
        self._where, self._needed, self._jobs = where, needed, jobs
        self._setup, self._say, self._a_thread = setup, say, a_thread
        self._out: dict[str, tuple[Any, Job]] = {}  # what is handed out, by Dask's keys
        self._ended: queue.Queue[Any] = queue.Queue()
        self._threads, self._counted = 0, float("-inf")
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._client = self._stack.enter_context(connected(self._where, self._needed, self._jobs))
        try:
            self._prepare()
        except BaseException:
            self._stack.close()
            raise
        link = dashboard(self._client)
        if link:
            self._say(f"Dask's own page on the workers: {link}")
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with suppress(Exception):  # of a scheduler that has gone
                self._stop()
        finally:
            self._stack.close()

    @property
    def busy(self) -> int:
        """How many jobs are handed out."""
        return len(self._out)

    def has_room(self) -> bool:
        """Whether another job can be handed out."""
        return self.busy < max(1, self._a_thread * self._all_threads())

    def submit(self, job: Job, order: Order) -> None:
        """Hand out a job."""
        future = self._client.submit(work, self._setup, pickled(order), pure=False, retries=0)
        self._out[future.key] = future, job
        self._sign = order.sign
        future.add_done_callback(self._ended.put)

    def finished(self, seconds: float) -> list[tuple[Job, Outcome | None]]:
        """Jobs that have ended, waiting for the first at most so long; None: nobody knows how."""
        found: list[tuple[Job, Outcome | None]] = []
        with suppress(queue.Empty):
            future = self._ended.get(timeout=seconds)
            while True:
                known = self._out.pop(future.key, None)
                if known is not None:
                    found.append((known[1], self._outcome(future)))
                future = self._ended.get_nowait()
        if self._client.status in ("closed", "closing"):
            found += [(job, None) for _, job in self._out.values()]
            self._out.clear()
            self._reconnect()
        return found

    def _stop(self) -> None:
        """Have what is under way write a checkpoint and end."""
        futures = [future for future, _ in self._out.values()]
        if futures:
            self._client.run(stop, self._sign, on_error="ignore")
            with suppress(TimeoutError):
                dask().wait(futures, timeout=SECONDS_TO_STOP)
            self._client.cancel(futures)

    def _outcome(self, future: Any) -> Outcome | None:
        if future.status in ("cancelled", "lost"):
            return None
        try:
            outcome: Outcome = future.result()
        except dask().KilledWorker:
            line = "its worker died: it was killed, or out of memory"
            return Outcome(LOST, {"line": line})
        except (concurrent.futures.CancelledError, asyncio.CancelledError, *ANSWERS):
            return None
        except Exception as error:  # whatever Dask says of what could not be brought to a worker
            return Outcome(FAILED, {"line": one_line(f"{type(error).__name__}: {error}")})
        return outcome

    def _all_threads(self) -> int:
        """Those of all workers that there are now."""
        if time.monotonic() - self._counted > SECONDS_OF_THREADS:
            with suppress(*ANSWERS, ValueError):  # of a scheduler that has gone
                self._threads = sum(self._client.nthreads().values())
                self._counted = time.monotonic()
        return self._threads

    def _prepare(self) -> None:
        """Ask every worker that is there; InvalidSetting for the first that cannot work."""
        if not self._all_threads():
            self._say("no worker is there yet; the sweep begins with the first one")
            return
        try:
            answers = self._client.run(prepared, self._setup)
        except Exception as error:  # of a worker without this package, or one that has gone
            line = one_line(f"{type(error).__name__}: {error}")
            raise InvalidSetting(f"a worker cannot be prepared ({line})") from None
        for refusal in answers.values():
            if refusal is not None:
                raise InvalidSetting(refusal)

    def _reconnect(self) -> None:
        """Wait for the scheduler at the address; FileProblem where it does not come back."""
        if self._where.address is None:
            raise FileProblem("the scheduler of this sweep has ended")
        self._say(f"the scheduler at {self._where.address} has gone; waiting for it to come back")
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_SECONDS:
            with suppress(InvalidSetting):
                self._client = self._stack.enter_context(client_at(self._where.address))
                self._say("the scheduler is back; what was under way is done again")
                return
            time.sleep(SECONDS_BETWEEN_TRIES)
        raise FileProblem(f"the scheduler at {self._where.address} has gone, and has not come back")
