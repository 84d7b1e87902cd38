"""The YAML that is read here: names, numbers, words, lists and maps, of a bounded size.

YAML can say far more than a configuration needs: dates, classes, numbers in base 60, values that
contain themselves, and a few lines that stand for a billion values. Numbers and words are those of
YAML 1.2 (`no` is a word, `1e-3` a number), keys are names, and stand once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from attractory._errors import FileProblem, InvalidSetting, shown

MOST_BYTES = 100_000  # of a file; an own matrix of weights does not belong into one
MOST_LEVELS = 32  # of lists and maps within each other; what is asked for here has six
MOST_VALUES = 20_000  # with those that aliases repeat counted each time
MOST_LETTERS = 1000  # of a word or a number
MOST_DIGITS = 40

_PREFIX = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """SafeLoader's grammar, with limits while it reads and fewer kinds of values."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  as yaml declares it
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.level = 0
        self.values = 0
        self.sizes: dict[int, int] = {}  # of finished nodes: how many values each stands for

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        repeated = self.check_event(yaml.AliasEvent)
        mark = self.peek_event().start_mark
        self.level += 1
        if self.level > MOST_LEVELS:
            raise yaml.MarkedYAMLError(None, None, f"more than {MOST_LEVELS} levels", mark)
        before = self.values
        node = super().compose_node(parent, index)
        if not repeated:
            self.values += 1
            self.sizes[id(node)] = self.values - before
        elif id(node) in self.sizes:
            self.values += self.sizes[id(node)]
        else:
            raise yaml.MarkedYAMLError(None, None, "a value that contains itself", mark)
        if self.values > MOST_VALUES:
            raise yaml.MarkedYAMLError(None, None, f"more than {MOST_VALUES} values", mark)
        self.level -= 1
        return node

    def text_of(self, node: yaml.Node) -> str:
        text = str(self.construct_scalar(node))  # type: ignore[arg-type]
        if len(text) > MOST_LETTERS:
            raise _refused(node, f"a word of {len(text)} letters; at most {MOST_LETTERS}")
        return text

    def integer(self, node: yaml.Node) -> int:
        text = self.text_of(node)
        if len(text) > MOST_DIGITS:
            raise _refused(node, f"a number of {len(text)} digits; at most {MOST_DIGITS}")
        if not _integer.fullmatch(text):
            raise _refused(node, f"{shown(text)} is no whole number")
        return int(text)

    def real(self, node: yaml.Node) -> float:
        text = self.text_of(node)
        if not _real.fullmatch(text):
            raise _refused(node, f"{shown(text)} is no number")
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))

    def truth(self, node: yaml.Node) -> bool:
        text = self.text_of(node)
        if not _truth.fullmatch(text):
            raise _refused(node, f"{shown(text)} is neither true nor false")
        return text.lower() == "true"

    def nothing(self, node: yaml.Node) -> None:
        self.construct_scalar(node)  # type: ignore[arg-type]

    def items(self, node: yaml.Node) -> list[Any]:
        return list(self.construct_sequence(node, deep=True))  # type: ignore[arg-type]

    def unknown(self, node: yaml.Node) -> None:
        raise _refused(node, f"the tag {shown(node.tag.removeprefix(_PREFIX))} is not known here")

    def mapping(self, node: yaml.Node) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _refused(node, "a map was expected")
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused(key_node, f"key {shown(key)} is no name")
            if key in made:
                raise _refused(key_node, f"key {shown(key)} stands there twice")
            made[key] = self.construct_object(value_node, deep=True)
        return made


_integer = re.compile(r"[-+]?[0-9]+")
_real = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_truth = re.compile("true|True|TRUE|false|False|FALSE")
_nothing = re.compile("~|null|Null|NULL|")

for _name, _pattern, _first in [
    ("null", _nothing, ["~", "n", "N", ""]),
    ("bool", _truth, list("tTfF")),
    ("int", _integer, list("-+0123456789")),
    ("float", _real, list("-+0123456789.")),
]:
    _whole = re.compile(f"(?:{_pattern.pattern})$")  # yaml looks for a match at the beginning
    _Loader.add_implicit_resolver(_PREFIX + _name, _whole, _first)
for _name, _method in [
    ("null", _Loader.nothing),
    ("bool", _Loader.truth),
    ("int", _Loader.integer),
    ("float", _Loader.real),
    ("str", _Loader.text_of),
    ("seq", _Loader.items),
    ("map", _Loader.mapping),
]:
    _Loader.add_constructor(_PREFIX + _name, _method)
_Loader.add_constructor(None, _Loader.unknown)


def _refused(node: yaml.Node, problem: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(None, None, problem, node.start_mark)


def read_file(file: Path) -> dict[str, Any]:
    """The keys and values of a YAML file; FileProblem where it is none, or too large a one."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise FileProblem(f"{file}: cannot be read: {reason}") from None
    if len(content) > MOST_BYTES:
        raise FileProblem(f"{file}: not readable as YAML: more than {MOST_BYTES} bytes")
    try:
        values = _parsed(text)
    except yaml.YAMLError as error:
        raise FileProblem(f"{file}: not readable as YAML: {_reason(error)}") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise FileProblem(f"{file}: must hold keys and values, and holds {shown(values)}")
    return values


def read_value(name: str, text: str) -> Any:
    """The value that a piece of text stands for; InvalidSetting, with `name`, for an odd one."""
    try:
        return _parsed(text[: MOST_BYTES + 1])
    except yaml.YAMLError as error:
        raise InvalidSetting(
            f"{name} {shown(text)} is not allowed: the value is not readable ({_reason(error)})"
        ) from None


def _parsed(text: str) -> Any:
    if len(text) > MOST_BYTES:
        raise yaml.YAMLError(f"more than {MOST_BYTES} letters")
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _reason(error: yaml.YAMLError) -> str:
    """What is wrong, and where."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if problem is None or mark is None:
        return str(error)
    return f"line {mark.line + 1}: {problem}"
