"""Learning rules: each pure, with `init`, `update` and explicit state."""

from attractory.rules._bptt import BPTT
from attractory.rules._loss import mask_total, squared_error
from attractory.rules._rule import Metrics, Rule, RuleState

__all__ = ["BPTT", "Metrics", "Rule", "RuleState", "mask_total", "squared_error"]
