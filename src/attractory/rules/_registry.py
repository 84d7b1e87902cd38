"""The rules by name."""

from __future__ import annotations

from attractory._registry import Registry
from attractory.rules._bptt import BPTT
from attractory.rules._eprop import EProp
from attractory.rules._force import FORCE
from attractory.rules._full_force import FullFORCE
from attractory.rules._perturbation import NodePerturbation, WeightPerturbation
from attractory.rules._reservoir import Reservoir
from attractory.rules._rflo import RFLO
from attractory.rules._rule import Rule

_registry: Registry[Rule] = Registry(
    "rule",
    Rule,
    "attractory.rules",
    name_of=lambda rule: rule.__name__,
    known=(
        BPTT,
        EProp,
        FORCE,
        FullFORCE,
        NodePerturbation,
        Reservoir,
        RFLO,
        WeightPerturbation,
    ),
)
names, find, register = _registry.names, _registry.find, _registry.register
