"""Cases of which a few are in every test run, and the others among the slow tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest


def few(cases: Mapping[str, Any] | Sequence[Any], quick: Collection[Any]) -> list[Any]:
    """For `pytest.mark.parametrize`: all cases, those slow that are not in `quick`.

    Each compiles programs of its own, which takes seconds, and what one finds, its kin nearly
    always find too. cases: values by their names, names, or any values, then told by their places.
    """
    if isinstance(cases, Mapping):
        named = list(cases.items())
    elif all(isinstance(case, str) for case in cases):
        named = [(case, case) for case in cases]
    else:
        return [
            pytest.param(*_many(case), marks=_marks(i in quick)) for i, case in enumerate(cases)
        ]
    return [
        pytest.param(*_many(case), id=name, marks=_marks(name in quick)) for name, case in named
    ]


def _many(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)


def _marks(quickly: bool) -> tuple[Any, ...]:
    return () if quickly else (pytest.mark.slow,)
