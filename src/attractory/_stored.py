"""Objects as JSON and arrays, and back: what results are written with. Nothing is unpickled."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from attractory._errors import FileProblem, InvalidSetting, shown
from attractory._settings import Settings

AnyClass = TypeVar("AnyClass", bound=type)
PACKAGE = __name__.partition(".")[0]
OF_RESULTS = ("evaluation", "analysis", "population")  # folders that are loaded when asked for


@dataclass(frozen=True)
class Kind:
    """How objects of a class are taken apart and made again.

    Attributes
    ----------
    name : str
        The name of the class.
    parts : callable
        The content of an object by name.
    made : callable
        An object from its parts by name.
    """

    name: str
    parts: Callable[[Any], dict[str, Any]]
    made: Callable[..., Any]


_kinds: dict[type, Kind] = {}
_families: dict[str, tuple[type, Callable[[Any], str], Callable[[str], type]]] = {}


def stored(kind: AnyClass) -> AnyClass:
    """Make a dataclass one that can be part of a file; a decorator.

    Parameters
    ----------
    kind : type
        The dataclass.

    Returns
    -------
    type
        The same class.
    """
    _kinds[kind] = Kind(kind.__name__, _fields, kind)
    return kind


def _fields(value: Any) -> dict[str, Any]:
    """What a dataclass is made of, by name."""
    return {field.name: getattr(value, field.name) for field in fields(value) if field.init}


def stored_as(kind: type, parts: Callable[[Any], dict[str, Any]], made: Callable[..., Any]) -> None:
    """Make another class one that can be part of a file.

    Parameters
    ----------
    kind : type
        The class.
    parts : callable
        The parts of an object by name.
    made : callable
        Takes the parts by name, and gives the object.
    """
    _kinds[kind] = Kind(kind.__name__, parts, made)


def stored_by_name(
    family: str, base: type, name_of: Callable[[Any], str], find: Callable[[str], type]
) -> None:
    """Have settings of a registered kind (tasks, models) stored by the name of their class.

    Parameters
    ----------
    family : str
        What one of the kind is called.
    base : type
        The class that all of them come from.
    name_of : callable
        The name of a class.
    find : callable
        The class of a name.
    """
    _families[family] = (base, name_of, find)


class Writer:
    """Takes objects apart.

    Attributes
    ----------
    arrays : dict of str to array
        Those met so far, by the names that stand for them.
    functions : set of str
        The names of those met, which are not stored.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.functions: set[str] = set()
        self._numbers: dict[int, int] = {}  # of objects that were met, by their identity
        self._met: list[Any] = []  # kept alive, so that no identity is used again

    def encoded(self, value: Any) -> Any:
        """A value in JSON's terms.

        Parameters
        ----------
        value : object
            What is written.

        Returns
        -------
        object
            What `Reader.decoded` makes the value of.

        Raises
        ------
        InvalidSetting
            For what cannot be written.
        """
        if value is None or isinstance(value, (bool, str, int)):
            return value
        if isinstance(value, float):
            return value if np.isfinite(value) else {"@float": repr(value)}
        if isinstance(value, np.generic):
            return self.encoded(value.item())
        if isinstance(value, complex):
            return {"@complex": [value.real, value.imag]}
        if isinstance(value, list):
            return [self.encoded(item) for item in value]
        if isinstance(value, tuple):
            return {"@tuple": [self.encoded(item) for item in value]}
        if isinstance(value, dict):
            return {"@dict": [[self.encoded(k), self.encoded(v)] for k, v in value.items()]}
        return self._once(value)

    def _once(self, value: Any) -> Any:
        """An object that may be met again: then only its number is written."""
        if id(value) in self._numbers:
            return {"@again": self._numbers[id(value)]}
        made = self._object(value)
        self._numbers[id(value)] = len(self._numbers)
        self._met.append(value)
        return made

    def _object(self, value: Any) -> Any:
        if isinstance(value, pd.DataFrame):
            columns = {str(name): value[name].to_numpy() for name in value.columns}
            return {"@table": self.encoded(columns), "index": self.encoded(value.index.to_numpy())}
        if isinstance(value, Settings):
            return self._settings(value)
        kind = _kinds.get(type(value))
        if kind is not None:
            parts = kind.parts(value)
            return {"@": kind.name, "of": {n: self.encoded(part) for n, part in parts.items()}}
        if hasattr(value, "__array__"):
            return self._array(np.asarray(value))
        if callable(value):
            name = getattr(value, "__name__", repr(value))
            self.functions.add(name)
            return {"@function": name}
        raise InvalidSetting(f"{shown(value)} of type {type(value).__name__} cannot be stored")

    def _settings(self, value: Settings) -> Any:
        said = {name: getattr(value, own) for name, own in value.setting_names().items()}
        of = {name: self.encoded(part) for name, part in said.items()}
        for family, (base, name_of, _) in _families.items():
            if isinstance(value, base):
                return {"@settings": [family, name_of(type(value))], "of": of}
        return {"@settings": ["", type(value).__name__], "of": of}

    def _array(self, array: np.ndarray) -> Any:
        if array.dtype.kind == "c":
            both = np.stack([array.real, array.imag])
            return {"@complex array": self._array(both)}
        if array.dtype.kind not in "biuf":
            text = array.dtype.kind == "U"
            return {"@objects": [self.encoded(item) for item in array.tolist()], "text": text}
        name = f"array_{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(array)
        return {"@array": name}


class Reader:
    """Makes objects again from what `Writer` made of them.

    Parameters
    ----------
    arrays : dict of str to array
        The arrays by the names that stand for them.
    functions : dict of str to callable
        Those that were among the parts, by the names of the fields that hold them.
    where : str
        The file, as messages name it.
    """

    def __init__(
        self, arrays: dict[str, np.ndarray], functions: dict[str, Any], where: str
    ) -> None:
        self.arrays, self.functions, self.where = arrays, functions, where
        self._met: list[Any] = []

    def decoded(self, content: Any, field: str = "") -> Any:
        """The value that was written.

        Parameters
        ----------
        content : object
            What `Writer.encoded` made of it.
        field : str
            The field that holds it.

        Returns
        -------
        object
            The value.

        Raises
        ------
        FileProblem
            For content that `Writer` does not write.
        InvalidSetting
            Where a function is missing.
        """
        if isinstance(content, list):
            return [self.decoded(item, field) for item in content]
        if not isinstance(content, dict):
            return content
        if "@again" in content:
            return self._met[content["@again"]]
        if "@float" in content:
            return float(content["@float"])
        if "@complex" in content:
            return complex(*content["@complex"])
        if "@tuple" in content:
            return tuple(self.decoded(item, field) for item in content["@tuple"])
        if "@dict" in content:
            return {self.decoded(key): self.decoded(value) for key, value in content["@dict"]}
        made = self._object(content, field)
        self._met.append(made)
        return made

    def _object(self, content: dict[str, Any], field: str) -> Any:
        if "@table" in content:
            columns = self.decoded(content["@table"])
            return pd.DataFrame(columns, index=self.decoded(content["index"]))
        if "@settings" in content:
            return self._settings(content["@settings"], content["of"])
        if "@array" in content:
            return self.arrays[content["@array"]]
        if "@complex array" in content:
            both = self.arrays[content["@complex array"]["@array"]]
            return both[0] + 1j * both[1]
        if "@objects" in content:
            items = self.decoded(content["@objects"])
            return np.array(items, dtype=None if content["text"] else object)
        if "@function" in content:
            return self._function(content["@function"], field)
        if "@" in content:
            return self._made(content["@"], content["of"])
        raise FileProblem(f"{self.where}: damaged: {shown(content)} is no part of a result")

    def _made(self, name: str, of: dict[str, Any]) -> Any:
        kind = _kind_named(name)
        if kind is not None:
            return kind.made(**{n: self.decoded(part, n) for n, part in of.items()})
        raise FileProblem(f"{self.where}: {shown(name)} is no part of a result that is known here")

    def _settings(self, named: list[str], of: dict[str, Any]) -> Any:
        family, name = named
        values = {n: self.decoded(part, n) for n, part in of.items()}
        if family in _families:
            return _families[family][2](name)(**values)
        for own in _all_settings(Settings):
            if own.__name__ == name:
                return own(**values)
        raise FileProblem(f"{self.where}: the settings {shown(name)} are not known here")

    def _function(self, name: str, field: str) -> Any:
        if field not in self.functions:
            raise InvalidSetting(
                f"{field} = None: this result was made with the function {name!r}, which is not "
                f"stored; hand it over: load(path, {field}=...)"
            )
        return self.functions[field]


def _kind_named(name: str) -> Kind | None:
    """The kind of this name: also a result's whose folder this process has not loaded yet."""
    for folder in ("", *OF_RESULTS):
        if folder:
            importlib.import_module(f"{PACKAGE}.{folder}")
        for kind in _kinds.values():
            if kind.name == name:
                return kind
    return None


def _all_settings(base: type) -> list[type]:
    found: list[type] = []
    below: list[type] = base.__subclasses__()
    for kind in below:
        found += [kind, *_all_settings(kind)]
    return found
