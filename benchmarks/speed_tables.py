"""The tables of docs/speed.md, as Markdown, from the results of the benchmarks."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from harness import Work, ratios, spread, timed

PUBLISHED_STEPS = 4700  # 601 000 trials in batches of 128: 20 epochs of 30 050 trials
NAMES = {"units": "units", "steps": "time steps", "batch": "batch", "networks": "networks"}


def machine_text(machine: dict[str, Any], results: dict[str, Any]) -> str:
    """Where and when, and the versions of everybody."""
    devices = {
        contender["device_kind"]
        for race in results.values()
        for contender in race.get("contenders", ())
        if contender["device"] != "cpu" and "device_kind" in contender
    }
    versions = dict(machine["versions"])
    for race in results.values():
        for contender in race.get("contenders", ()):
            versions.update(contender.get("versions", {}))
    place = [*sorted(devices), f"{machine['processor']}, {machine['cores']} cores"]
    if machine["bfloat16"]:
        place.append("multiplies bfloat16 by itself")
    place += [f"{machine['memory_gib']:.0f} GiB of memory", f"Python {machine['python']}"]
    named = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    return f"Measured on {machine['date']}: {', '.join(place)}.\n\nVersions: {named}."


def step_table(result: dict[str, Any]) -> str:
    """A race: seconds a step, how many times ours, arithmetic a second, first step, memory."""
    work = Work(**result["work"])
    there = [c for c in result["contenders"] if "unavailable" not in c]
    ours = next((c for c in there if c["library"] == "attractory"), None)
    limit = next((c for c in there if c["library"] == "numpy"), None)
    rows = []
    for contender in result["contenders"]:
        if "unavailable" in contender:
            reason = contender["unavailable"].split(": ", 1)[-1]
            rows.append([contender["name"], f"not available here ({reason})", *[""] * 5])
            continue
        is_limit = "arithmetic" in contender
        rate = contender.get("arithmetic", work.arithmetic) / spread(contender["seconds"]).median
        share = rate / (limit["arithmetic"] / spread(limit["seconds"]).median) if limit else None
        compared = ratios(contender["seconds"], ours["seconds"]) if ours else None
        rows.append(
            [
                f"*{contender['name']}*" if is_limit else contender["name"],
                "" if is_limit else str(spread(contender["seconds"])),
                "" if is_limit or compared is None or contender is ours else str(compared),
                f"{rate / 1e9:.0f}",
                "" if share is None else f"{share * 100:.0f} %",
                "" if is_limit else f"{contender['first_step_seconds']:.1f}",
                "" if is_limit else f"{contender['peak_memory_bytes'] / 2**20:.0f}",
            ]
        )
    head = ["", "seconds a step (quartiles)", "times ours (quartiles)", "GFLOP/s"]
    head += ["share of NumPy's", "first step (s)", "peak memory (MiB)"]
    if limit is None:
        head, rows = _without(head, rows, "share of NumPy's")
    return f"{str(work).capitalize()}: {work.arithmetic / 1e9:.1f} GFLOP.\n\n{_table(head, rows)}"


def growth_table(results: dict[str, Any]) -> str:
    """Each quantity from its smallest to its largest work: by what factor the cost grew."""
    rows = []
    for quantity, name in NAMES.items():
        races = results[quantity]["races"]
        for which in ("ours", "peer"):
            pairs = [(race["work"], timed(race)[which]) for race in races]
            there = [(work, contender) for work, contender in pairs if contender is not None]
            if there:
                rows.append(_grown(quantity, name, there))
    head = ["", "", "seconds a step", "grew by", "arithmetic grew by", "peak memory (MiB)"]
    return _table(head, rows)


def _grown(quantity: str, name: str, there: Sequence[tuple[dict, dict]]) -> list[str]:
    (small, first), (large, last) = there[0], there[-1]
    seconds = [spread(contender["seconds"]).median for contender in (first, last)]
    memory = [contender["peak_memory_bytes"] / 2**20 for contender in (first, last)]
    return [
        f"{name} {small[quantity]} → {large[quantity]}",
        first["name"],
        f"{seconds[0]:.3g} → {seconds[1]:.3g}",
        f"{seconds[1] / seconds[0]:.1f}",
        f"{Work(**large).arithmetic / Work(**small).arithmetic:.0f}",
        f"{memory[0]:.0f} → {memory[1]:.0f}",
    ]


def trained_table(results: dict[str, Any], steps: dict[str, Any] | None) -> str:
    """Every recipe: medians over its seeds, and the worst of each where it matters."""
    rows = []
    for name, recipe in results["recipes"].items():
        runs = recipe["runs"]
        error, signs = [r["mse"] for r in runs], [r["accuracy"] for r in runs]
        seconds = [r["seconds"] for r in runs]
        rows.append(
            [
                f"{name}, {recipe['model']['units']} units",
                f"{sum(r['trained'] for r in runs)} of {len(runs)}",
                f"{statistics.median(seconds):.0f} ({min(seconds):.0f}–{max(seconds):.0f})",
                f"{statistics.median(r['trials'] for r in runs):.0f}",
                f"{statistics.median(error):.4f} ({max(error):.4f})",
                f"{statistics.median(signs) * 100:.2f} % ({min(signs) * 100:.2f} %)",
                f"{statistics.median(r['on_circle'] for r in runs) * 100:.0f} %",
            ]
        )
    head = ["", "trained", "seconds (range)", "trials", "error (worst)", "correct signs (worst)"]
    return _table([*head, "near the circle"], rows) + _published(steps)


def _published(steps: dict[str, Any] | None) -> str:
    """What the published protocol takes at a peer's speed: computed, not run."""
    if steps is None:
        return ""
    peers = [
        (contender["name"], spread(contender["seconds"]).median)
        for contender in steps["paper"]["contenders"]
        if contender["library"].startswith("keras")
        and contender["precision"] == "float32"
        and "unavailable" not in contender
    ]
    if not peers:
        return ""
    name, seconds = min(peers, key=lambda peer: peer[1])
    return (
        f"\n\nThe published protocol, {PUBLISHED_STEPS} steps of 128 trials, would take "
        f"{PUBLISHED_STEPS * seconds / 60:.0f} minutes at the speed of {name} above "
        "(computed, not run)."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _without(
    head: list[str], rows: list[list[str]], column: str
) -> tuple[list[str], list[list[str]]]:
    i = head.index(column)
    return head[:i] + head[i + 1 :], [row[:i] + row[i + 1 :] for row in rows]
