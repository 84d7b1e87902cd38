"""What all tests share. JAX shows two devices, so that the spreading over cores is tested too."""

from __future__ import annotations

import os
from pathlib import Path

import jax
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
jax.config.update("jax_num_cpu_devices", 2)

AUTHORS_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "jarne2024"


@pytest.fixture(scope="session")
def authors_data() -> Path:
    """The folder with the paper's author's networks."""
    if not AUTHORS_DATA.is_dir():
        pytest.skip(f"the author's networks are not at {AUTHORS_DATA}")
    return AUTHORS_DATA
