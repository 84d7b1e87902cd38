"""Work on small matrices, spread over the processor's cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread() -> AbstractContextManager[object]:
    """Within it BLAS runs in one thread: more of them slow small products down."""
    return threadpool_limits(limits=1, user_api="blas")


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`function` of each item, in order: one thread a core, and one BLAS thread in each.

    NumPy's linear algebra lets other threads run, so this uses all cores; the results do not depend
    on how many there are.
    """
    work = list(items)
    with one_blas_thread():
        if len(work) < 2 or cores() == 1:
            return [function(item) for item in work]
        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(function, work))
