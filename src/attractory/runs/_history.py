"""The history of a training: its columns, and how it is read again."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from attractory._errors import FileProblem

# what the loop itself knows of every update; the rule's own columns stand before learning_rate
LOOP_COLUMNS = (
    "net",
    "step",
    "loss",
    "validation_loss",
    "learning_rate",
    "seconds",
    "spectral_radius",
)
NEWER_COLUMNS = ("spectral_radius",)  # NaN in histories that were written before there was one


def read_history(path: Path, content: bytes) -> pd.DataFrame:
    try:
        history = pd.read_csv(io.BytesIO(content))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise FileProblem(f"{path}: damaged, not readable as CSV ({reason})") from None
    for column in NEWER_COLUMNS:
        if column not in history.columns:
            history[column] = np.nan
    missing = [c for c in LOOP_COLUMNS if c not in history.columns]
    if missing:
        raise FileProblem(f"{path}: damaged: column {missing[0]!r} is missing")
    for column in history.columns:
        if len(history) and not pd.api.types.is_numeric_dtype(history[column]):
            raise FileProblem(f"{path}: damaged: column {column!r} holds other things than numbers")
    return history
