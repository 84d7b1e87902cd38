"""What training leaves on disk, saved and loaded; networks from Keras."""

from attractory.runs._keras_network import load_keras
from attractory.runs._run import (
    CHECKPOINTS,
    HISTORY_COLUMNS,
    Run,
    claim_folder,
    imported_run,
    load,
    run_config,
    save_safetensors,
    write_manifest,
    write_weights,
)

__all__ = [
    "CHECKPOINTS",
    "HISTORY_COLUMNS",
    "Run",
    "claim_folder",
    "imported_run",
    "load",
    "load_keras",
    "run_config",
    "save_safetensors",
    "write_manifest",
    "write_weights",
]
