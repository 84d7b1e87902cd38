"""What every result can do: be saved and loaded, be tables, be shown in a few lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from attractory._errors import AttractoryError, FileProblem
from attractory._files import as_path, parsed_json, read_bytes, write_bytes
from attractory._shown import Shown, as_html
from attractory._stored import Reader, Writer, stored

SCHEMA = 1  # of the files; a file of a later one is refused


class Result(Shown):
    """Base of results: frozen dataclasses of arrays, numbers and parts that are such themselves.

    Every subclass can be part of a file. `save` writes one file (safetensors; all that is not an
    array as JSON in its metadata), `load` gives the same result again.
    """

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        stored(cls)

    def summary(self) -> dict[str, Any]:
        """The numbers and words of the result, without its arrays and parts.

        Returns
        -------
        dict
            Values by the names of their fields.
        """
        plain = (bool, int, float, str)
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, plain)}

    def table(self) -> pd.DataFrame:
        """The result as a table.

        Returns
        -------
        pandas.DataFrame
            Of a result without rows of its own, its summary in one row.
        """
        return pd.DataFrame([self.summary()])

    def save(self, path: str | Path) -> Path:
        """Write the result to one file.

        Parameters
        ----------
        path : str or Path
            The file, replaced where it exists.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InvalidSetting
            Where a part cannot be stored.
        FileProblem
            Where the file cannot be written.
        """
        file = as_path(path)
        write_bytes(file, encoded(self))
        return file

    @classmethod
    def load(cls, path: str | Path, **functions: Any) -> Self:
        """The result that `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.
        **functions : callable
            Those that were among its parts (a step, an activation of your own), by name.

        Returns
        -------
        Result
            Of the class that is asked.

        Raises
        ------
        FileProblem
            For a file that is missing, damaged, of a later version or of another kind of result.
        InvalidSetting
            Where a function is missing.
        """
        file = as_path(path)
        result, _ = decoded(read_bytes(file), str(file), functions)
        if not isinstance(result, cls):
            raise FileProblem(f"{file}: this is a {type(result).__name__}, no {cls.__name__}")
        return result

    def _repr_html_(self) -> str:
        """What a notebook shows: the statement, where there is one, and the table."""
        return as_html(type(self).__name__, self.table(), getattr(self, "statement", ""))


def encoded(result: Any, about: dict[str, Any] | None = None) -> bytes:
    """A result as the content of a file.

    Parameters
    ----------
    result : object
        The result.
    about : dict, optional
        What else its metadata says, in JSON's terms.

    Returns
    -------
    bytes
        The content.
    """
    writer = Writer()
    content = {"schema": SCHEMA, "about": about or {}, "result": writer.encoded(result)}
    text = json.dumps(content, allow_nan=False)
    metadata = {"result": text, "sha256": content_digest(text, writer.arrays)}
    return bytes(save_arrays(writer.arrays, metadata))


def decoded(content: bytes, where: str, functions: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The result in a file's content, and what else its metadata says.

    Parameters
    ----------
    content : bytes
        What the file holds.
    where : str
        The file, as messages name it.
    functions : dict of str to callable
        Those that were among the parts, by the names of the fields that hold them.

    Returns
    -------
    result : object
        The result.
    about : dict
        What else the metadata says.

    Raises
    ------
    FileProblem
        For content that is none, damaged, or of another version.
    """
    metadata, arrays = _read(content, where)
    text = metadata.get("result", "")
    if metadata.get("sha256") != content_digest(text, arrays):
        raise FileProblem(f"{where}: damaged: its content is not that of its SHA-256")
    said = parsed_json(text, where, not_finite=False)
    if said["schema"] != SCHEMA:
        raise FileProblem(
            f"{where}: written by another version (schema {said['schema']}; here {SCHEMA}); "
            "compute it again"
        )
    try:
        return Reader(arrays, functions, where).decoded(said["result"]), said["about"]
    except AttractoryError:
        raise
    except Exception as error:  # whatever a constructor says to parts that are none of its own
        kind = type(error).__name__
        raise FileProblem(f"{where}: its parts make no result ({kind}: {error})") from error


def _read(content: bytes, where: str) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Metadata and arrays of a safetensors file."""
    try:
        arrays = load_arrays(content)
        length = int.from_bytes(content[:8], "little")  # of the header, which is JSON
        header = json.loads(content[8 : 8 + length])
        return dict(header.get("__metadata__") or {}), arrays
    except Exception as error:  # of the library in Rust, and of dtypes that NumPy does not have
        raise FileProblem(f"{where}: damaged, not readable as a result ({error})") from None


def content_digest(text: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of a text and of arrays by name."""
    found = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(json.dumps([name, str(array.dtype), list(array.shape)]).encode())
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()
