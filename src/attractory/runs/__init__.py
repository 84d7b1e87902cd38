"""What training leaves on disk, saved and loaded; networks from and to other frameworks."""

from attractory._files import save_safetensors
from attractory.exchange import (
    from_torch,
    load_keras,
    load_psychrnn,
    save_keras,
    save_torch,
    to_keras,
    to_onnx,
    to_torch,
)
from attractory.exchange import (
    read as load_network,
)
from attractory.runs._checks import Check
from attractory.runs._config import run_config
from attractory.runs._folder import (
    CHECKPOINTS,
    Claim,
    claim_folder,
    imports_of,
    own_manifest,
    package_versions,
    tidy_up,
    write_manifest,
    write_weights,
)
from attractory.runs._foreign import export, imported
from attractory.runs._given import given_functions
from attractory.runs._history import LOOP_COLUMNS
from attractory.runs._kept import kept, of_network
from attractory.runs._load import load
from attractory.runs._lock import LOCK, FolderLock, worked_on
from attractory.runs._own_parts import import_named, import_parts_of
from attractory.runs._results import Results
from attractory.runs._run import Run
from attractory.runs._run import a_run as a_run
from attractory.runs._schema import LoopState, checked

__all__ = [
    "CHECKPOINTS",
    "LOCK",
    "LOOP_COLUMNS",
    "Check",
    "Claim",
    "FolderLock",
    "LoopState",
    "Results",
    "Run",
    "checked",
    "claim_folder",
    "export",
    "from_torch",
    "given_functions",
    "import_named",
    "import_parts_of",
    "imported",
    "imports_of",
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
    "worked_on",
    "write_manifest",
    "write_weights",
]
