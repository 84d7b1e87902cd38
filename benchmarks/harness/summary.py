"""From the rounds of a race to the numbers of a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.work import Work


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of some numbers."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        digits = 4 if self.median < 0.1 else 3 if self.median < 1 else 2
        low, high = (f"{value:.{digits}f}" for value in (self.lower, self.upper))
        return f"{self.median:.{digits}f} ({low}–{high})"


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles; of a single number that number, three times."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, lower, upper)


def ratios(seconds: Sequence[float], base: Sequence[float]) -> Spread:
    """How many times longer than `base`: quotients within a round, then median and quartiles."""
    return spread([one / other for one, other in zip(seconds, base, strict=True)])


def timed(result: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """Of a race of "ours" and one "peer" (and the limit): each, or None where it was not timed."""
    ours = peer = None
    for contender in result["contenders"]:
        if "unavailable" in contender or "arithmetic" in contender:
            continue
        if contender["library"] == "attractory":
            ours = contender
        else:
            peer = contender
    return {"ours": ours, "peer": peer}


def describe(result: dict[str, Any]) -> list[str]:
    """A race in lines of text, one a contender."""
    work = Work(**result["work"])
    lines = [str(work)]
    for contender in result["contenders"]:
        if "unavailable" in contender:
            lines.append(f"  {contender['name']:34} not available: {contender['unavailable']}")
            continue
        seconds = spread(contender["seconds"])
        rate = contender.get("arithmetic", work.arithmetic) / seconds.median / 1e9
        lines.append(
            f"  {contender['name']:34} {seconds!s:24} s {rate:7.1f} GFLOP/s, first step "
            f"{contender['first_step_seconds']:6.2f} s, "
            f"{contender['peak_memory_bytes'] / 2**20:6.0f} MiB"
        )
    return lines
