"""The files of a run's folder: who owns it, its manifest, its arrays."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from attractory._errors import FileProblem
from attractory._files import read_json, replacing, write_json
from attractory._settings import as_json

SCHEMA = 1
MANIFEST, NETWORKS, HISTORY, CHECKPOINTS = (
    "manifest.json",
    "networks.safetensors",
    "history.csv",
    "checkpoints",
)

_packages = ("attractory", "jax", "jaxlib", "equinox", "optax", "numpy", "scipy", "scikit-learn")


def claim_folder(folder: Path, config: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of this very run when the folder holds it; None when the folder is free.

    Raises FileProblem when the folder holds another run, other files, or cannot be written.
    """
    if (folder / MANIFEST).exists():
        manifest = read_manifest(folder)
        difference = _first_difference(manifest["config"], as_json(config))
        if difference:
            raise FileProblem(
                f"{folder}: this folder belongs to another run ({difference}); choose another one"
            )
        return manifest
    try:
        taken = sorted(p.name for p in folder.iterdir()) if folder.exists() else []
    except NotADirectoryError:
        raise FileProblem(f"{folder}: this is a file; a run needs a folder") from None
    except OSError as error:
        raise FileProblem(f"{folder}: cannot be read: {error.strerror}") from None
    if taken:
        raise FileProblem(
            f"{folder}: this folder holds other files (such as {taken[0]}) and no run; "
            "choose an empty or a new one"
        )
    return None


def write_manifest(
    folder: Path, config: dict[str, Any], status: str, rows: list[dict[str, Any]]
) -> None:
    """manifest.json: what the run is, with which versions it was made, and how each net stands."""
    content = {
        "schema": SCHEMA,
        "status": status,
        "config": config,
        "networks": rows,
        "versions": package_versions(),
        "machine": {"cpu": platform.machine(), "devices": [str(d) for d in jax.devices()]},
    }
    write_json(folder / MANIFEST, as_json(content))


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    versions = {name: importlib.metadata.version(name) for name in _packages}
    return {"python": platform.python_version(), **versions}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder, checked for its outline."""
    if not folder.exists():
        raise FileProblem(f"{folder}: there is no such run folder")
    manifest = read_json(folder / MANIFEST)
    for key in ("schema", "status", "config", "networks"):
        if not isinstance(manifest, dict) or key not in manifest:
            raise FileProblem(f"{folder / MANIFEST}: damaged: {key!r} is missing")
    if manifest["schema"] != SCHEMA:
        raise FileProblem(
            f"{folder / MANIFEST}: schema = {manifest['schema']!r}; this version reads {SCHEMA}"
        )
    return manifest


def write_weights(
    path: Path, stacked: dict[str, np.ndarray], given: dict[str, np.ndarray] | None = None
) -> None:
    """Weights (net, …) by name, and arrays that the user gave in settings under 'given.…'."""
    arrays = {**stacked, **(given or {})}
    with replacing(path) as beside:
        save_safetensors(arrays, beside)


def save_safetensors(
    arrays: dict[str, np.ndarray], path: Path, metadata: dict[str, str] | None = None
) -> None:
    """safetensors' save_file, with a full disk seen as the OSError that it is."""
    try:
        save_file({n: np.ascontiguousarray(a) for n, a in arrays.items()}, path, metadata)
    except SafetensorError as error:
        raise OSError(None, str(error)) from None


def read_weights(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The two sets of arrays that `write_weights` wrote."""
    if not path.exists():
        raise FileProblem(f"{path}: this file is missing")
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise FileProblem(f"{path}: damaged, not readable as safetensors ({error})") from None
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
