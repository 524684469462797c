"""An agent that answers pecks by a policy, and leaves the rest to a person.

    python policy.py KEY_FILE POLICY.json [SECONDS]

With SECONDS it looks again after so many; else it looks once. A policy:

    {"approve": [{"peck_type": "data.read", "from": ["dkl_..."]}, {"peck_type": "chat.message"}],
     "deny": ["data.write", "task.delegate"],
     "most_bonds": 50}

It goes by who asks and for what, never by the message: that is a stranger's text, and an agent that
does as strangers write is theirs.
"""

import asyncio
import json
import os
import pathlib
import sys
from dataclasses import dataclass
from typing import Any

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")


@dataclass(frozen=True)
class Policy:
    approve: list[dict[str, Any]]
    deny: list[str]
    most_bonds: int

    def decide(self, peck: spaceduck.Peck, bonds: int) -> str:
        if peck.peck_type in self.deny:
            return "deny"
        for rule in self.approve:
            known = "from" not in rule or peck.source_duckling_id in rule["from"]
            if rule["peck_type"] == peck.peck_type and known and bonds < self.most_bonds:
                return "approve"
        return "leave"


async def answer(duck: spaceduck.AsyncDuck, policy: Policy) -> None:
    bonds = (await duck.me()).bonds
    async for peck in duck.pecks(status="pending"):
        decision = policy.decide(peck, bonds)
        try:
            if decision == "approve":
                await duck.approve(peck.peck_id)
                bonds += 1
            elif decision == "deny":
                await duck.deny(peck.peck_id)
        except spaceduck.ConflictError as error:
            # Withdrawn or run out since it was listed, or a side has all the bonds it may have.
            decision = f"too late: {error.message}"
        print(f"{peck.peck_id} {peck.peck_type} {peck.source_duckling_id}: {decision}", flush=True)


async def main(key: str, policy: Policy, seconds: float | None) -> None:
    async with spaceduck.AsyncDuck(key, API) as duck:
        while True:
            await duck.pulse()
            await answer(duck, policy)
            if seconds is None:
                return
            await asyncio.sleep(seconds)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    try:
        key, text = (pathlib.Path(name).read_text() for name in sys.argv[1:3])
        every = float(sys.argv[3]) if len(sys.argv) == 4 else None
        asyncio.run(main(key, Policy(**json.loads(text)), every))
    except (spaceduck.SpaceDuckError, OSError, ValueError, TypeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        pass
