"""Where the native kernels come from, and what happens where they cannot be had."""

from __future__ import annotations

import platform
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from kernels.test_rate_network import assert_close, by_hand, gradients, needs_native, problem

import attractory as at
from attractory.kernels import _native, _rate, _rate_native, bfloat16_missing, rate_outputs

TRIVIAL = 'extern "C" int attractory_has_bfloat16() { return 0; }\n'


@pytest.fixture
def fresh(monkeypatch):
    """The compiler is looked for anew, in the test and after it."""

    def forget():
        for found in (_native._place, _native._compiler):
            found.cache_clear()

    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


def found():
    """What `native` finds, not remembered."""
    return _native.native.__wrapped__()


def test_they_can_be_switched_off(fresh):
    fresh.setenv("ATTRACTORY_KERNELS", "jax")
    assert not found()
    assert str(found()) == "plain JAX (ATTRACTORY_KERNELS = jax)"
    assert not _native.to_compile()


def test_without_a_compiler_it_says_what_to_install(fresh):
    fresh.delenv("CXX", raising=False)
    fresh.setattr(_native.shutil, "which", lambda _: None)
    fresh.setattr(_native.importlib.util, "find_spec", lambda _: None)
    assert not found()
    assert "no C++ compiler: install g++ or clang++, or pip install" in str(found())


def test_a_compiler_that_does_not_run_is_named(fresh):
    fresh.setenv("CXX", "false --really")
    assert str(found()) == "plain JAX (false --really does not run)"


@needs_native
def test_a_compiler_that_refuses_is_quoted(fresh, tmp_path):
    fresh.setenv("ATTRACTORY_CACHE", str(tmp_path))
    broken = tmp_path / "broken.cpp"
    broken.write_text("int main( {\n")
    fresh.setattr(_native, "SOURCE", broken)
    assert _native.to_compile()
    assert not found()
    assert "cannot compile the kernels" in str(found())
    assert "error" in str(found())
    assert not list((tmp_path / "kernels").glob("*"))  # nothing half-made stays


@needs_native
def test_they_are_compiled_once_and_kept(fresh, tmp_path):
    fresh.setenv("ATTRACTORY_CACHE", str(tmp_path))
    source = tmp_path / "trivial.cpp"
    source.write_text(TRIVIAL)
    fresh.setattr(_native, "SOURCE", source)
    path, _ = _native._place()
    assert _native._compiled(path) == path
    assert path.exists()
    assert not _native.to_compile()


@needs_native
def test_a_cache_that_cannot_be_written_does_no_harm(fresh, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    source = tmp_path / "trivial.cpp"
    source.write_text(TRIVIAL)
    fresh.setenv("ATTRACTORY_CACHE", str(in_the_way))
    fresh.setattr(_native, "SOURCE", source)
    path, _ = _native._place()
    made = _native._compiled(path)
    assert made != path
    assert made.exists()


def test_without_native_kernels_everything_works_in_jax(monkeypatch):
    missing = _native.Native({}, missing="a reason")
    monkeypatch.setattr(_rate, "native", lambda: missing)
    monkeypatch.setattr(_rate_native, "native", lambda: missing)
    assert "a reason" in bfloat16_missing(jnp.tanh)
    arguments, loss = problem(5, 3, 8, drive=False)
    exact = rate_outputs(jnp.tanh, 0.5, *arguments)
    np.testing.assert_allclose(exact, by_hand(0.5, arguments, loss)[1], rtol=1e-5, atol=1e-5)
    rounded = rate_outputs(jnp.tanh, 0.5, *arguments, precision="bfloat16")
    np.testing.assert_array_equal(rounded, exact)


def test_training_says_that_bfloat16_is_missing_and_goes_on(capsys):
    task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 5))
    model = at.models.RateRNN(units=6, activation="gelu")  # which the native kernels lack
    runs = [
        at.train(task, model, at.rules.BPTT(steps=2, batch=4, precision=precision))
        for precision in ("float32", "bfloat16")
    ]
    said = " ".join(capsys.readouterr().err.split())
    assert "precision = 'bfloat16': " in said
    assert "; training in float32" in said
    first, second = (run.networks[0].recurrent_weights for run in runs)
    np.testing.assert_array_equal(first, second)


def test_compiling_is_told_apart_from_training(capsys):
    task = at.tasks.FlipFlop(bits=1, steps=61, first_onset=(2, 5))
    run = at.train(task, at.models.RateRNN(units=6), at.rules.BPTT(steps=3, batch=4))
    said = " ".join(capsys.readouterr().err.split())
    assert "compiled in " in said
    assert "; kernels: " in said
    assert run.history["seconds"].iloc[-1] < 30.0


def test_use_cores_shows_devices_and_keeps_programs(tmp_path):
    code = (
        "import attractory as at; at.use_cores(1)\n"
        "import jax, jax.numpy as jnp\n"
        "task = at.tasks.FlipFlop(bits=1, steps=60, first_onset=(2, 5))\n"
        "model, rule = at.models.RateRNN(units=6), at.rules.BPTT(steps=2, batch=4)\n"
        "at.train(task, model, rule, progress=False)\n"
        "print(jax.local_device_count())"
    )
    environment = {"ATTRACTORY_CACHE": str(tmp_path), "PATH": "", "ATTRACTORY_KERNELS": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1"
    assert list((tmp_path / "xla").iterdir())


def test_use_cores_refuses_cores_that_are_not_there():
    with pytest.raises(at.InvalidSetting, match="cores = 0 is not allowed: 1 to"):
        at.use_cores(0)


@pytest.mark.slow
@needs_native
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are flags of x86-64")
@pytest.mark.parametrize("processor", ["x86-64", "x86-64-v3"])
def test_older_processors_compute_the_same(fresh, tmp_path, processor):
    """Compiled for SSE2 and for AVX2, whose vectors are shorter and whose tiles are others."""
    fresh.setenv("ATTRACTORY_CACHE", str(tmp_path))
    flags = tuple(f for f in _native._flags() if f != "-march=native")
    fresh.setattr(_native, "_flags", lambda: (*flags, f"-march={processor}"))
    older = found()
    assert older
    assert not older.bfloat16
    fresh.setattr(_rate_native, "native", lambda: older)
    for steps, trials, units, inputs, outputs in [(9, 21, 70, 5, 7), (4, 3, 11, 18, 1)]:
        arguments, loss = problem(steps, trials, units, inputs, outputs)
        for leak in (1.0, 0.3):
            made, saved = _rate_native._saving(jnp.tanh, leak, "float32", *arguments)
            gradient = _rate_native._backward(jnp.tanh, leak, "float32", saved, *loss)
            states, expected_outputs, expected = by_hand(leak, arguments, loss)
            wanted = jax.tree.map(np.float32, ((states, expected_outputs), expected))
            assert_close((made, gradient), wanted)


@needs_native
def test_values_do_not_depend_on_how_many_threads_share_the_trials(monkeypatch):
    arguments, loss = problem(12, 7, 33)
    made = []
    for threads in (1, 3):
        monkeypatch.setattr(_rate_native, "_threads", lambda threads=threads: threads)

        def kernel(*arguments):
            return _rate_native.states_and_outputs(jnp.tanh, 1.0, "float32", *arguments)

        made.append((kernel(*arguments), gradients(kernel, loss, arguments)))
    np.testing.assert_array_equal(made[0][0][0], made[1][0][0])
    assert_close(made[0], made[1])
