"""Training: it learns, goes on bit for bit, and networks do not disturb each other."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from few import few
from safetensors.numpy import load_file

import attractory as at
from attractory.rules import BPTT
from attractory.runs._folder import read_manifest, write_manifest
from attractory.training._batches import training_trials
from attractory.training._population import Population

TASK = at.tasks.FlipFlop(bits=2, steps=120, first_onset=(5, 30), gaps=(20, 40), pulse=5, delay=5)
MODEL = at.models.RateRNN(units=24)
RULE = BPTT(steps=40, batch=8, optimizer="adam", learning_rate=2e-2, validation=16, check_every=20)


def weights_of(run):
    return [net.weights for net in run.networks]


def assert_bitwise_equal(first, second):
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Two networks trained in one go."""
    return at.train(
        TASK, MODEL, RULE, nets=2, path=tmp_path_factory.mktemp("run") / "a", progress=False
    )


def test_training_lowers_the_loss_of_every_network(undisturbed):
    history = undisturbed.history
    for net in range(2):
        loss = history[history["net"] == net]["loss"].to_numpy()
        assert loss[-5:].mean() < 0.6 * loss[0]
        trials = TASK.sample(64, seed=9)
        untrained = MODEL.build(2, 2, seed=5).respond(trials.inputs)
        trained = undisturbed.networks[net].respond(trials.inputs)
        error = [np.mean((z - trials.targets) ** 2) for z in (trained, untrained)]
        assert error[0] < 0.6 * error[1]


def test_history_has_a_row_for_each_net_and_step(undisturbed):
    history = undisturbed.history
    assert list(history["net"]) == [0] * 40 + [1] * 40
    assert list(history["step"]) == 2 * list(range(1, 41))
    checked = history[history["validation_loss"].notna()]
    assert list(checked["step"]) == [20, 40, 20, 40]
    assert history["seconds"].is_monotonic_increasing or (history["seconds"].diff() >= 0).sum() > 77
    assert [row["status"] for row in undisturbed.status] == ["finished", "finished"]


def test_logged_loss_is_that_of_the_batch_before_the_update(undisturbed):
    """The first loss, computed by hand from the initial weights and the first batch."""
    population = Population(TASK, MODEL, RULE, 2, 0)
    state = population.initial_state()
    for net in range(2):
        weights = {name: np.asarray(w[net]) for name, w in state.weights.items()}
        batch = training_trials(
            TASK, RULE, population.keys.trials[net], jax.numpy.asarray(0), jax.numpy.arange(8)
        )
        error = RULE.error(MODEL, weights, batch, None) / batch.mask.sum()
        logged = undisturbed.history.query("net == @net and step == 1")["loss"].item()
        assert logged == pytest.approx(float(error), rel=1e-5)


def test_networks_have_weights_and_trials_of_their_own(undisturbed):
    one, two = weights_of(undisturbed)
    assert not np.allclose(one["recurrent_weights"], two["recurrent_weights"])
    first = undisturbed.history.query("step == 1")["loss"].to_numpy()
    assert first[0] != first[1]


def assert_same_course(first, second, net=0):
    """Weights and all that was measured of a network, bit for bit."""
    assert_bitwise_equal(weights_of(first)[net : net + 1], weights_of(second)[net : net + 1])
    shown = ["loss", "validation_loss", "gradient_norm", "spectral_radius"]
    one, other = (run.history[run.history["net"] == net] for run in (first, second))
    np.testing.assert_array_equal(one[shown].to_numpy(), other[shown].to_numpy())


def test_a_network_does_not_depend_on_how_many_others_there_are():
    """Three networks are spread over the devices in another way than two."""
    rule = RULE.replace(steps=6, check_every=3)
    fewer, more = (at.train(TASK, MODEL, rule, nets=nets, progress=False) for nets in (2, 3))
    for net in range(2):
        assert_same_course(fewer, more, net)


EVERY_KIND = {
    "rate, muon": (
        at.models.RateRNN(units=130, tau=3.0, bias=True),
        RULE.replace(optimizer="muon"),
    ),
    "noise": (at.models.RateRNN(units=20, recurrent_noise=0.1, output_noise=0.1), RULE),
    "large batch": (at.models.RateRNN(units=20), RULE.replace(batch=128, validation=300)),
    "fixed set": (at.models.RateRNN(units=20), RULE.replace(trials=21, epochs=2, batch=12)),
    "pull": (at.models.RateRNN(units=40), BPTT.near_orthogonal(validation=0)),
    "bfloat16": (at.models.RateRNN(units=20), RULE.replace(precision="bfloat16", batch=10)),
    "plain JAX": (at.models.RateRNN(units=20, activation="gelu"), RULE.replace(optimizer="sgd")),
    "low rank": (at.models.LowRankRNN(units=20, rank=2), RULE),
    "current": (at.models.CurrentRNN(units=20, recurrent_noise=0.1), RULE),
    "LSTM": (at.models.LSTM(units=20), RULE),
    "sizes of rates": (
        at.models.RateRNN(units=20, tau=2.0, recurrent_noise=0.1),
        RULE.replace(batch=128, penalties={"rates_l1": 0.1, "rates_l2": 0.1}),
    ),
    "windows": (at.models.RateRNN(units=20), RULE.replace(window=50, carry=True, batch=64)),
    "Dale": (
        at.models.RateRNN(
            units=20,
            activation="relu",
            recurrent_init="normal",
            constraints=at.models.Constraints(excitatory=0.8, density=0.5),
        ),
        RULE,
    ),
    "stacked": (
        at.models.Stacked(layers=(at.models.GRU(units=7), at.models.RateRNN(units=20, bias=True))),
        RULE,
    ),
}


@pytest.mark.parametrize("kind", few(list(EVERY_KIND), quick=["noise"]))
def test_a_batch_split_over_devices_gives_the_same_bits(monkeypatch, kind):
    """One network on two devices against the same network on one."""
    model, rule = EVERY_KIND[kind]
    rule = rule if rule.trials else rule.replace(steps=4, check_every=2)
    split = at.train(TASK, model, rule, progress=False)
    only_device = jax.devices()[:1]
    monkeypatch.setattr("attractory.training._population.jax.devices", lambda: only_device)
    assert_same_course(split, at.train(TASK, model, rule, progress=False))


def test_a_finished_run_is_loaded_not_trained_again(undisturbed, monkeypatch):
    monkeypatch.setattr(Population, "update", lambda *_: pytest.fail("it trained again"))
    again = at.train(TASK, MODEL, RULE, nets=2, path=undisturbed.path, progress=False)
    assert_bitwise_equal(weights_of(again), weights_of(undisturbed))


def test_ctrl_c_and_the_same_call_again_give_the_same_weights(undisturbed, tmp_path, monkeypatch):
    update, calls = Population.update, []

    def interrupted_in_the_twelfth(*arguments):
        calls.append(None)
        if len(calls) == 12:
            signal.raise_signal(signal.SIGINT)
        return update(*arguments)

    monkeypatch.setattr(Population, "update", interrupted_in_the_twelfth)
    with pytest.raises(KeyboardInterrupt):
        at.train(TASK, MODEL, RULE, nets=2, path=tmp_path / "b", progress=False)
    assert len(calls) == 12
    with pytest.raises(at.FileProblem, match="not finished"):
        at.load(tmp_path / "b")
    run = at.train(TASK, MODEL, RULE, nets=2, path=tmp_path / "b", progress=False)
    assert len(calls) == 40  # the first twelve were not done again
    assert_bitwise_equal(weights_of(run), weights_of(undisturbed))
    shown = ["net", "step", "loss", "validation_loss", "gradient_norm", "learning_rate"]
    pd.testing.assert_frame_equal(run.history[shown], undisturbed.history[shown])


KILLED = """
import sys, jax
jax.config.update("jax_num_cpu_devices", 2)
import attractory as at
from attractory.training import _train
sys.path.insert(0, sys.argv[2])
from training.test_train import TASK, MODEL, RULE
_train.CHECKPOINT_SECONDS = 0.0
at.train(TASK, MODEL, RULE, nets=2, path=sys.argv[1], progress=False)
"""


def test_kill_9_and_the_same_call_again_give_the_same_weights(undisturbed, tmp_path):
    folder, tests = tmp_path / "c", Path(__file__).resolve().parents[1]
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(tests)])
    newest = folder / "checkpoints" / "newest.safetensors"
    deadline = time.monotonic() + 120
    while not newest.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.05)
    process.kill()
    process.wait()
    assert newest.exists()
    assert not (folder / "networks.safetensors").exists(), "it was killed too late to tell"
    run = at.train(TASK, MODEL, RULE, nets=2, path=folder, progress=False)
    assert_bitwise_equal(weights_of(run), weights_of(undisturbed))


def test_a_fixed_set_is_gone_through_once_an_epoch():
    """Every trial of the set appears once in each epoch, the last batch being smaller."""
    rule = RULE.replace(trials=21, epochs=2, batch=8)
    population = Population(TASK, MODEL, rule, 1, 0)
    key = population.keys.trials[0]
    epochs = []
    for epoch in range(2):
        seen = []
        for step in range(3 * epoch, 3 * epoch + 3):
            batch = training_trials(TASK, rule, key, jax.numpy.asarray(step), jax.numpy.arange(8))
            counted = np.asarray(batch.mask).sum((1, 2)) > 0
            seen += [trial.tobytes() for trial in np.asarray(batch.inputs)[counted]]
        assert len(seen) == len(set(seen)) == 21
        epochs.append(seen)
    assert set(epochs[0]) == set(epochs[1])
    assert epochs[0] != epochs[1]
    assert rule.n_steps == 6


def test_validation_trials_are_none_of_the_training_trials():
    population = Population(TASK, MODEL, RULE, 1, 0)
    keys = population.keys
    training = TASK.batch(at.tasks.trial_keys(keys.trials[0], jax.numpy.arange(50)))
    held_out = TASK.batch(at.tasks.trial_keys(keys.validation[0], jax.numpy.arange(50)))
    seen = {trial.tobytes() for trial in np.asarray(training.inputs)}
    assert not seen & {trial.tobytes() for trial in np.asarray(held_out.inputs)}


def test_validation_loss_is_the_mean_over_all_held_out_trials():
    """17 trials in chunks of 8: the last chunk is smaller."""
    population = Population(TASK, MODEL, RULE.replace(validation=17), 2, 0)
    state = population.initial_state()
    found = population.validate(state)
    for net in range(2):
        keys = at.tasks.trial_keys(population.keys.validation[net], jax.numpy.arange(17))
        trials = TASK.batch(keys)
        weights = {name: w[net] for name, w in state.weights.items()}
        outputs = np.asarray(MODEL.run(weights, trials.inputs)[1])
        expected = np.mean((outputs - np.asarray(trials.targets)) ** 2)
        assert found[net] == pytest.approx(expected, rel=1e-5)


def test_training_stops_below_the_wanted_loss_and_each_network_for_itself():
    rule = RULE.replace(steps=200, stop_below=0.45, check_every=5, validation=0)
    run = at.train(TASK, MODEL, rule, nets=2, progress=False)
    for row in run.status:
        losses = run.history.query(f"net == {row['net']}")["loss"].to_numpy()
        assert row["status"] == "stopped early"
        assert len(losses) == row["step"] < 200
        means = losses.reshape(-1, 5).mean(axis=1)
        assert means[-1] < 0.45
        assert (means[:-1] >= 0.45).all()


def test_patience_gives_back_the_weights_of_the_best_check():
    rule = RULE.replace(
        steps=60,
        check_every=5,
        patience=2,
        learning_rate=0.3,
        schedule="constant",
        warmup=0,
        on_divergence="continue",
        validation=16,
    )
    run = at.train(TASK, MODEL, rule, progress=False)
    assert run.status[0]["status"] == "stopped early"
    validation = run.history["validation_loss"].dropna().to_numpy()
    population = Population(TASK, MODEL, rule, 1, 0)
    state = population.initial_state()
    kept = {name: jax.numpy.asarray(w)[None] for name, w in run.networks[0].weights.items()}
    found = population.validate(state._replace(weights=kept))
    assert found[0] == pytest.approx(validation.min(), rel=1e-5)
    assert validation[-1] > validation.min()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": 3}, "task = 3 is not allowed: a Task, or the name of one, is needed"),
        ({"model": at.models.RateRNN}, "did you mean RateRNN"),
        ({"rule": 3}, "rule = 3 is not allowed"),
        ({"nets": 0}, "nets = 0 is not allowed: a whole number, 1 or more"),
        ({"seed": -1}, "seed = -1 is not allowed"),
        ({"seed": 2**63}, "is not allowed: an integer from 0 to 2**63 - 1"),
        ({"nets": 10**12}, "nets = 1000000000000 of units = 24 would take 1e+07 GB"),
        ({"rule": RULE.replace(batch=10**9)}, "batch = 1000000000 trials of 120 steps, with the"),
        ({"rule": RULE.replace(trials=2 * 10**9, epochs=1)}, "the order of trials = 2000000000 "),
        ({"rule": RULE.replace(steps=2**31 - 1)}, "the history of 2147483647 updates of nets = 1 "),
        (
            {"rule": at.rules.Reservoir(), "nets": 99, "model": at.models.RateRNN(units=2000)},
            "the state of Reservoir for nets = 99 of units = 2000 would take",
        ),
        ({"model": at.models.RateRNN(units=10**9)}, "of units = 1000000000 would take"),
    ],
)
def test_wrong_arguments_get_one_line(arguments, message, monkeypatch):
    monkeypatch.setattr("attractory._cores.memory", lambda: 2**34)  # on every machine the same
    values = {"task": TASK, "model": MODEL, "rule": RULE, **arguments}
    with pytest.raises(at.InvalidSetting, match=".") as caught:
        at.train(**values, progress=False)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    """Of another seed: same names, same shapes."""
    rule = RULE.replace(steps=2)
    for seed in (0, 1):
        at.train(TASK, MODEL, rule, nets=2, seed=seed, path=tmp_path / str(seed), progress=False)
    place = "checkpoints/newest.safetensors"
    shutil.copy(tmp_path / "1" / place, tmp_path / "0" / place)
    as_if_running(tmp_path / "0")
    with pytest.raises(at.FileProblem, match="this checkpoint is of another run"):
        at.train(TASK, MODEL, rule, nets=2, seed=0, path=tmp_path / "0", progress=False)


def as_if_running(folder):
    """The manifest as it was before the training ended."""
    content = read_manifest(folder)
    write_manifest(folder, content["config"], "running", content["networks"])


def test_weights_of_every_epoch_are_kept_where_asked(tmp_path):
    """As in the paper: a file after each epoch; the last one holds the final weights."""
    rule = RULE.replace(trials=16, epochs=3, keep_checks=True, schedule="constant", warmup=0)
    run = at.train(TASK, MODEL, rule, path=tmp_path / "run", progress=False)
    files = sorted((tmp_path / "run" / "checkpoints").glob("weights-*.safetensors"))
    assert [file.name for file in files] == [f"weights-0{i}.safetensors" for i in (1, 2, 3)]
    kept = [load_file(file) for file in files]
    for name, weights in run.networks[0].weights.items():
        np.testing.assert_array_equal(kept[2][name][0], weights)
    assert not np.array_equal(kept[0]["recurrent_weights"], kept[1]["recurrent_weights"])
    assert list(run.history["validation_loss"].notna()) == 3 * [False, True]
