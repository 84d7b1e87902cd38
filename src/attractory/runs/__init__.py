"""What training leaves on disk, saved and loaded; networks from Keras."""

from attractory.runs._folder import (
    CHECKPOINTS,
    claim_folder,
    package_versions,
    save_safetensors,
    write_manifest,
    write_weights,
)
from attractory.runs._keras_network import import_flip_flop, load_keras
from attractory.runs._run import HISTORY_COLUMNS, Run, imported_run, load, run_config

__all__ = [
    "CHECKPOINTS",
    "HISTORY_COLUMNS",
    "Run",
    "claim_folder",
    "import_flip_flop",
    "imported_run",
    "load",
    "load_keras",
    "package_versions",
    "run_config",
    "save_safetensors",
    "write_manifest",
    "write_weights",
]
