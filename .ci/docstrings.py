"""Are the public docstrings in NumPy's style? Part of `make lint`, with numpydoc's own checks.

Public is what a name in `__all__` leads to, with its public methods and properties; a method
that is overridden without words of its own has those of its base class, and so has a field.
Results (dataclasses: the package makes them, a user reads them) list their fields under
Attributes, all else lists what is given to it under Parameters. Left out are the checks for what
is not asked of every docstring here: examples, cross-references, an extended summary, and a verb
to begin with.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate
from pydantic import BaseModel

ROOMS = (
    "tasks", "models", "rules", "training", "runs", "evaluation", "analysis", "exchange",
    "population", "figures", "report", "sweeps", "reproduce",
)  # fmt: skip
CHECKS = {
    "GL03", "GL05", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04", "SS06",
    "PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR08", "PR09", "PR10",
    "RT01", "RT03", "RT04", "RT05", "YD01",
}  # fmt: skip


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions that a module's `__all__` leads to, with their full names."""
    for name in getattr(module, "__all__", []):
        part = getattr(module, name)
        of_this_package = getattr(part, "__module__", "").startswith("attractory")
        if (inspect.isclass(part) or inspect.isfunction(part)) and of_this_package:
            yield f"{module.__name__}.{name}", part


def methods(name: str, owner: type) -> Iterator[tuple[str, Any]]:
    """A class's own methods and properties; not one whose words are those of its base class."""
    for member, value in vars(owner).items():
        kinds = (property, classmethod, staticmethod)
        described = inspect.isfunction(value) or isinstance(value, kinds)
        overrides = any(hasattr(base, member) for base in owner.__mro__[1:])
        inherits_words = overrides and value.__doc__ is None
        if described and not inherits_words and not member.startswith("_"):
            yield f"{name}.{member}", getattr(owner, member)


def fields_of(part: Any) -> tuple[str, set[str]]:
    """The section in which a class lists its fields, and its own public fields."""
    if not inspect.isclass(part):
        return "", set()
    own = {name for name in inspect.get_annotations(part) if not name.startswith("_")}
    if issubclass(part, BaseModel):
        return "Parameters", own & set(part.model_fields)
    if dataclasses.is_dataclass(part):
        return "Attributes", own & {field.name for field in dataclasses.fields(part)}
    return "", set()


def faults(name: str, part: Any) -> list[str]:
    errors = validate(get_doc_object(part))["errors"]
    found = {code: message for code, message in errors if code in CHECKS}
    section, fields = fields_of(part)
    if section:
        # numpydoc reads the constructor's signature, where inherited fields stand too
        for code in ("PR01", "PR02", "PR03"):
            found.pop(code, None)
        documented = [entry.name for entry in get_doc_object(part)[section]]
        names = {one.strip() for entry in documented for one in entry.split(",")}
        if fields - names:
            found["PR01"] = f"Fields {sorted(fields - names)} are not under {section}"
        if names - set(dir(part)) - all_fields(part):
            found["PR02"] = f"Unknown names under {section}: {sorted(names - all_fields(part))}"
    return [f"{name}: {code} {message}" for code, message in sorted(found.items())]


def all_fields(part: Any) -> set[str]:
    if issubclass(part, BaseModel):
        return set(part.model_fields)
    return {field.name for field in dataclasses.fields(part)}


def main(wanted: list[str]) -> int:
    """The faults of the rooms that are named, of all of them without a name."""
    warnings.simplefilter("ignore")  # an unknown section is GL06 besides
    lines: list[str] = []
    seen: set[int] = set()
    rooms = [f"attractory.{room}" for room in wanted or ROOMS]
    for module in [*([] if wanted else ["attractory"]), *rooms]:
        for name, part in public(importlib.import_module(module)):
            if id(part) in seen:
                continue
            seen.add(id(part))
            lines += faults(name, part)
            if inspect.isclass(part):
                for member in methods(name, part):
                    lines += faults(*member)
    print("\n".join(lines) or "Every public docstring is in NumPy's style.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
