"""Results on disk: one JSON file a benchmark, with the machine that it was measured on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.machine import machine

RESULTS = Path(__file__).resolve().parents[1] / "results"


def write_results(name: str, results: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write `results` as folder/name.json; what was there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    text = json.dumps({"machine": machine(), **results}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    return file


def read_results(name: str, folder: Path = RESULTS) -> dict[str, Any] | None:
    """What `write_results` wrote; None when the benchmark was not run yet."""
    file = folder / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
