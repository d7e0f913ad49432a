"""The browser of the page tests: found where it is, installed where it is not, or said plainly."""

import subprocess

import browser
import pytest


@pytest.fixture
def bare(monkeypatch):
    """A machine without a browser; returns what is on its PATH and the commands that were run."""
    on_path, ran = {}, []
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser.shutil, "which", on_path.get)
    monkeypatch.setattr(browser.subprocess, "run", lambda command, **_: ran.append(command))
    return on_path, ran


def fails(command, **_):
    raise subprocess.CalledProcessError(1, command)


def test_a_browser_that_is_there_is_used_and_nothing_is_installed(bare, tmp_path, monkeypatch):
    on_path, ran = bare
    for place in ("named", "usual", "own"):
        (tmp_path / place).touch()
    assert browser.find_or_install(tmp_path / "own") == str(tmp_path / "own")
    on_path["chromium"] = str(tmp_path / "usual")
    assert browser.find_or_install(tmp_path / "own") == str(tmp_path / "usual")
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "named"))
    assert browser.find_or_install(tmp_path / "own") == str(tmp_path / "named")
    assert ran == []


def test_playwright_installs_one_and_a_line_says_so(bare, tmp_path, monkeypatch):
    own, said = tmp_path / "chrome", []

    def run(command, **_):
        assert command[1:4] == ["-m", "playwright", "install"]
        own.touch()

    monkeypatch.setattr(browser.subprocess, "run", run)
    assert browser.find_or_install(own, said.append) == str(own)
    assert len(said) == 1
    assert "playwright install" in said[0]


def test_the_package_manager_is_next(bare, tmp_path, monkeypatch):
    on_path, _ = bare
    on_path |= {"apt-get": "/usr/bin/apt-get", "sudo": "/usr/bin/sudo"}
    said = []

    def run(command, **_):
        if "playwright" in command:
            raise subprocess.TimeoutExpired(command, 600)
        if "install" in command:
            (tmp_path / "chromium").touch()
            on_path["chromium"] = str(tmp_path / "chromium")

    monkeypatch.setattr(browser.subprocess, "run", run)
    assert browser.find_or_install(tmp_path / "none", said.append) == on_path["chromium"]
    assert "apt-get -qq -y install chromium" in said[0]


def test_where_nothing_works_the_error_says_what_was_tried_and_what_to_do(
    bare, tmp_path, monkeypatch
):
    monkeypatch.setattr(browser.subprocess, "run", fails)
    with pytest.raises(
        browser.NoBrowserError, match=r"set CHROMIUM to the path.*playwright install"
    ):
        browser.find_or_install(tmp_path / "none")
