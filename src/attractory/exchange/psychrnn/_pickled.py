"""What a pickle says, without unpickling it: nothing in it is imported, called or run.

Only its opcodes are read, as `pickletools` lists them, and names stand for what they name.
"""

from __future__ import annotations

import pickletools
import struct
import warnings
from dataclasses import dataclass
from typing import Any

_MOST_BYTES = 2**16  # of a pickle that is looked into: a function's name, a number, None
_MARK = object()
_EMPTY: dict[str, Any] = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE"),
    *("BINBYTES", "SHORT_BINBYTES"),
}
_PUT, _GET = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")


@dataclass(frozen=True)
class Named:
    """A function or class that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class Made:
    """What unpickling would make by calling `maker`."""

    maker: Any
    arguments: Any
    state: Any = None

    def __str__(self) -> str:
        return f"what {self.maker} makes"


def value_of_pickle(data: bytes) -> Any:
    """The value in the pickle of a NumPy array of one object; ValueError where it cannot be told.

    Numbers, strings and None are themselves; a function is its `Named`, what a call would make a
    `Made`. The ufuncs of NumPy, which are pickled as a call, are `Named`, too.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError(f"a pickle of {len(data)} bytes is not looked into")
    try:
        value = _read(data)
        if isinstance(value, Made) and _is(value.maker, "_reconstruct"):
            held = value.state[-1]
            if not isinstance(held, list) or len(held) != 1:
                raise ValueError("it holds more than one object")
            value = held[0]
        return _plain(value)
    # a damaged pickle puts anything in any place
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeError, struct.error) as error:
        raise ValueError(f"a damaged pickle ({type(error).__name__})") from None


def _plain(value: Any) -> Any:
    """NumPy's numbers and ufuncs, which are pickled as calls, as what they are."""
    if not isinstance(value, Made) or not isinstance(value.arguments, tuple):
        return value
    arguments = value.arguments
    texts = all(isinstance(each, str) for each in arguments)
    if _is(value.maker, "_ufunc_reconstruct") and len(arguments) == 2 and texts:
        return Named(*arguments)
    if _is(value.maker, "scalar") and len(arguments) == 2:
        return _number(*arguments)
    return value


def _number(dtype: Any, data: Any) -> Any:
    """A float of NumPy from its bytes, which old protocols keep as text."""
    if isinstance(data, Made) and str(data.maker) == "_codecs.encode":
        data = data.arguments[0].encode("latin-1")
    elif isinstance(data, str):
        data = data.encode("latin-1")
    form = {("f4", 4): "<f", ("f8", 8): "<d"}.get((dtype.arguments[0], len(data)))
    if form is None or dtype.state[1] != "<":
        raise ValueError("a number of a type that is not read")
    return struct.unpack(form, data)[0]


def _is(maker: Any, name: str) -> bool:
    return isinstance(maker, Named) and maker.name == name and maker.module.startswith("numpy")


def _read(data: bytes) -> Any:
    """The object, by a stack of values as unpickling has it."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in damaged texts
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name == "STOP":
                return stack.pop()
            _apply(opcode.name, argument, stack, memo)
    raise ValueError("a pickle without an end")


def _apply(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    if name in ("PROTO", "FRAME"):
        return
    if name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name in _EMPTY:
        stack.append(_EMPTY[name]())
    elif name in _VALUES:
        stack.append(argument)
    elif name == "MARK":
        stack.append(_MARK)
    elif name in _PUT:
        memo[int(argument)] = stack[-1]
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in _GET:
        stack.append(memo[int(argument)])
    elif name == "GLOBAL":
        module, _, function = argument.partition(" ")
        stack.append(Named(module, function))
    else:
        _combine(name, stack)


def _combine(name: str, stack: list[Any]) -> None:
    """Opcodes that take values from the stack."""
    if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        count = int(name[-1])
        stack[-count:] = [tuple(stack[-count:])]
    elif name in ("TUPLE", "LIST"):
        items = _to_mark(stack)
        stack.append(tuple(items) if name == "TUPLE" else items)
    elif name == "APPEND":
        value = stack.pop()
        stack[-1].append(value)
    elif name == "APPENDS":
        items = _to_mark(stack)
        stack[-1].extend(items)
    elif name == "STACK_GLOBAL":
        function = stack.pop()
        stack[-1] = Named(str(stack[-1]), str(function))
    elif name in ("REDUCE", "NEWOBJ"):
        arguments = stack.pop()
        stack[-1] = Made(stack[-1], arguments)
    elif name == "BUILD":
        state = stack.pop()
        stack[-1].state = state
    elif name in ("SETITEM", "SETITEMS"):
        items = [stack.pop(), stack.pop()] if name == "SETITEM" else _to_mark(stack)
        stack[-1]["items"] = items
    else:
        raise ValueError(f"an opcode {name} that is not read")


def _to_mark(stack: list[Any]) -> list[Any]:
    """The values above the last mark, which goes, too."""
    place = max(i for i, value in enumerate(stack) if value is _MARK)
    items = stack[place + 1 :]
    del stack[place:]
    return items
