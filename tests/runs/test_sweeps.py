"""Sweeps: the same numbers on every back end, nothing lost by a kill, nothing damaged trusted."""

import hashlib
import io
import multiprocessing
import os
import pathlib
import platform
import signal
import time
import zipfile

import numpy as np
import pytest
import torch
from trials import SETTINGS, run, trial

from lscore.errors import DataError, DtypeError
from lscore.runs.sweeps import DamagedResult, sweep, write_atomically

NODE = platform.node()


def failing_trial(seed, scale):
    if seed == 3:
        raise RuntimeError("no luck")
    return trial(seed, scale)


def unstorable_trial(seed, scale):
    return {"model": object()}


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


@pytest.mark.slow
def test_processes_and_a_dask_cluster_give_the_same_numbers(tmp_path):
    from distributed import Client, LocalCluster  # here, so that the processes do without it

    reference = run(tmp_path / "one")
    assert equal(reference, run(tmp_path / "two", jobs=2))
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False}
    with LocalCluster(dashboard_address=None, **options) as cluster, Client(cluster) as client:
        assert equal(reference, run(tmp_path / "dask", cluster=client))
        again = run(tmp_path / "dask", cluster=cluster.scheduler_address)
        assert equal(reference, again)
        assert again.reused == 24


def run_until(results, moment, folder):
    """Run the sweep, and stand still in the middle of the write after so many results."""
    real, calls = getattr(os, moment), []

    def standing_still(*arguments):
        calls.append(arguments)
        if len(calls) > results:
            time.sleep(60)
        return real(*arguments)

    setattr(os, moment, standing_still)
    run(folder, 30)


def kill_after(results, moment, folder):
    """Kill a sweep in a process as soon as the folder has so many new results."""
    before = len(list(folder.glob("*.trial")))
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=run_until, args=(results, moment, folder))
    child.start()
    deadline = time.monotonic() + 20
    while len(list(folder.glob("*.trial"))) < before + results and time.monotonic() < deadline:
        time.sleep(0.001)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len(list(folder.glob("*.trial"))) == before + results, "20 s were not enough"


@pytest.mark.slow
def test_a_sweep_that_is_killed_twenty_times_loses_nothing(tmp_path):
    reference = run(tmp_path / "undisturbed", 30)
    folder = tmp_path / "killed"
    for k in range(20):
        kill_after(1 + k % 3, ("fsync", "replace")[k % 2], folder)
    (folder / f".left.{NODE}-{dead_process()}.{'0' * 32}.tmp").write_bytes(b"half a res")
    resumed = run(folder, 30)
    assert equal(reference, resumed)
    assert (resumed.reused, resumed.damaged) == (39, ())
    for path in (tmp_path / "undisturbed").glob("*.trial"):
        assert path.read_bytes() == (folder / path.name).read_bytes()
    assert not list(folder.glob(".*.tmp"))


def dead_process():
    child = multiprocessing.get_context("fork").Process(target=int)
    child.start()
    child.join()
    return child.pid


def task(old):
    return old.split(b"\n", 2)[1]


def payload(old):
    return old.split(b"\n", 2)[2]


def forged(name, content):
    """A file whose checksum is right."""
    content = name + b"\n" + content
    return b"lscore trial 1 " + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def archive(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda old, other: old[:-1],
        lambda old, other: b"",
        lambda old, other: old[:200] + bytes([old[200] ^ 1]) + old[201:],
        lambda old, other: other,
        lambda old, other: "not a result, but text: é".encode("utf-16"),
        lambda old, other: forged(b"\xff\xfe, a task in no encoding", payload(old)),
        lambda old, other: forged(task(old), b""),
        lambda old, other: forged(task(old), b"text instead of arrays"),
        lambda old, other: forged(task(old), archive({"draws.npy": b"text, not an array"})),
        lambda old, other: forged(task(old), archive({"draws.npy": b"\x93NUMPY\x01\x00"})),
        lambda old, other: forged(task(old), archive({"seed.npy": saved(np.array(3))})),
        lambda old, other: forged(task(old), archive({"x.npy": saved(np.array([None]))})),
        lambda old, other: forged(task(old), saved(np.arange(3))),
    ],
    ids=[
        "truncated",
        "empty",
        "one bit",
        "another trial's",
        "foreign",
        "forged task",
        "forged, empty",
        "forged, text",
        "forged, text in the archive",
        "forged, half a header",
        "forged, a result that hides the seed",
        "forged, objects",
        "forged, no archive",
    ],
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


def test_a_folder_in_the_place_of_a_result_is_moved_aside(tmp_path):
    reference = run(tmp_path)
    first = min(tmp_path.glob("*.trial"))
    first.unlink()
    (first / "inside").mkdir(parents=True)
    with pytest.warns(DamagedResult, match=f"{first.name}: is not a file"):
        again = run(tmp_path)
    assert equal(reference, again)
    assert (again.reused, again.damaged) == (23, (first.name,))
    (aside,) = tmp_path.glob("*.aside")
    assert (aside / "inside").is_dir()


def test_a_pipe_in_the_place_of_a_result_does_not_hang_the_sweep(tmp_path):
    run(tmp_path)
    first = min(tmp_path.glob("*.trial"))
    first.unlink()
    os.mkfifo(first)
    with pytest.warns(DamagedResult, match="is not a file"):
        assert run(tmp_path).reused == 23


def test_a_link_to_itself_in_the_place_of_a_result_is_replaced(tmp_path):
    reference = run(tmp_path)
    first = min(tmp_path.glob("*.trial"))
    first.unlink()
    first.symlink_to(first)
    with pytest.warns(DamagedResult, match="may not be read, Too many levels"):
        again = run(tmp_path)
    assert equal(reference, again)
    assert (again.reused, again.damaged) == (23, (first.name,))
    assert run(tmp_path).reused == 24


def growing(seed, widths, inner):
    widths.append(seed)
    inner["widths"].append(seed)
    return {"x": sum(widths) + 100 * sum(inner["widths"])}


def test_a_trial_that_changes_its_setting_changes_no_other(tmp_path):
    settings = [{"widths": [0], "inner": {"widths": [0]}}]
    for jobs in (1, 2):
        found = sweep(growing, settings, [1, 2, 3], tmp_path / str(jobs), jobs=jobs, progress=False)
        assert found.values("x").tolist() == [101, 202, 303]
    assert settings == [{"widths": [0], "inner": {"widths": [0]}}]
    assert [setting for setting, _ in found.tasks] == settings * 3


def test_settings_from_a_generator_are_all_run(tmp_path):
    found = sweep(trial, (s for s in SETTINGS), (s for s in range(3)), tmp_path, progress=False)
    assert equal(found, run(tmp_path, 3))
    assert len(found.results) == 6


def test_a_result_that_may_not_be_read_is_computed_again(tmp_path, monkeypatch):
    run(tmp_path)
    first = min(tmp_path.glob("*.trial"))
    read = pathlib.Path.read_bytes

    def guarded(path):
        if path == first and path.stat().st_mode & 0o777 == 0:
            raise PermissionError(13, "Permission denied")  # root may read everything
        return read(path)

    first.chmod(0)
    monkeypatch.setattr(pathlib.Path, "read_bytes", guarded)
    with pytest.warns(DamagedResult, match="may not be read"):
        assert run(tmp_path).reused == 23


def test_a_second_sweep_leaves_the_temporary_file_of_the_first(tmp_path, monkeypatch):
    """The first sweep is in the middle of a write when a second one starts on its folder."""
    replace = os.replace

    def meanwhile(source, target):
        monkeypatch.setattr(os, "replace", replace)
        assert run(tmp_path, seeds=2).reused < 4
        replace(source, target)

    monkeypatch.setattr(os, "replace", meanwhile)
    assert equal(run(tmp_path), run(tmp_path / "alone"))
    assert not list(tmp_path.glob(".*.tmp"))


def test_temporary_files_of_living_or_unknown_writers_stay(tmp_path):
    names = [f".a.{NODE}-{os.getpid()}.{'0' * 32}.tmp", f".a.{NODE}-x.{'0' * 32}.tmp"]
    names += [f".a.another.{NODE}x-{dead_process()}.{'0' * 32}.tmp", ".notes.tmp"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    run(tmp_path)
    assert sorted(path.name for path in tmp_path.glob(".*.tmp")) == sorted(names)


@pytest.mark.parametrize("name", ["seed", "scale"])
def test_a_result_named_like_the_seed_or_a_setting_is_refused(tmp_path, name):
    def trial(seed, scale):
        return {name: 1}

    with pytest.raises(DataError, match=f"a result is named '{name}'"):
        run(tmp_path, function=trial)


def test_results_have_any_other_name(tmp_path):
    names = ["file", "allow_pickle", "args", "a/b", "a.npy", "Σ", ""]
    found = sweep(
        lambda seed: {name: [seed] * 2 for name in names}, [{}], [3], tmp_path, progress=False
    )
    assert {k: v.tolist() for k, v in found.results[0].items()} == {k: [3, 3] for k in names}


def test_a_failing_trial_leaves_the_others_on_disk(tmp_path):
    with pytest.raises(RuntimeError, match="no luck"):
        run(tmp_path, function=failing_trial)
    assert len(list(tmp_path.glob("*.trial"))) == 3


def test_what_cannot_be_stored_is_refused(tmp_path):
    with pytest.raises(DtypeError, match="dtype object"):
        run(tmp_path, function=unstorable_trial)
    with pytest.raises(DtypeError, match="JSON"):
        sweep(trial, [{"scale": object()}], [0], tmp_path)
    for returned, text in [
        ([1], "returned list"),
        ({1: 2}, "named 1"),
        ({"a\0b": 2}, "printable"),
        ({"x": [[1], [2, 3]]}, "inhomogeneous"),
        ({"x": torch.ones(1, requires_grad=True)}, "requires grad"),
        ({"x": torch.ones(1, dtype=torch.bfloat16)}, "result 'x': .*BFloat16"),
        ({"x": np.ma.masked_array([1.0, 2.0], [True, False])}, "result 'x' is masked"),
        ({"x": [1.0, (np.ma.masked, 2.0)]}, "result 'x' is masked"),
    ]:
        with pytest.raises(DtypeError, match=text):
            sweep(lambda seed, back=returned: back, [{}], [0], tmp_path, progress=False)


def test_tasks_that_are_not_what_they_seem_are_refused(tmp_path):
    with pytest.raises(DataError, match="occurs twice"):
        sweep(trial, [{"scale": 1}], [0, 0], tmp_path)
    with pytest.raises(DataError, match="named 'seed'"):
        sweep(trial, [{"seed": 1}], [0], tmp_path)
    with pytest.raises(DtypeError, match="settings: got str"):
        sweep(trial, {"scale": 1}, [0], tmp_path)
    for setting in ({"scale": (1, 2)}, {"scale": {1: 2}}, {1: 2}):
        with pytest.raises(DtypeError, match="come back from JSON"):
            sweep(trial, [setting], [0], tmp_path)
    with pytest.raises(DtypeError, match="what JSON can hold"):
        sweep(trial, [{"scale": float("nan")}], [0], tmp_path)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="is a file, need a folder"):
        run(tmp_path / "file")
    assert not list(tmp_path.glob("*.trial"))


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
