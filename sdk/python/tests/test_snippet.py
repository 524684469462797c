"""The quickstart, word for word."""

import re

from conftest import Home

SNIPPET = """\
import spaceduck

# Authenticate with your Beak Key
duck = spaceduck.Duck(
    beak_key="sd_bk_your_key_here",
    api_base="https://your-api-gateway-url.execute-api.us-east-1.amazonaws.com/prod"
)

# Pull live platform metrics
metrics = duck.metrics()
print(f"Ducklings: {metrics['total_ducklings']}")
print(f"Certs issued: {metrics['certs_issued']}")

# Send a peck request to another duckling
result = duck.peck(
    target_duckling_id="dkl_abc123",
    peck_type="data.read",
    message="Hello from my agent"
)
print(f"Peck status: {result['status']}")

# Approve an incoming peck
duck.approve(peck_id="pck_xyz789")
"""


def snippet(home: Home) -> str:
    """The quickstart with a key, an address and ids of one's own, and nothing else changed."""
    import spaceduck

    agent, other = home.hatch("Agent"), home.hatch("Other")
    with spaceduck.Duck(other.beak_key, home.base) as duck:
        incoming = duck.peck(agent.duckling_id, "data.read").peck_id
    given = {
        "sd_bk_your_key_here": agent.beak_key,
        "https://your-api-gateway-url.execute-api.us-east-1.amazonaws.com/prod": home.base,
        "dkl_abc123": other.duckling_id,
        "pck_xyz789": incoming,
    }
    text = SNIPPET
    for placeholder, own in given.items():
        assert text.count(f'"{placeholder}"') == 1
        text = text.replace(placeholder, own)
    return text


def test_the_quickstart_runs_word_for_word(home: Home, capsys: object) -> None:
    from contextlib import redirect_stdout
    from io import StringIO

    said = StringIO()
    with redirect_stdout(said):
        names: dict[str, object] = {}
        exec(snippet(home), names)  # noqa: S102
    duck = names["duck"]
    duck.close()  # type: ignore[attr-defined]
    assert re.fullmatch(
        r"Ducklings: \d+\nCerts issued: \d+\nPeck status: pending\n", said.getvalue()
    )
