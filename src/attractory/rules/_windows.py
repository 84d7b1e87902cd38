"""Which models truncated backpropagation can train."""

from __future__ import annotations

import inspect
from typing import Any

from attractory._errors import InvalidSetting
from attractory.models import Model


def check_windows(window: int, model: Model) -> None:
    """InvalidSetting for a model that has a sequence of its own, which knows no windows."""
    functions: list[tuple[Any, str]] = [(model, "run"), (model, "outputs")]
    functions += [(part.cell, "cell_states") for part in model.parts()]
    for owner, name in functions:
        if "window" not in inspect.signature(getattr(owner, name)).parameters:
            raise InvalidSetting(
                f"window = {window} is not allowed with {type(owner).__name__}: its {name}() takes "
                "no argument window; allowed: None"
            )
