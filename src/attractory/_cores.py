"""What Attractory may use of the computer that it runs on: cores, threads."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

from attractory._errors import FileProblem, InvalidSetting, shown
from attractory._private import private_cache

Item = TypeVar("Item")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

# where Linux keeps the limit of a container or job, in the newer and the older of its two ways
_GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

# of GNU's mallopt, by their numbers in malloc.h. A block that the heap cannot hold is mapped still
_MALLOC_OPTIONS = {
    -3: 2**31 - 1,  # M_MMAP_THRESHOLD: blocks below 2 GiB come from the heap
    -1: 2**31 - 1,  # M_TRIM_THRESHOLD: of which 2 GiB may lie idle at the end
    -2: 2**26,  # M_TOP_PAD: and which grows by 64 MiB at least
}


def available_cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def memory() -> int:
    """Bytes of memory that this process may use: the machine's, or less where it is in a group."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _GROUP_LIMITS:
        with suppress(OSError, ValueError):  # not in a group, or its limit is the word "max"
            found.append(int(Path(file).read_text()))
    return min(found)


def check_memory(what: str, needed: float) -> None:
    """InvalidSetting where something of this size (bytes) cannot fit into this machine's memory."""
    if needed > memory():
        raise InvalidSetting(
            f"{what} would take {needed / 2**30:,.3g} GB of memory; "
            f"this machine has {memory() / 2**30:.3g} GB"
        )


def use_cores(cores: int | None = None) -> None:
    """Have networks trained side by side on the processor's cores, and compile each program once.

    Parameters
    ----------
    cores : int, optional
        The number of devices that JAX shows, over which populations and batches are spread; all
        cores when None.

    Raises
    ------
    InvalidSetting
        For a number of cores that is not there.

    Notes
    -----
    Compiled programs are kept between runs in Attractory's cache folder (where no other user can
    bring their own into it; else they are not kept). JAX_COMPILATION_CACHE_DIR, where it is set,
    stays in force.

    Memory that arrays leave stays with the process, for the next ones (Linux, GNU's C library):
    fetched anew from the system at each step, it is up to a third of a step's time.

    The commands do this by themselves; a script or notebook calls it first, since these are
    settings of JAX that must be made before JAX's first work, and that hold for the whole process.
    """
    available = available_cores()
    if cores is not None and not (isinstance(cores, int) and 1 <= cores <= available):
        raise InvalidSetting(f"cores = {shown(cores)} is not allowed: 1 to {available}")
    _keep_memory()
    import jax

    jax.config.update("jax_num_cpu_devices", cores or available)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        with suppress(FileProblem):  # no private folder: programs are compiled, and not kept
            jax.config.update("jax_compilation_cache_dir", str(private_cache("xla")))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def _keep_memory() -> None:
    """Have the C library keep what arrays leave, instead of giving it back and asking anew.

    By default it maps blocks of 32 MiB and more from the system one by one: each page of them is
    then filled with zeros at each use, by a fault of its own, in virtual machines a slow one.
    """
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version"):
        for option, value in _MALLOC_OPTIONS.items():
            library.mallopt(option, value)


def one_blas_thread(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorator: while the function runs BLAS uses one thread.

    More of them slow small products down, tenfold and worse where other work keeps cores busy.

    Parameters
    ----------
    function : callable
        Any function.

    Returns
    -------
    callable
        The same function, limited.
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
    """A function of each item, in order: one thread a core, and one BLAS thread in each.

    Parameters
    ----------
    function : callable
        Takes an item.
    items : iterable
        What it is applied to.

    Returns
    -------
    list
        A result for each item.

    Notes
    -----
    NumPy's linear algebra lets other threads run, so this uses all cores; the results do not depend
    on how many there are.
    """
    work = list(items)
    with _pools().limit(limits=1, user_api="blas"):
        if len(work) < 2 or available_cores() == 1:
            return [function(item) for item in work]
        with ThreadPoolExecutor(available_cores()) as pool:
            return list(pool.map(function, work))
