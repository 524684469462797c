"""What a type checker of a user's code knows; mypy reads this, and Python need not."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import ROOT

import spaceduck

if TYPE_CHECKING:
    from typing_extensions import assert_type

    def waiting(duck: spaceduck.Duck) -> None:
        assert_type(duck.metrics().total_ducklings, int)
        assert_type(duck.metrics().pecks.pending, int)
        assert_type(duck.peck("dkl_", "data.read").expires_at, datetime)
        assert_type(duck.me().last_pulse, datetime | None)
        assert_type(duck.me().tier_request, spaceduck.TierRequest | None)
        assert_type(duck.export().events, tuple[spaceduck.Event, ...])
        for peck in duck.pecks("out"):
            assert_type(peck, spaceduck.Peck)
        for page in duck.audit().pages():
            assert_type(page.items, tuple[spaceduck.Event, ...])
        assert_type(duck.verify_certificate(""), spaceduck.Claims)

    async def awaited(duck: spaceduck.AsyncDuck) -> None:
        assert_type((await duck.metrics()).total_ducklings, int)
        async for peck in duck.pecks("out"):
            assert_type(peck, spaceduck.Peck)
        async with duck as same:
            assert_type(same, spaceduck.AsyncDuck)


CACHE = str(ROOT / "target/sdk-python/mypy-of-users")

WRONG = """
import spaceduck

duck = spaceduck.Duck("sd_bk_", "http://localhost:3825")
duck.metrics().total_duckling
duck.pecks("sideways")
duck.approve(7)
spaceduck.AsyncDuck("sd_bk_", "http://localhost:3825").me().email
"""


def test_a_slip_is_found_before_it_runs(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        "",
        "--cache-dir",
        CACHE,
        "wrong.py",
    ]
    environment = {"MYPYPATH": str(ROOT / "sdk/python/src"), "PATH": ""}
    done = subprocess.run(mypy, cwd=tmp_path, env=environment, capture_output=True, text=True)
    lines = [int(text.split(":")[1]) for text in done.stdout.splitlines() if ": error: " in text]
    assert sorted(set(lines)) == [5, 6, 7, 8], done.stdout + done.stderr
