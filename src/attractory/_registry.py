"""How a user's own part becomes known by name: one class, one decorator at its definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, cast

from attractory._errors import InvalidSetting, nearest, shown

Part = TypeVar("Part")
AnyClass = TypeVar("AnyClass", bound=type)


class Registry(Generic[Part]):
    """The classes of one kind by name.

    kind: what one of them is called ("task"). base: the class that all of them come from. place:
    the public module that has `register`. name_of: the name of a class. known: the package's own.
    """

    def __init__(
        self,
        kind: str,
        base: type,
        place: str,
        name_of: Callable[[Any], str],
        known: Iterable[type[Part]],
    ) -> None:
        self.kind, self.base, self.place, self.name_of = kind, base, place, name_of
        self.classes: dict[str, type[Part]] = {name_of(each): each for each in known}

    def names(self) -> list[str]:
        """The names of all that are registered."""
        return sorted(self.classes)

    def find(self, name: str) -> type[Part]:
        """The class of this name; InvalidSetting names the nearest one when there is none such."""
        if not isinstance(name, str) or name not in self.classes:
            raise InvalidSetting(
                f"{self.kind} {shown(name)} is unknown (a {self.kind} of your own needs "
                f"{self.place}.register first); {nearest(name, self.classes)}"
            )
        return self.classes[name]

    def register(self, part: AnyClass) -> AnyClass:
        """Make a user's class known, and return it, so that this can stand as a decorator.

        Registering a class again replaces the older version of it; the name of another class is
        refused with InvalidSetting.
        """
        if not (isinstance(part, type) and issubclass(part, self.base)):
            needed = f"{self.place}.{self.base.__name__}"
            raise InvalidSetting(f"register: {shown(part)} is no subclass of {needed}")
        name = self.name_of(part)
        known = self.classes.get(name)
        if known is not None and _origin(known) != _origin(part):
            raise InvalidSetting(f"register: the name {shown(name)} belongs to {_origin(known)}")
        self.classes[name] = cast(type[Part], part)
        return part


def _origin(part: type) -> str:
    return f"{part.__module__}.{part.__qualname__}"
