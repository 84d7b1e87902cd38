"""How a user's own part becomes known by name: one class or function, one decorator at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, TypeVar

from attractory._errors import InvalidSetting, nearest, shown
from attractory._own_files import note_module

Part = TypeVar("Part")
AnyPart = TypeVar("AnyPart")


class Registry(Generic[Part]):
    """The parts of one kind by name: classes, functions, or records.

    Parameters
    ----------
    kind : str
        What one of them is called ("task").
    base : type or None
        The class that all classes come from; None where parts are no classes.
    place : str
        The public module that has `register`.
    name_of : callable
        The name of a part.
    known : iterable
        The package's own.
    decorator : str, optional
        What makes a part known, where it is not `place.register`.
    accepts : callable, optional
        Whether something is such a part, where it is no class of `base`.
    """

    every: ClassVar[list[Registry[Any]]] = []  # all kinds of parts that there are

    def __init__(
        self,
        kind: str,
        base: type | None,
        place: str,
        name_of: Callable[[Any], str],
        known: Iterable[Any] = (),
        decorator: str | None = None,
        accepts: Callable[[Any], bool] | None = None,
    ) -> None:
        self.kind, self.base, self.place, self.name_of = kind, base, place, name_of
        self.decorator = decorator or f"{place}.register"
        self.accepts = accepts or self._is_subclass
        self.parts: dict[str, Any] = {name_of(each): each for each in known}
        Registry.every.append(self)

    def names(self) -> list[str]:
        """The names of all that are registered.

        Returns
        -------
        list of str
            In alphabetical order.
        """
        return sorted(self.parts)

    def find(self, name: str) -> Any:
        """The part of this name.

        Parameters
        ----------
        name : str
            The name of a part.

        Returns
        -------
        object
            The class, function or record.

        Raises
        ------
        InvalidSetting
            It names the nearest one when there is none such.
        """
        if not isinstance(name, str) or name not in self.parts:
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise InvalidSetting(
                f"{self.kind} {shown(name)} is unknown ({article} {self.kind} of your own needs "
                f"{self.decorator} first, commands need --import FILE); {nearest(name, self.parts)}"
            )
        return self.parts[name]

    def register(self, part: AnyPart) -> AnyPart:
        """Make a user's part known, and return it, so that this can stand as a decorator.

        Parameters
        ----------
        part : object
            The class, function or record. One that is registered again replaces its older version.

        Returns
        -------
        object
            The same part.

        Raises
        ------
        InvalidSetting
            For what is no such part, and for the name of another one.
        """
        if not self.accepts(part):
            needed = f"{self.place}.{self.base.__name__}" if self.base else self.kind
            what = f"no subclass of {needed}" if self.base else f"no {self.kind}"
            raise InvalidSetting(f"register: {shown(part)} is {what}")
        name = self.name_of(part)
        known = self.parts.get(name)
        if known is not None and _origin(known) != _origin(part):
            raise InvalidSetting(f"register: the name {shown(name)} belongs to {_origin(known)}")
        self.parts[name] = part
        note_module(str(getattr(_written(part), "__module__", "")))
        return part

    def _is_subclass(self, part: Any) -> bool:
        return self.base is not None and isinstance(part, type) and issubclass(part, self.base)


def _origin(part: Any) -> str:
    """Where a part was written: a class or function, or a record of a function."""
    written = _written(part)
    return f"{written.__module__}.{written.__qualname__}"


def _written(part: Any) -> Any:
    """What the user wrote: a class or function, or the function of a record."""
    return part if hasattr(part, "__qualname__") else getattr(part, "function", part)
