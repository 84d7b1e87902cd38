"""What the benchmarks share: the work, the race of the contenders, the machine, the results."""

from harness.machine import machine
from harness.options import Options
from harness.race import BF16_LIMIT, FLOAT32_LIMIT, Contender, race
from harness.results import read_results, write_results
from harness.summary import Spread, describe, ratios, spread, timed
from harness.work import Work

__all__ = [
    "BF16_LIMIT",
    "FLOAT32_LIMIT",
    "Contender",
    "Options",
    "Spread",
    "Work",
    "describe",
    "machine",
    "race",
    "ratios",
    "read_results",
    "spread",
    "timed",
    "write_results",
]
