"""A contender's process: does training steps on request, and says how long they took.

    python benchmarks/worker.py LIBRARY PRECISION DEVICE

A JSON object a line on standard input, one a line back on standard output:

    {"prepare": {"units": 400, "batch": 128, "steps": 340, "networks": 1, ...}}
        -> {"first_step_seconds": 1.9, "memory_before_bytes": ..., "versions": {...}}
    {"go": 5}        -> {"seconds": 0.31}          of one step, mean over the five
    {"memory": true} -> {"peak_memory_bytes": ...}
    anything that cannot be done -> {"problem": "why"}
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from contenders import CONTENDERS
from contenders.contender import Contender
from harness.work import Work


def main() -> None:
    library, precision, device = sys.argv[1:4]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    contender: Contender | None = None
    for line in sys.stdin:
        try:
            if contender is None:
                contender = CONTENDERS[library](precision, device)
            answer = _answer(contender, json.loads(line))
        except Exception as problem:
            message = str(problem).strip().splitlines() or [""]
            answer = {"problem": f"{type(problem).__name__}: {message[0][:200]}"}
        answers.write(json.dumps(answer) + "\n")


def _answer(contender: Contender, request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"prepare": sizes}:
            before = _peak_memory()
            began = time.perf_counter()
            contender.prepare(Work(**sizes))
            contender.go(1)
            return {
                "first_step_seconds": time.perf_counter() - began,
                "memory_before_bytes": before,
                **contender.about(),
            }
        case {"go": steps}:
            began = time.perf_counter()
            contender.go(steps)
            return {"seconds": (time.perf_counter() - began) / steps}
        case {"memory": _}:
            return {"peak_memory_bytes": contender.device_memory() or _peak_memory()}
    raise ValueError(f"{request} is no request")


def _peak_memory() -> int:
    """The most memory that this process ever held, in bytes.

    Linux keeps it for the program that runs now; getrusage would also count the process it was
    forked from.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage if sys.platform == "darwin" else usage * 1024


if __name__ == "__main__":
    main()
