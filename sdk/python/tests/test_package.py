"""What is built of the source: a wheel that works where there is nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT, Home
from test_snippet import snippet

import spaceduck

SDK = ROOT / "sdk/python"
#: Where the set-up puts what the package rests on.
WHEELS = Path(os.environ.get("SDK_WHEELS", ROOT / "target/sdk-python/wheels"))


def run(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    # Nothing of this environment may help.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=kept, timeout=120, cwd=cwd
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    to = ["--wheel-dir", str(folder), str(SDK)]
    run([*pip, "--no-deps", "--no-build-isolation", *to])
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"spaceduck-{spaceduck.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    source = {f"spaceduck/{path.name}" for path in (SDK / "src/spaceduck").iterdir()}
    source.discard("spaceduck/__pycache__")
    assert {name for name in names if "dist-info" not in name} == source
    assert "spaceduck/py.typed" in names


def test_the_wheel_works_in_a_clean_environment(wheel: Path, home: Home, tmp_path: Path) -> None:
    if not WHEELS.is_dir():
        pytest.fail(f"`{WHEELS}` is missing; `cargo xtask setup` makes it")
    run([sys.executable, "-m", "venv", tmp_path / "venv"])
    python = tmp_path / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([str(word) for word in (*pip, "--no-index", "--find-links", WHEELS, wheel)])
    (tmp_path / "snippet.py").write_text(snippet(home))
    said = run([python, tmp_path / "snippet.py"], tmp_path)
    assert said.endswith("Peck status: pending\n")
    where = "import spaceduck; print(spaceduck.__file__)"
    assert "venv" in run([python, "-c", where], tmp_path)


def test_the_package_rests_on_two_libraries() -> None:
    needed = re.search(r"^dependencies = (.+)$", (SDK / "pyproject.toml").read_text(), re.M)
    assert needed
    assert re.findall(r'"([^<>="]+)[<>]', needed[1]) == ["httpx", "PyJWT[crypto]"]


def test_the_version_is_that_of_the_project() -> None:
    found = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.M)
    assert found
    assert found[1] == spaceduck.__version__
