"""What a result was measured on."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("attractory", "jax", "jaxlib", "numpy", "optax", "equinox", "scipy")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, versions of what Attractory stands on, and the date."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "bfloat16": _has_bfloat16(),
        "memory_gib": round(_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
        "date": datetime.date.today().isoformat(),
    }


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    name = _first_of("/proc/cpuinfo", "model name")
    return name or platform.processor() or platform.machine()


def _has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself (x86: AVX-512 or AMX)."""
    flags = (_first_of("/proc/cpuinfo", "flags") or "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _first_of(file: str, name: str) -> str | None:
    """The value of the first line `name : value`; None where there is none."""
    if not Path(file).exists():
        return None
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
