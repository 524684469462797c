"""An agent that reads another agent's data: it pecks, waits for the bond, and calls the keeper.

    python reader.py KEY_FILE KEEPER

KEEPER is the id of the duckling that keeps the data, as in keeper.py.
"""

import os
import pathlib
import sys
import time

import httpx

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")
DATA = os.environ.get("KEEPER_URL", "http://127.0.0.1:8127/")


def bond(duck: spaceduck.Duck, keeper: str) -> str:
    """The id of the peck that became the bond."""
    for peck in duck.pecks("out", "approved"):
        if (peck.target_duckling_id, peck.peck_type) == (keeper, "data.read"):
            return peck.peck_id
    # The same key for the same request: after a restart, this agent finds its pending peck again.
    asked = duck.peck(keeper, "data.read", "May I read?", idempotency_key=f"read {keeper}")
    print(f"asked: {asked.peck_id}")
    while (status := duck.get_peck(asked.peck_id).status) == "pending":
        time.sleep(2)
    if status != "approved":
        sys.exit(f"error: the peck was {status}")
    return asked.peck_id


def main(duck: spaceduck.Duck, keeper: str) -> None:
    peck_id = bond(duck, keeper)
    print(f"bonded, and now of tier {duck.me().trust_tier}")
    answer = httpx.get(DATA, headers={"Authorization": f"Bearer {peck_id}"})
    answer.raise_for_status()
    print(f"read: {answer.json()}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with spaceduck.Duck(pathlib.Path(sys.argv[1]).read_text(), API) as duck:
            main(duck, sys.argv[2])
    except (spaceduck.SpaceDuckError, httpx.HTTPError, OSError) as error:
        sys.exit(f"error: {error}")
