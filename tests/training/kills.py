"""A process that is killed, without a process: from some moment on nothing reaches the disk.

Every call that changes files is a moment: before it, and after it. `dying_at(k)` lets the first k
moments pass and then raises `Killed` from that call and from every later one, before it does
anything: clean-up code runs, but changes nothing, as if the process were gone. Open files are
closed (which gives up locks), as the system does.
"""

from __future__ import annotations

import builtins
import io
import os
from contextlib import contextmanager

import pytest

from attractory import _files
from attractory._process import Process


class Killed(BaseException):
    """The process is gone."""


class Moments:
    """How many moments have passed; at number `last` the process dies."""

    def __init__(self, last=None):
        self.passed, self.last, self.names = 0, last, []

    def pass_one(self, name):
        if self.last is not None and self.passed >= self.last:
            raise Killed(name)
        self.passed += 1
        self.names.append(name)

    def watched(self, name, function, changes=lambda *_, **__: True):
        def call(*arguments, **named):
            if not changes(*arguments, **named):
                return function(*arguments, **named)
            self.pass_one(f"before {name}")
            made = function(*arguments, **named)
            try:
                self.pass_one(f"after {name}")
            except Killed:
                _close(made)
                raise
            return made

        return call


def _close(opened):
    if isinstance(opened, io.IOBase):
        opened.close()
    elif isinstance(opened, int):
        os.close(opened)


def _writes(_file, mode="r", *_, **__):
    return any(letter in mode for letter in "wax+")


def _creates(_path, flags, *_, **__):
    return bool(flags & os.O_CREAT)


@contextmanager
def dying_at(last=None):
    """Let `last` moments pass, all of them when None; yields the `Moments`."""
    moments = Moments(last)
    this = Process.this()
    gone = Process(this.host, this.boot, 2**22 + 1, 1)  # a number that Linux gives to none
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "this", lambda: gone)
        for name in ("replace", "fsync", "unlink", "mkdir", "rmdir", "chmod", "ftruncate"):
            patch.setattr(os, name, moments.watched(name, getattr(os, name)))
        patch.setattr(os, "open", moments.watched("os.open", os.open, _creates))
        opened = moments.watched("open", io.open, _writes)
        patch.setattr(io, "open", opened)
        patch.setattr(builtins, "open", opened)
        patch.setattr(_files, "save_file", moments.watched("save_file", _files.save_file))
        yield moments
