"""A Chromium for the page tests: the one that is there, or one that is installed now."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
ADVICE = (
    "The page tests need a browser, and none could be installed. Install Chromium or Chrome, or "
    "set CHROMIUM to the path of one. Tried: "
)


class NoBrowserError(RuntimeError):
    """No browser was found, and no way to install one worked."""


def present(own):
    """The path of a browser on this machine, or None; `own` is where playwright keeps its one."""
    usual = [shutil.which(name) for name in NAMES]
    for path in [os.environ.get("CHROMIUM"), *usual, own]:
        if path and Path(path).exists():
            return str(path)
    return None


def ways():
    """Commands that install a browser, one list of commands per way, the gentlest first."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    first = [] if root else ["sudo", "-n"]
    playwright = [sys.executable, "-m", "playwright", "install"]
    found = [[[*playwright, "--with-deps", "chromium"]] if root else [[*playwright, "chromium"]]]
    if shutil.which("apt-get") and (root or shutil.which("sudo")):
        packages = ["chromium", "fonts-dejavu-core"]
        quiet = [*first, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        found.append([[*quiet, "-qq", "update"], [*quiet, "-qq", "-y", "install", *packages]])
    if shutil.which("brew"):
        found.append([["brew", "install", "--cask", "chromium"]])
    return found


def find_or_install(own, say=print):
    """The path of a browser, installed first where there is none; one line says what was done."""
    if path := present(own):
        return path
    tried = []
    for commands in ways():
        words = " && ".join(" ".join(command) for command in commands)
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError):
            tried.append(words)
            continue
        if path := present(own):
            say(f"no browser was found, so this was run: {words}")
            return path
        tried.append(words)
    raise NoBrowserError(ADVICE + "; ".join(tried))
