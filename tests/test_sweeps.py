"""Sweeps: the same numbers on every back end, nothing lost by a kill, nothing damaged trusted."""

import multiprocessing
import os
import random
import signal
import time

import numpy as np
import pytest
from distributed import Client, LocalCluster

from lscore.errors import DataError, DtypeError
from lscore.sweeps import DamagedResult, sweep, write_atomically

SETTINGS = [{"scale": 1.0}, {"scale": 0.5}]


def trial(seed, scale):
    draws = scale * np.random.default_rng(seed).standard_normal(50)
    return {"mean": draws.mean(), "draws": draws}


def slow_trial(seed, scale):
    time.sleep(0.001)
    return trial(seed, scale)


def failing_trial(seed, scale):
    if seed == 3:
        raise RuntimeError("no luck")
    return trial(seed, scale)


def unstorable_trial(seed, scale):
    return {"model": object()}


def run(folder, seeds=12, function=trial, **keywords):
    return sweep(function, SETTINGS, range(seeds), folder, progress=False, **keywords)


def equal(a, b):
    return a.tasks == b.tasks and all(
        x.keys() == y.keys() and all(np.array_equal(x[k], y[k]) for k in x)
        for x, y in zip(a.results, b.results, strict=True)
    )


def test_results_are_in_the_order_of_the_tasks(tmp_path):
    found = run(tmp_path)
    assert [seed for _, seed in found.tasks] == [*range(12), *range(12)]
    for (setting, seed), result in zip(found.tasks, found.results, strict=True):
        assert np.array_equal(result["draws"], trial(seed, **setting)["draws"])
    assert found.values("draws").shape == (24, 50)
    assert found.reused == 0


def test_processes_and_a_dask_cluster_give_the_same_numbers(tmp_path):
    reference = run(tmp_path / "one")
    assert equal(reference, run(tmp_path / "two", jobs=2))
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False}
    with LocalCluster(dashboard_address=None, **options) as cluster, Client(cluster) as client:
        assert equal(reference, run(tmp_path / "dask", cluster=client))
        again = run(tmp_path / "dask", cluster=cluster.scheduler_address)
        assert equal(reference, again)
        assert again.reused == 24


def test_a_sweep_that_is_killed_twenty_times_loses_nothing(tmp_path):
    reference = run(tmp_path / "undisturbed", 80, slow_trial)
    folder, rng, counts = tmp_path / "killed", random.Random(0), [0]
    fork = multiprocessing.get_context("fork")
    for _ in range(20):
        child = fork.Process(target=run, args=(folder, 80, slow_trial))
        child.start()
        time.sleep(rng.uniform(0.005, 0.03))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert child.exitcode == -signal.SIGKILL
        counts.append(len(list(folder.glob("*.trial"))))
    assert counts == sorted(counts)
    assert 0 < counts[-1] < 160, "the kills came too late or too early"
    resumed = run(folder, 80, slow_trial)
    assert equal(reference, resumed)
    assert (resumed.reused, resumed.damaged) == (counts[-1], ())
    for path in (tmp_path / "undisturbed").glob("*.trial"):
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda old, other: old[:-1],
        lambda old, other: b"",
        lambda old, other: old[:200] + bytes([old[200] ^ 1]) + old[201:],
        lambda old, other: other,
    ],
    ids=["truncated", "empty", "one bit", "another trial's"],
)
def test_a_damaged_file_is_reported_and_computed_again(tmp_path, spoil):
    reference = run(tmp_path)
    first, second = sorted(tmp_path.glob("*.trial"))[:2]
    first.write_bytes(spoil(first.read_bytes(), second.read_bytes()))
    with pytest.warns(DamagedResult, match=first.name):
        again = run(tmp_path)
    assert equal(reference, again)
    assert (again.reused, again.damaged) == (23, (first.name,))
    assert run(tmp_path).damaged == ()


def test_a_failing_trial_leaves_the_others_on_disk(tmp_path):
    with pytest.raises(RuntimeError, match="no luck"):
        run(tmp_path, function=failing_trial)
    assert len(list(tmp_path.glob("*.trial"))) == 3


def test_what_cannot_be_stored_is_refused(tmp_path):
    with pytest.raises(DtypeError, match="dtype object"):
        run(tmp_path, function=unstorable_trial)
    with pytest.raises(DtypeError, match="JSON"):
        sweep(trial, [{"scale": object()}], [0], tmp_path)
    with pytest.raises(DataError, match="occurs twice"):
        sweep(trial, [{"scale": 1}], [0, 0], tmp_path)


def test_a_progress_bar_is_shown(tmp_path, capsys):
    sweep(trial, SETTINGS, range(2), tmp_path)
    assert "4/4" in capsys.readouterr().err


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_atomically(path, b"old")

    def crash(*_):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
