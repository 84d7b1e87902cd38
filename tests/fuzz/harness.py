"""Mutated inputs, and what every reader owes them: one line or the right answer, soon, in bounds.

A test is parametrised by `cases`: a sample in `make test`, the whole in `make test-slow`. It makes
each case by `mutated` or `mutated_json` and hands it to `refuses_or_reads`.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import attractory as at

LONGEST_LINE = 300  # letters of a refusal
LONGEST_SECONDS = 10.0
MEMORY_BASE, MEMORY_TIMES = 200 * 2**20, 10  # peak memory allowed: 10 times the file and 200 MB


def cases(sample: int, whole: int) -> pytest.MarkDecorator:
    """The test's argument `seeds`: a few of them in the quick run, all in the slow one."""
    many = pytest.param(range(whole), id="all", marks=pytest.mark.slow)
    return pytest.mark.parametrize("seeds", [pytest.param(range(sample), id="sample"), many])


def mutated(data: bytes, seed: int) -> bytes:
    """`data` with one to four of: bits flipped, bytes set, a part cut, doubled, zeroed or moved."""
    rng = random.Random(seed)
    made = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        if not made:
            break
        at_byte = rng.randrange(len(made))
        length = min(len(made) - at_byte, int(2 ** rng.uniform(0, 12)))
        part = made[at_byte : at_byte + length]
        kind = rng.choice(["flip", "flip", "set", "cut", "end", "double", "zero", "insert"])
        if kind == "flip":
            made[at_byte] ^= 1 << rng.randrange(8)
        elif kind == "set":
            made[at_byte] = rng.choice([0, 0xFF, 0x7F, 0x80, rng.randrange(256)])
        elif kind == "cut":
            del made[at_byte : at_byte + length]
        elif kind == "end":
            del made[at_byte:]
        elif kind == "double":
            made[at_byte:at_byte] = part
        elif kind == "zero":
            made[at_byte : at_byte + length] = bytes(length)
        else:
            made[at_byte:at_byte] = rng.randbytes(min(length, 64))
    return bytes(made)


# values of every kind that JSON and YAML can say, where another kind belongs
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2.5, -0.0, 1e308, float("inf"), float("nan"), 10**30, -(10**12),
    "", "x", "a\nb", "\0", "é" * 300, [], [1], [[1]], [None], {}, {"a": 1}, {"a": {"b": []}},
    "<script>alert(1)</script>", "../../etc/passwd", [1, "x", None], {"function": "f"},
)  # fmt: skip


def mutated_json(content: Any, seed: int) -> Any:
    """`content` with one or two values replaced, removed, added or renamed, at any depth."""
    rng = random.Random(seed)
    made = copy.deepcopy(content)
    for _ in range(rng.choice([1, 1, 2])):
        places = list(_places(made))
        if not places:
            return _strange(rng)
        holder, key = rng.choice(places)
        kind = rng.choice(["replace", "replace", "replace", "remove", "rename", "add"])
        if kind == "replace":
            holder[key] = _strange(rng)
        elif kind == "remove":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[str(key) + rng.choice(["_", "s", "\0", " "])] = holder.pop(key)
        elif isinstance(holder, dict):
            holder[rng.choice(["extra", "name", "seed", "units"])] = _strange(rng)
        else:
            holder.append(_strange(rng))
    return made


def _strange(rng: random.Random) -> Any:
    """A copy: the next change may be to something within it."""
    return copy.deepcopy(rng.choice(STRANGE))


def _places(content: Any) -> Any:
    """(holder, key) of every value inside."""
    if isinstance(content, dict):
        keys: Any = list(content)
    elif isinstance(content, list):
        keys = range(len(content))
    else:
        return
    for key in keys:
        yield content, key
        yield from _places(content[key])


def refuses_or_reads(read: Callable[[], Any], size: int, case: str) -> Any:
    """What `read` returns, or None where it refused in one line; fails on all else.

    size: bytes of the file or text that is read. Fails for another exception than
    AttractoryError, for a refusal that is no single line or too long, for more than 10 seconds,
    and for more memory than 10 times the size and 200 MB.
    """
    before = _reset_peak()
    begin = time.perf_counter()
    try:
        made = read()
    except at.AttractoryError as refusal:
        made = None
        line = str(refusal)
        assert "\n" not in line, f"{case}: a refusal of several lines: {line!r}"
        assert 0 < len(line) <= LONGEST_LINE, f"{case}: {len(line)} letters: {line[:400]!r}"
    seconds = time.perf_counter() - begin
    assert seconds < LONGEST_SECONDS, f"{case}: took {seconds:.1f} s"
    taken = _peak() - before
    allowed = MEMORY_BASE + MEMORY_TIMES * size
    assert taken <= allowed, f"{case}: {taken / 2**20:.0f} MB for {size} bytes"
    return made


def _reset_peak() -> int:
    """Have the system forget this process's peak memory (Linux); the memory in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 1 << 62  # not known here: nothing is measured
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return 0
