"""The rules by name."""

from __future__ import annotations

from attractory._registry import Registry
from attractory.rules._bptt import BPTT
from attractory.rules._force import FORCE
from attractory.rules._full_force import FullFORCE
from attractory.rules._reservoir import Reservoir
from attractory.rules._rule import Rule

_registry: Registry[Rule] = Registry(
    "rule",
    Rule,
    "attractory.rules",
    name_of=lambda rule: rule.__name__,
    known=(BPTT, FORCE, FullFORCE, Reservoir),
)
names, find, register = _registry.names, _registry.find, _registry.register
