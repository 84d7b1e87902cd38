"""Work on small matrices, spread over the processor's cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorator: while the function runs BLAS uses one thread.

    More of them slow small products down, tenfold and worse where other work keeps cores busy.
    """

    @wraps(function)
    def limited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with _pools().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited


@cache
def _pools() -> ThreadpoolController:
    """The libraries with threads of their own; looking for them takes longer than a product."""
    return ThreadpoolController()


def spread(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """`function` of each item, in order: one thread a core, and one BLAS thread in each.

    NumPy's linear algebra lets other threads run, so this uses all cores; the results do not depend
    on how many there are.
    """
    work = list(items)
    with _pools().limit(limits=1, user_api="blas"):
        if len(work) < 2 or cores() == 1:
            return [function(item) for item in work]
        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(function, work))
