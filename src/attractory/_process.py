"""Which process wrote something, and whether it still runs."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

_TOKEN = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-(\d{1,19})-(\d{1,19})")


@dataclass(frozen=True)
class Process:
    """A process as it can be told from all others.

    A number is given again to a later process, a number with its start is not.

    Attributes
    ----------
    host, boot : str
        Of the machine, and of this start of it (8 hexadecimal digits each).
    pid : int
        Its number.
    start : int
        When it was started, in the system's ticks; 0 where that is not known.
    """

    host: str
    boot: str
    pid: int
    start: int

    @classmethod
    def this(cls) -> Self:
        """The process that asks."""
        pid = os.getpid()
        return cls(*_machine(), pid, (_state_and_start(pid) or ("", 0))[1])

    @classmethod
    def from_token(cls, token: str) -> Self | None:
        """The process that a token names; None for text that is none."""
        found = _TOKEN.fullmatch(token)
        return found and cls(found[1], found[2], int(found[3]), int(found[4]))

    @property
    def token(self) -> str:
        """The process in letters that a file's name may have."""
        return f"{self.host}-{self.boot}-{self.pid}-{self.start}"

    def runs(self) -> bool | None:
        """Whether it still runs; None for one of another machine, which cannot be known here."""
        host, boot = _machine()
        if self.host != host:
            return None
        if self.boot != boot:
            return False
        if Path("/proc/self/stat").exists():
            found = _state_and_start(self.pid)
            return found is not None and found[0] not in "ZX" and found[1] == self.start
        return _is_alive(self.pid)


@cache
def _machine() -> tuple[str, str]:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""  # not known here: a process is told by its number alone
    return _short(platform.node()), _short(boot)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _state_and_start(pid: int) -> tuple[str, int] | None:
    """A process's state (Z: it has ended) and when it was started, in ticks; None without /proc."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = line.rpartition(")")[2].split()  # from the third on; the second, a name, may hold any
    return fields[0], int(fields[19])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
