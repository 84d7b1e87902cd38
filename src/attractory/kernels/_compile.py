"""How Attractory compiles: one thread a device, as many devices as the caller shows to JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

# XLA's pool of threads inside of one CPU device can wedge for good: a hang in block_until_ready,
# seen here in most runs of two devices with two networks each. On this work one thread a device is
# as fast (measured at 400 units, batch 8 to 128), and the devices use the cores.
_single_threaded = {"xla_cpu_multi_thread_eigen": False}


def compiled(function: Callable[..., Any]) -> Any:
    """`jax.jit`, for the CPU without XLA's thread pool inside of a device."""
    if jax.default_backend() != "cpu":
        return jax.jit(function)
    return jax.jit(function, compiler_options=_single_threaded)
