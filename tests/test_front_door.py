"""The package's front: quick, curated, and without side effects."""

from __future__ import annotations

import subprocess
import sys

import attractory as at

LOOK = """
import sys, time
start = time.perf_counter()
import attractory
took = time.perf_counter() - start
import os
print(took)
print(sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_import_is_light():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    took, modules = done.stdout.splitlines()
    assert float(took) < 1.5
    assert not set(eval(modules)) & {"matplotlib", "plotly", "keras", "torch", "dask"}


def test_training_analysis_and_sweeps_pull_in_no_plotting_and_no_cluster():
    code = "import sys, attractory.training, attractory.analysis, attractory.evaluation\n"
    code += "import attractory.sweeps\n"
    code += "heavy = {'matplotlib', 'plotly', 'keras', 'dask', 'distributed', 'optuna'}\n"
    code += "print(sorted({n.split('.')[0] for n in sys.modules} & heavy))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_leaves_jax_as_it_was():
    code = "import jax\nbefore = dict(jax.config.values)\nimport attractory.training, "
    code += "attractory.analysis\nprint(before == dict(jax.config.values))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_all_public_names_are_there():
    for name in at.__all__:
        assert getattr(at, name) is not None
    assert set(at.__all__) <= set(dir(at))
