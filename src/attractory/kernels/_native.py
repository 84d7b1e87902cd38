"""Compiles _native.cpp on the machine where it runs, once, and shows its functions to XLA."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jax
import jaxlib

from attractory._errors import AttractoryError
from attractory._files import cache_folder, replacing

SOURCE = Path(__file__).with_name("_native.cpp")
SWITCH = "ATTRACTORY_KERNELS"  # environment: "native" (the default) or "jax"
_HANDLERS = ("rate_forward", "rate_backward")
# no rule of arithmetic is loosened: errno and traps are not used by anyone here
_FLAGS = ("-std=c++20", "-O3", "-fPIC", "-shared", "-pthread", "-w")
_ARITHMETIC = ("-fno-math-errno", "-fno-trapping-math")
_LOOPS = ("-fno-tree-loop-distribute-patterns",)  # short copies stay loops: see copy() there


class _Unavailable(Exception):
    """Why there are no native kernels."""


@dataclass(frozen=True)
class Native:
    """The compiled kernels of this machine, or why there are none.

    targets: XLA's name of each function, empty without them. bfloat16: whether this processor
    multiplies bfloat16 numbers. compiler: name and version. missing: why there are none.
    """

    targets: dict[str, str]
    bfloat16: bool = False
    compiler: str = ""
    missing: str = ""

    def __str__(self) -> str:
        return f"plain JAX ({self.missing})" if self.missing else "native"

    def __bool__(self) -> bool:
        return bool(self.targets)


@lru_cache(maxsize=1)
def native() -> Native:
    """The compiled kernels; the first call on a machine compiles them (about ten seconds)."""
    try:
        path, compiler = _place()
        if not path.exists():
            path = _compiled(path)
        loaded = ctypes.CDLL(str(path))
    except (_Unavailable, AttractoryError, OSError) as reason:
        return Native({}, missing=" ".join(str(reason).split()))
    bfloat16 = bool(loaded.attractory_has_bfloat16())
    targets = {}
    for name in _HANDLERS:
        targets[name] = f"attractory_{name}_{path.stem[-12:]}"
        handler = jax.ffi.pycapsule(getattr(loaded, f"attractory_{name}"))
        jax.ffi.register_ffi_target(targets[name], handler, platform="cpu")
    return Native(targets, bfloat16, compiler)


def to_compile() -> bool:
    """Whether the first call of `native` will compile, for whoever wants to say so before."""
    try:
        return not _place()[0].exists()
    except _Unavailable:
        return False


@lru_cache(maxsize=1)
def _place() -> tuple[Path, str]:
    """Where the library for this machine is kept, and the compiler's name."""
    if os.environ.get(SWITCH, "native") != "native":
        raise _Unavailable(f"{SWITCH} = {os.environ[SWITCH]}")
    _, name = _compiler()
    identity = [SOURCE.read_text(), name, _processor(), jaxlib.__version__, *_flags()]
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:12]
    return cache_folder() / "kernels" / f"native-{digest}.so", name


def _compiled(path: Path) -> Path:
    """The library, compiled to `path`, or, where that cannot be written, for this process alone."""
    try:
        with replacing(path) as beside:
            _compile(beside)
    except AttractoryError:
        path = Path(tempfile.mkdtemp(prefix="attractory-")) / path.name
        _compile(path)
    return path


def _compile(to: Path) -> None:
    command, _ = _compiler()
    include = ["-isystem", jax.ffi.include_dir()]
    whole = [*command, *_flags(), *include, str(SOURCE), "-o", str(to)]
    done = subprocess.run(whole, capture_output=True, text=True)
    if done.returncode != 0:
        first = next((line for line in done.stderr.splitlines() if "error" in line), "no message")
        raise _Unavailable(f"{command[0]} cannot compile the kernels: {first}")


@lru_cache(maxsize=1)
def _compiler() -> tuple[list[str], str]:
    """The command of a C++ compiler, and its name with its version."""
    given = os.environ.get("CXX")
    for candidate in [given] if given else ["c++", "g++", "clang++"]:
        command = shlex.split(candidate)
        if command and shutil.which(command[0]):
            return command, _version(command)
    if importlib.util.find_spec("ziglang") is not None:  # the extra "compiler"
        command = [sys.executable, "-m", "ziglang", "c++"]
        return command, _version(command)
    raise _Unavailable(
        "no C++ compiler: install g++ or clang++, or pip install 'attractory[compiler]'"
    )


def _version(command: list[str]) -> str:
    with suppress(OSError):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            return done.stdout.splitlines()[0]
    raise _Unavailable(f"{' '.join(command)} does not run")


def _flags() -> tuple[str, ...]:
    own = "-march=native" if platform.machine().lower() in ("x86_64", "amd64") else "-mcpu=native"
    return (*_FLAGS, *_ARITHMETIC, *_LOOPS, own)


def _processor() -> str:
    """What the instructions depend on: a home folder may be shared by unequal machines."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return "\n".join(sorted({x for x in lines if x.startswith(("flags", "Features", "model"))}))
    return f"{platform.machine()} {platform.processor()}"
