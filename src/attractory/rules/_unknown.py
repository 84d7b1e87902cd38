"""What stands for a run's rule in a process that does not know it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, NoReturn

from pydantic import ConfigDict

from attractory._errors import InvalidSetting
from attractory._settings import as_json
from attractory.rules._rule import Rule


class UnknownRule(Rule):
    """The rule of a run whose class is not known in this process: its name and settings."""

    model_config = ConfigDict(extra="allow")

    missing: ClassVar[str] = ""  # the line that says so, and what makes it known

    @staticmethod
    def named(name: str, settings: dict[str, Any], missing: str) -> UnknownRule:
        """The stand-in for a rule.

        Parameters
        ----------
        name : str
            The name of the rule.
        settings : dict
            Its settings, in JSON's terms or with their arrays.
        missing : str
            The line that is raised where the rule itself is needed.

        Returns
        -------
        UnknownRule
            It is equal to another one of the same name and settings.
        """
        return _class_named(name, missing)(**settings)

    def to_json(self) -> dict[str, Any]:
        """The settings as the run keeps them.

        Returns
        -------
        dict
            Values by the names of the settings.
        """
        return {**super().to_json(), **as_json(self.model_extra or {})}

    def adapt(self, *_: Any) -> NoReturn:
        raise InvalidSetting(self.missing)

    def init(self, *_: Any) -> NoReturn:
        raise InvalidSetting(self.missing)

    def update(self, *_: Any, **__: Any) -> NoReturn:
        raise InvalidSetting(self.missing)

    def slowed(self, *_: Any) -> NoReturn:
        raise InvalidSetting(self.missing)


@lru_cache(maxsize=64)
def _class_named(name: str, missing: str) -> type[UnknownRule]:
    """A class of the rule's name, by which rules are told apart."""

    class Named(UnknownRule):
        pass

    Named.__name__ = Named.in_words = name
    Named.missing = missing
    return Named
