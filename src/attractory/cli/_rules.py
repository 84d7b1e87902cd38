"""What `attractory rules` prints: the rules, losses and penalties by name, or one of them."""

from __future__ import annotations

import inspect
from typing import Any

from rich.console import Console

from attractory import rules
from attractory._errors import InvalidSetting, nearest, shown
from attractory._registry import Registry
from attractory.cli._tables import flowing, table
from attractory.training import PROTOCOLS

DEFAULT = "default"
OF_RECIPE = "What the recipe of the task says (`attractory tasks NAME` shows it)."


def names_in_words() -> str:
    """All names, a paragraph for each kind, and where more is said of one."""
    listed = [f"{kind.capitalize()}: {', '.join(parts)}." for kind, parts in _kinds().items()]
    return "\n\n".join([*listed, "`attractory rules NAME` says what one of them is."])


def print_all(console: Console) -> None:
    """A table for each kind, with a line for each name."""
    kinds = _kinds()
    longest = max(len(name) for parts in kinds.values() for name in parts)
    for kind, parts in kinds.items():
        rows = table(kind, "what it is", words=2)
        rows.columns[0].min_width = longest  # names are typed: never cut
        for name, part in parts.items():
            rows.add_row(name, _words_of(part).splitlines()[0])
        console.print(rows)


def print_one(console: Console, name: str) -> None:
    """What has this name: in words, and its settings with what they usually are."""
    kinds = _kinds()
    having = {kind: parts[name] for kind, parts in kinds.items() if name in parts}
    if name in rules.names():  # the class of a rule that is listed by its name for the commands
        having["rule"] = rules.find(name)
    if not having:
        known = [each for parts in kinds.values() for each in parts]
        raise InvalidSetting(f"{shown(name)} is no {' or '.join(kinds)}; {nearest(name, known)}")
    for kind, part in having.items():
        console.print(f"{kind} {name}", highlight=False, style="bold")
        console.print(flowing(_words_of(part)), highlight=False, markup=False)
        settings = _settings(part)
        if settings:
            rows = table("setting", "usually", words=2)
            for setting, value in settings.items():
                rows.add_row(setting, value)
            console.print(rows)


def _kinds() -> dict[str, dict[str, Any]]:
    """All that a rule is, or is made of: by kind and name."""
    kinds = [each for each in Registry.every if each.place == "attractory.rules"]
    found = {each.kind: {name: each.find(name) for name in each.names()} for each in kinds}
    return {"rule": _rules(), **{kind: parts for kind, parts in found.items() if kind != "rule"}}


def _rules() -> dict[str, Any]:
    """As `attractory train --rule` takes them; each once, though it may know another name, too."""
    protocols = list(PROTOCOLS.values())
    others = {name: rules.find(name) for name in rules.names()}
    alone = {name: rule for name, rule in others.items() if rule not in protocols}
    return {DEFAULT: None, **PROTOCOLS, **alone}


def _words_of(part: Any) -> str:
    """The docstring of a class or function, or of the function of a record."""
    if part is None:
        return OF_RECIPE
    written = part if hasattr(part, "__qualname__") else getattr(part, "function", type(part))
    return inspect.cleandoc(written.__doc__ or written.__qualname__)


def _settings(part: Any) -> dict[str, str]:
    """What can be set, and what it usually is."""
    if inspect.isclass(part) and issubclass(part, rules.Rule):
        return {name: _usual(field) for name, field in part.model_fields.items()}
    if part in PROTOCOLS.values():
        made = part()
        return {name: str(getattr(made, name)) for name in type(made).model_fields}
    return {name: str(value) for name, value in getattr(part, "defaults", {}).items()}


def _usual(field: Any) -> str:
    return "needed" if field.is_required() else str(field.get_default(call_default_factory=True))
