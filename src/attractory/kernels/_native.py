"""Compiles _native.cpp on the machine where it runs, once, and shows its functions to XLA.

The library is kept in a folder that is this user's alone, under a name with the SHA-256 of its
content: who owns it guards against what others put there, the digest against damage.
"""

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
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jaxlib

from attractory._errors import FileProblem
from attractory._private import check_place, private_cache, read_private

SOURCE = Path(__file__).with_name("_native.cpp")
FOLDER = "kernels"
SWITCH = "ATTRACTORY_KERNELS"  # environment: "native" (the default) or "jax"
_HANDLERS = ("rate_forward", "rate_backward")
_BUILDING, _STALE_SECONDS = "building-", 3600.0
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
        identity, compiler = _identity()
        loaded = _library(identity)
        functions = {name: _function(loaded, f"attractory_{name}") for name in _HANDLERS}
        bfloat16 = bool(_function(loaded, "attractory_has_bfloat16")())
    except (_Unavailable, FileProblem, OSError) as reason:
        return Native({}, missing=" ".join(str(reason).split()))
    targets = {name: f"attractory_{name}_{identity}" for name in _HANDLERS}
    for name, function in functions.items():
        jax.ffi.register_ffi_target(targets[name], jax.ffi.pycapsule(function), platform="cpu")
    return Native(targets, bfloat16, compiler)


def to_compile() -> bool:
    """Whether the first call of `native` will compile, for whoever wants to say so before."""
    try:
        kept = _kept(private_cache(FOLDER), _identity()[0])
    except _Unavailable:
        return False
    except FileProblem:
        return True
    return kept is None


def kept_in() -> str:
    """Where the library is kept between processes, or why it is compiled anew for each."""
    try:
        return str(private_cache(FOLDER))
    except FileProblem as reason:
        return f"nowhere, and compiled for each process: {reason}"


@lru_cache(maxsize=1)
def _identity() -> tuple[str, str]:
    """What tells the library for this machine from others, 12 letters; and the compiler's name."""
    if os.environ.get(SWITCH, "native") != "native":
        raise _Unavailable(f"{SWITCH} = {os.environ[SWITCH]}")
    _, name = _compiler()
    parts = [SOURCE.read_text(), name, _processor(), jaxlib.__version__, *_flags()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12], name


def _library(identity: str) -> ctypes.CDLL:
    """The library, from the cache folder or compiled into it; or for this process alone.

    Nothing is loaded whose content was not looked at: code of another user would be run, and a
    damaged library ends the process or computes something else.
    """
    try:
        folder = private_cache(FOLDER)
        kept = _kept(folder, identity)
        if kept is None:
            _store(folder, identity)
            kept = _kept(folder, identity)
    except (FileProblem, OSError):  # no private folder, or none that can be written
        kept = None
    if kept is None:
        check_place(Path(tempfile.gettempdir()))
        with tempfile.TemporaryDirectory(prefix="attractory-") as own:
            _compile(Path(own) / "native.so")
            return ctypes.CDLL(str(Path(own) / "native.so"))
    return ctypes.CDLL(str(kept))


def _kept(folder: Path, identity: str) -> Path | None:
    """The library in the folder; None where there is none that is whole and this user's own.

    Its name ends in the SHA-256 of its content; a file of which that is not true is removed.
    """
    for path in sorted(folder.glob(f"native-{identity}-*.so")):
        content = read_private(path)
        if content is not None and path.stem.endswith(hashlib.sha256(content).hexdigest()):
            return path
        with suppress(OSError):
            path.unlink()
    return None


def _store(folder: Path, identity: str) -> None:
    """Compile into the folder."""
    _remove_stale(folder)
    with tempfile.TemporaryDirectory(prefix=_BUILDING, dir=folder) as building:
        made = Path(building) / "native.so"
        _compile(made)
        made.chmod(0o600)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        os.replace(made, folder / f"native-{identity}-{digest}.so")


def _remove_stale(folder: Path) -> None:
    """What builds left that were killed."""
    for left in folder.glob(f"{_BUILDING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left)


def _function(library: ctypes.CDLL, name: str) -> Any:
    try:
        return getattr(library, name)
    except AttributeError:
        raise _Unavailable(f"the compiled library has no function {name}") from None


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
