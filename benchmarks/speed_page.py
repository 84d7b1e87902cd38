"""Writes the results into docs/speed.md: each table between the two marks that bear its name.

What a benchmark has not measured yet stays as it is on the page.

    python benchmarks/speed_page.py [--results FOLDER]
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Options, read_results
from speed_tables import growth_table, machine_text, step_table, trained_table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
Table = Callable[[dict[str, Any], dict[str, Any] | None], str]

# the mark on the page: the results' file, and the table made of it
TABLES: dict[str, tuple[str, Table]] = {
    "machine": ("training_step", lambda results, _: machine_text(results["machine"], results)),
    "paper": ("training_step", lambda results, _: step_table(results["paper"])),
    "population": ("training_step", lambda results, _: step_table(results["population"])),
    "growth": ("growth", lambda results, _: growth_table(results)),
    "trained": ("time_to_trained", lambda results, steps: trained_table(results, steps)),
    "gpu": (
        "gpu_step",
        lambda results, _: "\n\n".join(
            [
                machine_text(results["machine"], results),
                step_table(results["paper"]),
                step_table(results["population"]),
            ]
        ),
    ),
}


def main() -> None:
    options = Options.parse(__doc__ or "")
    page = PAGE.read_text(encoding="utf-8")
    steps = read_results("training_step", options.results)
    for name, (file, table) in TABLES.items():
        results = read_results(file, options.results)
        if results is not None:
            page = with_block(page, name, table(results, steps))
    PAGE.write_text(page, encoding="utf-8")
    print("the tables of docs/speed.md are up to date")


def with_block(page: str, name: str, text: str) -> str:
    """The page with `text` between the marks of that name."""
    begin, end = f"<!-- {name}: made by benchmarks/speed_page.py -->", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not pattern.search(page):
        raise SystemExit(f"docs/speed.md has no marks for {name}: {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)


if __name__ == "__main__":
    main()
