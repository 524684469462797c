"""What the documents say, done as they say it."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

from conftest import ROOT, Home, a_mail, totp
from test_examples import Runner, hatched, line
from test_examples import runner as runner
from test_snippet import SNIPPET

import spaceduck

README = (ROOT / "sdk/python/README.md").read_text()
FIRST_HOUR = (ROOT / "docs/first-hour.md").read_text()


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def test_the_readme_runs_from_top_to_bottom(home: Home) -> None:
    agent, other = home.hatch("Agent"), home.hatch("Other")
    with spaceduck.Duck(other.beak_key, home.base) as duck:
        incoming = duck.peck(agent.duckling_id, "data.read").peck_id
    email = a_mail()
    operator, password = home.operator()
    given = {
        "operator@example.com": operator,
        "OPERATOR_PASSWORD": password,
        "sd_bk_your_key_here": agent.beak_key,
        "http://localhost:3825": home.base,
        "dkl_abc123": other.duckling_id,
        "pck_xyz789": incoming,
        "agent@example.com": email,
    }
    names: dict[str, Any] = {}
    for block in blocks(README, "python"):
        text = block
        for placeholder, own in given.items():
            text = text.replace(f'"{placeholder}"', f'"{own}"')
        for statement in ast.parse(text).body:
            source = ast.unparse(statement)
            if "123456" in source:
                # It is known only when the mail is there.
                source = source.replace("123456", home.code(email))
            if "654321" in source:
                source = source.replace("654321", totp(names["secret"].secret))
            exec(source, names)  # noqa: S102
    assert names["hatched"].beak_key == names["key"]
    assert names["claims"].duckling_id == agent.duckling_id

    for name in ("duck", "galaxy", "patient"):
        names[name].close()


def test_the_quickstart_is_the_one_that_was_promised() -> None:
    promised = SNIPPET.replace(
        "https://your-api-gateway-url.execute-api.us-east-1.amazonaws.com/prod",
        "http://localhost:3825",
    )
    assert blocks(README, "python")[0] == promised


def test_the_tables_are_whole() -> None:
    methods = set(re.findall(r"\b(\w+)\(", README))
    public = {
        name
        for kind in (spaceduck.Duck, spaceduck.Person)
        for name in dir(kind)
        if not name.startswith("_")
    }
    assert public - methods - {"api_base", "resend", "tokens"} == set()
    words = dict(re.findall(r"`(\w+Error)` \| `(\w+)`", README))
    assert words == {kind.__name__: kind.code for kind in spaceduck._errors.BY_CODE.values()}
    errors = {name for name in spaceduck.__all__ if name.endswith("Error")}
    assert errors <= set(re.findall(r"`(\w+Error)`", README))


def test_every_link_leads_somewhere() -> None:
    for document in (ROOT / "sdk/python/README.md", ROOT / "docs/first-hour.md"):
        for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
            assert target.startswith("https://") or (document.parent / target).exists(), target


def test_no_document_speaks_of_what_is_not_there() -> None:
    known = {*spaceduck.__all__, "_errors"}
    for folder in ("docs", "pages", "skills", "sdk/python"):
        for document in (ROOT / folder).rglob("*.md"):
            used = set(
                re.findall(
                    r"\bspaceduck\.([A-Z]\w+|verify\w*|hatch|resend)\b", document.read_text()
                )
            )
            assert used <= known, document


def said_of(text: str) -> str:
    """What a program is said to say, as a pattern."""
    return re.sub(r"01\\\.\\\.\\\.", r"\\w+", re.escape(text))


def test_the_first_hour_goes_as_it_is_written(runner: Runner) -> None:
    commands = [each for block in blocks(FIRST_HOUR, "sh") for each in block.splitlines()]
    start, venv, install, *rest = commands
    # The galaxy runs already, and another test installs the package.
    assert start == "cargo galaxy"
    assert (venv, install) == (
        "python3 -m venv agents",
        "agents/bin/pip install ./sdk/python",
    )
    hatches, reads = blocks(FIRST_HOUR, "text")
    ids: dict[str, str] = {}
    running: list[subprocess.Popen[str]] = []
    for command in rest:
        python, path, *words = command.split()
        assert python == "agents/bin/python"
        words = [ids.get(word, word) for word in words]
        process = runner.start(str(ROOT / path), *words)
        if Path(path).name == "hatch.py":
            name, email = words
            ids[f"dkl_{name.upper()}"] = hatched(runner, process, email)
        elif Path(path).name == "keeper.py":
            runner.environment["KEEPER_URL"] = line(process, r"keeps data at (\S+)")[1]
            running.append(process)
        else:
            said = runner.end(process)
            assert re.fullmatch(said_of(reads), said), said
    assert set(ids) == {"dkl_KEEPER", "dkl_READER"}
    assert len(running) == 1
    assert hatches.startswith("Keeper has hatched: dkl_01... Its key is in keeper.key")
