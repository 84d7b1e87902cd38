"""What a trial must be, before anything is trained on it: shapes, kinds, values."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from attractory._errors import InvalidSetting, shown
from attractory.tasks._trial import Batch, Trial

ENOUGH_TRIALS = 64  # in which a point counts somewhere, of any task that can be learned


def check_values(name: str, batch: Batch) -> None:
    """InvalidSetting where some of a task's numbers cannot be trained on."""
    for part, array in batch._asdict().items():
        if not np.isfinite(array).all():
            raise InvalidSetting(
                f"{name}: trial().{part} has values that are not finite; all must be"
            )
    lowest = batch.mask.min()
    if lowest < 0:
        raise InvalidSetting(
            f"{name}: trial().mask has negative values (down to {lowest:g}); "
            "it weighs the points: 0 or more"
        )
    # of a few trials none may count by chance (a memory whose pulses were all left out)
    if len(batch.mask) >= ENOUGH_TRIALS and not batch.mask.any():
        raise InvalidSetting(
            f"{name}: trial().mask is 0 everywhere in {len(batch.mask)} trials: nothing counts, "
            "so nothing can be learned or scored"
        )


def checked(name: str, made: Any, epoch_names: tuple[str, ...]) -> Trial:
    """`made` when it has the shapes and kinds of a Trial, else an error that names the field."""
    if not isinstance(made, Trial):
        raise InvalidSetting(
            f"{name}: trial() returned {type(made).__name__}; it must return "
            "attractory.tasks.Trial(inputs, targets, mask)"
        )
    for part in ("inputs", "targets", "mask"):
        _check_kind(name, part, getattr(made, part))
    for part in ("inputs", "targets"):
        shape = getattr(made, part).shape
        if len(shape) != 2 or math.prod(shape) == 0:
            raise InvalidSetting(
                f"{name}: trial().{part} has shape {shape}; it must be (time, channel)"
            )
    steps = made.inputs.shape[0]
    if made.targets.shape[0] != steps:
        raise InvalidSetting(
            f"{name}: trial().targets has {made.targets.shape[0]} steps, inputs have {steps}; "
            "they must be equal"
        )
    if made.mask is not None and made.mask.shape != made.targets.shape:
        raise InvalidSetting(
            f"{name}: trial().mask has shape {made.mask.shape}; "
            f"it must be that of targets, {made.targets.shape}"
        )
    _check_epochs(name, made, epoch_names)
    return made


def _check_kind(name: str, part: str, value: Any) -> None:
    """Real numbers, whole numbers or booleans: of anything else float32 would lose a part."""
    if value is None and part == "mask":
        return
    if not hasattr(value, "dtype"):
        raise InvalidSetting(
            f"{name}: trial().{part} is of type {type(value).__name__}; it must be an array"
        )
    if not any(jnp.issubdtype(value.dtype, kind) for kind in (jnp.floating, jnp.integer, bool)):
        raise InvalidSetting(
            f"{name}: trial().{part} is of kind {value.dtype}; it must be of real numbers"
        )


def _check_epochs(name: str, made: Trial, epoch_names: tuple[str, ...]) -> None:
    if made.epochs is not None:
        shape, kind = made.epochs.shape, made.epochs.dtype
        wanted = (len(epoch_names) + 1,) if epoch_names else shape[:1]
        if len(shape) != 1 or shape != wanted:
            raise InvalidSetting(
                f"{name}: trial().epochs has shape {shape}; it must be (epoch + 1,)"
            )
        if not jnp.issubdtype(kind, jnp.integer):
            raise InvalidSetting(f"{name}: trial().epochs is of kind {kind}; it must be of steps")
    for condition, value in (made.conditions or {}).items():
        if getattr(value, "shape", ()) != ():
            raise InvalidSetting(
                f"{name}: trial().conditions[{shown(condition)}] has shape {value.shape}; "
                "it must be one number"
            )
        _check_kind(name, f"conditions[{shown(condition)}]", value)
