"""Makes `_sync.py` of `_async.py`: what waits is what is awaited, without the words for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src/spaceduck"
#: What becomes of each word, in this order.
WORDS = {
    r"\basync (?=def|with|for)": "",
    r"\bawait ": "",
    r"\baclose\b": "close",
    r"\b__a(?=enter|exit)": "__",
    r"Async(?=[A-Z])": "",
}
HEAD = '"""The clients that wait. `python tests/sync.py` makes this file of `_async.py`."""'


def made() -> str:
    """What `_sync.py` has to be."""
    _, text = (SOURCE / "_async.py").read_text().split('"""\n', 1)
    for word, other in WORDS.items():
        text = re.sub(word, other, text)
    name = str(SOURCE / "_sync.py")
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", name, "-"]
    done = subprocess.run(
        command, input=f"{HEAD}\n{text}", capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    (SOURCE / "_sync.py").write_text(made())
