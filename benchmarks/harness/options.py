"""The command line that all benchmarks share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from harness.results import RESULTS


@dataclass(frozen=True)
class Options:
    """quick: tiny works and few rounds, to see that all runs. results: folder of the JSON files."""

    quick: bool
    results: Path

    @classmethod
    def parse(cls, description: str) -> Options:
        """From the command line; `description` is the module's docstring."""
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add_arguments(parser)
        given = parser.parse_args()
        return cls(given.quick, given.results)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two shared options."""
    parser.add_argument("--quick", action="store_true", help="tiny works: does everything run?")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
