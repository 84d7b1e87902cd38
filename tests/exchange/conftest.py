"""The real Keras, for the tests that have it write files."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras_home")))
        return pytest.importorskip("keras", reason="the real Keras writes these files")
