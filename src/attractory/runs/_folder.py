"""The files of a run's folder: who owns it, its manifest, its arrays."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors.numpy import load, save

from attractory._errors import FileProblem
from attractory._files import (
    cannot_write,
    digest,
    entries,
    exists,
    json_digest,
    read_bytes,
    read_json,
    remove_left_over,
    write_bytes,
    write_json,
)
from attractory._own_files import own_files
from attractory._settings import as_json
from attractory._version import __version__
from attractory.runs._lock import LOCK, FolderLock
from attractory.runs._schema import FirstManifest, Manifest, checked

SCHEMAS = {1: FirstManifest, 2: Manifest}
SCHEMA = 2
MANIFEST, NETWORKS, HISTORY, RULE_REPORT, CHECKPOINTS = (
    "manifest.json",
    "networks.safetensors",
    "history.csv",
    "rule_report.safetensors",
    "checkpoints",
)
# A file that waits for the manifest to name it: .NAME.<first digits of its SHA-256>.next
_NEXT = re.compile(r"\..+\.[0-9a-f]{16}\.next", re.DOTALL)

_packages = ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy")


@dataclass(frozen=True)
class Claim:
    """A folder that this process alone works on.

    Attributes
    ----------
    manifest : dict or None
        That of this very run; None in a free folder.
    lock : FolderLock
        The lock that keeps others out, as long as it is held.
    """

    manifest: dict[str, Any] | None
    lock: FolderLock


@contextmanager
def claim_folder(folder: Path, config: dict[str, Any]) -> Iterator[Claim]:
    """Have a folder for this run, and for this process alone, as long as the context lasts.

    Parameters
    ----------
    folder : Path
        The folder; it is made where it is missing.
    config : dict
        What identifies the run (`run_config`).

    Yields
    ------
    Claim
        The manifest that is there, and the lock.

    Raises
    ------
    FileProblem
        When the folder holds another run or other files, when another process works on it, or when
        it cannot be written.
    """
    own_manifest(folder, config)  # before a lock file is put where none belongs
    with FolderLock(folder) as lock:
        manifest = own_manifest(folder, config)
        remove_left_over(folder)
        remove_left_over(folder / CHECKPOINTS)
        _settle(folder, {} if manifest is None else manifest.get("files", {}), alone=True)
        yield Claim(manifest, lock)


def tidy_up(folder: Path, config: dict[str, Any]) -> None:
    """Remove what a kill at the very end of a run has left, where it can be removed.

    Parameters
    ----------
    folder : Path
        The run's folder.
    config : dict
        What identifies the run (`run_config`).
    """
    if exists(folder / LOCK):
        with suppress(FileProblem), claim_folder(folder, config):
            pass  # to claim it is to tidy it up


def own_manifest(folder: Path, config: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of this very run when the folder holds it.

    Parameters
    ----------
    folder : Path
        The folder.
    config : dict
        What identifies the run (`run_config`).

    Returns
    -------
    dict or None
        None when the folder is free.

    Raises
    ------
    FileProblem
        When the folder holds another run or other files, or cannot be read.
    """
    if exists(folder / MANIFEST):
        manifest = read_manifest(folder)
        difference = _first_difference(manifest["config"], as_json(config))
        if difference:
            raise FileProblem(
                f"{folder}: this folder belongs to another run ({difference}); choose another one"
            )
        return manifest
    taken = [name for name in entries(folder) if name != LOCK and not _NEXT.fullmatch(name)]
    if taken:
        raise FileProblem(
            f"{folder}: this folder holds other files (such as {taken[0]}) and no run; "
            "choose an empty or a new one"
        )
    return None


def write_manifest(
    folder: Path,
    config: dict[str, Any],
    status: str,
    rows: list[dict[str, Any]],
    files: dict[str, str] | None = None,
    imports: Sequence[dict[str, str]] = (),
) -> None:
    """Write manifest.json: what the run is, how it was made, and how each network stands.

    Parameters
    ----------
    folder : Path
        The run's folder.
    config : dict
        What identifies the run (`run_config`).
    status : str
        "running" or "finished".
    rows : list of dict
        How each network stands.
    files : dict of str to str, optional
        SHA-256 of the run's files by their names in the folder.
    imports : sequence of dict, optional
        Files of own parts that the run was made with in another process (`own_files`).

    Raises
    ------
    FileProblem
        When the run cannot be written as JSON, or the file cannot be written.

    Notes
    -----
    The versions of the packages, the machine, and the files of the user's own parts are written,
    too.
    """
    content = as_json(
        {
            "schema": SCHEMA,
            "status": status,
            "config": config,
            "networks": rows,
            "versions": package_versions(),
            "machine": {"cpu": platform.machine(), "devices": [str(d) for d in jax.devices()]},
            "files": files or {},
            **_imports(imports),
        }
    )
    try:
        content["sha256"] = json_digest(content)
    except ValueError as error:
        raise FileProblem(f"{folder}: this run cannot be written as JSON: {error}") from None
    checked(Manifest, content, str(folder), "this run cannot be written")
    write_json(folder / MANIFEST, content)


def _imports(earlier: Sequence[dict[str, str]]) -> dict[str, Any]:
    """The files of own parts, for the manifest; those of this process stand for earlier ones."""
    found = {each["name"]: each for each in [*earlier, *own_files()]}
    # a run without any has no such entry, and versions of before there was one read it
    return {"imports": list(found.values())} if found else {}


def write_run(
    folder: Path,
    config: dict[str, Any],
    rows: list[dict[str, Any]],
    contents: dict[str, bytes],
    others: dict[str, str],
    imports: Sequence[dict[str, str]] = (),
) -> None:
    """All files of a finished run: at every moment the old ones are valid together, or the new.

    The new ones wait under names of their own until the manifest names them, then take their
    places; who reads in between finds them by their digests. others: SHA-256 of files of the run
    that are there already.
    """
    files = {name: digest(content) for name, content in contents.items()}
    for name, content in contents.items():
        write_bytes(_waiting(folder, name, files[name]), content)
    write_manifest(folder, config, "finished", rows, files | others, imports)
    try:
        for name, expected in files.items():
            os.replace(_waiting(folder, name, expected), folder / name)
    except OSError as error:
        raise cannot_write(folder, error) from None


def read_file(folder: Path, manifest: dict[str, Any], name: str) -> bytes:
    """A file of a run, as its manifest says that it is; FileProblem where it is not."""
    if manifest["schema"] == 1:
        return read_bytes(folder / name)
    expected = manifest["files"].get(name)
    if expected is None:
        raise FileProblem(f"{folder / MANIFEST}: damaged: it does not name {name}")
    _settle(folder, {name: expected})
    waiting = _waiting(folder, name, expected)
    content = read_bytes(waiting if exists(waiting) else folder / name)
    if digest(content) != expected:
        raise FileProblem(
            f"{folder / name}: damaged: its SHA-256 is not the one in {MANIFEST}; a run's files "
            "are not for editing: change a copy elsewhere"
        )
    return content


def _waiting(folder: Path, name: str, expected: str) -> Path:
    return folder / f".{name}.{expected[:16]}.next"


def _settle(folder: Path, files: dict[str, str], alone: bool = False) -> None:
    """Put files that the manifest names in their places, where a kill has come between.

    alone: nobody else writes here, so others that wait are left over, and removed.
    """
    wanted = {_waiting(folder, name, expected): folder / name for name, expected in files.items()}
    for waiting, place in wanted.items():
        with suppress(OSError):  # a folder that cannot be written is read as it is
            os.replace(waiting, place)
    if alone:
        with suppress(OSError):
            for name in os.listdir(folder):
                if _NEXT.fullmatch(name) and folder / name not in wanted:
                    (folder / name).unlink(missing_ok=True)


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on.

    Returns
    -------
    dict of str to str
        Versions by name.
    """
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """As `package_versions`; to ask takes as long as to write a small run.

    Attractory's own is that of the code that runs, wherever it was installed from.
    """
    versions = {name: importlib.metadata.version(name) for name in _packages}
    return {"python": platform.python_version(), "attractory": __version__, **versions}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder, checked by its schema and its digest."""
    if not exists(folder):
        raise FileProblem(f"{folder}: there is no such run folder")
    where = str(folder / MANIFEST)
    content = read_json(folder / MANIFEST)
    if not isinstance(content, dict) or "schema" not in content:
        raise FileProblem(f"{where}: damaged: 'schema' is missing")
    schema = content["schema"]
    if type(schema) is not int or schema not in SCHEMAS:
        known = " and ".join(map(str, SCHEMAS))
        raise FileProblem(f"{where}: schema = {schema!r:.80}; this version reads {known}")
    checked(SCHEMAS[schema], content, where)
    if schema > 1:
        said = {key: value for key, value in content.items() if key != "sha256"}
        if json_digest(said) != content["sha256"]:
            raise FileProblem(
                f"{where}: damaged: its content is not that of its sha256; a run's manifest is not "
                "for editing: train or import again with other settings"
            )
    return content


def imports_of(folder: Path) -> list[dict[str, str]]:
    """The files of the user's own parts that a run was made with.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Returns
    -------
    list of dict
        The name and sha256 of each; nothing is run.

    Raises
    ------
    FileProblem
        For a folder without a whole manifest.
    """
    return list(read_manifest(folder).get("imports", []))


def weights_content(
    stacked: dict[str, np.ndarray], given: dict[str, np.ndarray] | None = None
) -> bytes:
    """A safetensors file of weights (net, …) by name, and of arrays that the user gave in settings
    under 'given.…'."""
    arrays = {**stacked, **(given or {})}
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def write_weights(path: Path, stacked: dict[str, np.ndarray]) -> str:
    """Weights by name as a file of their own.

    Parameters
    ----------
    path : Path
        The file.
    stacked : dict of str to array (net, …)
        The weights of all networks.

    Returns
    -------
    str
        The file's SHA-256.
    """
    content = weights_content(stacked)
    write_bytes(path, content)
    return digest(content)


def parsed_weights(
    content: bytes, where: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The two sets of arrays of `weights_content`."""
    try:
        arrays = load(content)
    except Exception as error:  # of the library in Rust, and of dtypes that NumPy does not have
        raise FileProblem(f"{where}: damaged, not readable as safetensors ({error})") from None
    given = {name: a for name, a in arrays.items() if name.startswith("given.")}
    return {name: a for name, a in arrays.items() if name not in given}, given


def _first_difference(there: Any, here: Any, where: str = "") -> str | None:
    """In words, the first place in which two JSON values differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [*there, *(k for k in here if k not in there)]:
            place = f"{where}.{key}" if where else key
            found = _first_difference(there.get(key), here.get(key), place)
            if found:
                return found.replace(".settings.", ".")
        return None
    return None if there == here else f"{where} is {there!r} there, {here!r} here"
