"""What training leaves on disk, saved and loaded; networks from and to other frameworks."""

from attractory.runs._folder import (
    CHECKPOINTS,
    Claim,
    claim_folder,
    own_manifest,
    package_versions,
    save_safetensors,
    tidy_up,
    write_manifest,
    write_weights,
)
from attractory.runs._foreign import export, imported, load_network
from attractory.runs._kept import kept, of_network
from attractory.runs._keras_network import load_keras
from attractory.runs._keras_write import save_keras, to_keras
from attractory.runs._onnx import to_onnx
from attractory.runs._psychrnn import load_psychrnn
from attractory.runs._results import Results
from attractory.runs._run import LOOP_COLUMNS, Run, given_functions, load, run_config
from attractory.runs._schema import LoopState, checked
from attractory.runs._torch import from_torch
from attractory.runs._torch_write import save_torch, to_torch

__all__ = [
    "CHECKPOINTS",
    "LOOP_COLUMNS",
    "Claim",
    "LoopState",
    "Results",
    "Run",
    "checked",
    "claim_folder",
    "export",
    "from_torch",
    "given_functions",
    "imported",
    "kept",
    "load",
    "load_keras",
    "load_network",
    "load_psychrnn",
    "of_network",
    "own_manifest",
    "package_versions",
    "run_config",
    "save_keras",
    "save_safetensors",
    "save_torch",
    "tidy_up",
    "to_keras",
    "to_onnx",
    "to_torch",
    "write_manifest",
    "write_weights",
]
