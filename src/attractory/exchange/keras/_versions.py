"""What the versions of Keras took for granted, so that their files do not say it.

Keras changed two defaults. The gates of LSTM and GRU were hard sigmoids up to Keras 2.2, sigmoids
from 2.3 on (release notes of 2.3.0); within TensorFlow, hard in 1.x and sigmoids from 2.0 on, but
TensorFlow 1.13 to 2.1 all call their Keras "2.2.4-tf". And a GRU's reset_after was False, and is
True in TensorFlow 2 and Keras 3; there the shape of the bias tells. Everything else that weights
alone leave unsaid (tanh of the units, a linear Dense, forward in time) was the same in all of them.

Keras also changed the hard sigmoid itself: clip(x/5 + 1/2) up to Keras 2, clip(x/6 + 1/2) in 3.
"""

from __future__ import annotations

import re

from attractory.models import GateFunction

_IN_TWO_TENSORFLOWS = "2.2.4-tf"
# Weights alone in Keras 3's layout, which Keras 2.12 was the first to write, name no version.
RECENT = "2.12 or later"


def default_gates(version: str | None) -> GateFunction | None:
    """Our name of the function of gates that this version takes; None where that is not known."""
    numbers = _numbers(version)
    if numbers is None or version == _IN_TWO_TENSORFLOWS:
        return None
    return "sigmoid" if numbers >= (2, 3) else "hard_sigmoid_keras2"


def hard_sigmoid(version: str | None) -> GateFunction | None:
    """Our name of this version's hard sigmoid; None where the version is not known."""
    numbers = _numbers(version)
    if numbers is None or version == RECENT:
        return None
    return "hard_sigmoid" if numbers >= (3, 0) else "hard_sigmoid_keras2"


def _numbers(version: str | None) -> tuple[int, int] | None:
    """Major and minor; Keras Core called its preview of Keras 3 version 0.1."""
    found = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", version or "")
    if found is None:
        return None
    major, minor = int(found[1]), int(found[2])
    return (3, 0) if major == 0 else (major, minor)
