"""A FastAPI service for ducklings of tier T1 or higher that have bonded with it.

    SPACEDUCK_API=http://localhost:3825 BEAK_KEY_FILE=service.key uvicorn t1_service:app

The service is a duckling of its own. A caller pecks it, and after the approval sends the id of that
peck as `Authorization: Bearer PECK_ID`, with its certificate in `X-Certificate`. The peck shows who
calls: only its two sides and the galaxy know its id. The certificate shows the tier, and nothing
more: certificates are public, and anyone can show a copy. Serve this over TLS.
"""

import os
import pathlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")
#: For how many seconds an answer of the galaxy counts. A revoked certificate may pass that long.
#: The galaxy answers 60 such questions a minute for one address.
BELIEVED = 60.0


class NoBondError(Exception):
    """The peck is unknown, is not approved, or is another duckling's."""


class Gate:
    """Looks up the caller's peck, and checks its certificate."""

    def __init__(self, duck: spaceduck.AsyncDuck) -> None:
        self.duck = duck
        self.held: dict[str, float] = {}

    async def admit(self, peck_id: str, certificate: str) -> spaceduck.Claims:
        # Offline and first: a certificate that this galaxy did not sign costs it no call.
        claims = await self.duck.verify_certificate(certificate)
        try:
            peck = await self.duck.get_peck(peck_id)
        except (spaceduck.NotFoundError, spaceduck.InvalidRequestError, spaceduck.UsageError):
            raise NoBondError from None
        if (peck.status, peck.source_duckling_id) != ("approved", claims.duckling_id):
            raise NoBondError
        now = time.monotonic()
        if self.held.get(claims.cert_id, -BELIEVED) + BELIEVED <= now:
            judgement = await self.duck.check_certificate(certificate)
            if not judgement.valid:
                reason = judgement.status or "unknown"
                raise spaceduck.InvalidCertificateError(f"it is {reason}", reason=reason)
            self.held = {cert: at for cert, at in self.held.items() if at + BELIEVED > now}
            self.held[claims.cert_id] = now
        return claims


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    key = pathlib.Path(os.environ["BEAK_KEY_FILE"]).read_text()
    async with spaceduck.AsyncDuck(key, API, timeout=5, retries=0) as duck:
        app.state.gate = Gate(duck)
        yield


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer(description="The id of an approved peck", auto_error=False)


async def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    x_certificate: Annotated[str, Header(description="The caller's birth certificate")] = "",
) -> spaceduck.Claims:
    """Who is calling; rejects callers below T1 and callers without a bond."""
    challenge = {"WWW-Authenticate": "Bearer"}
    if given is None:
        raise HTTPException(401, "send the id of your peck", challenge)
    gate: Gate = request.app.state.gate
    try:
        claims = await gate.admit(given.credentials, x_certificate)
    except spaceduck.InvalidCertificateError as error:
        raise HTTPException(401, f"invalid certificate: {error}", challenge) from None
    except NoBondError:
        raise HTTPException(401, "no bond with this service", challenge) from None
    except spaceduck.SpaceDuckError:
        # Fail closed: a galaxy that does not respond can't vouch for a caller.
        raise HTTPException(503, "the galaxy does not respond; try again later") from None
    if not claims.is_at_least("T1"):
        raise HTTPException(403, "this needs trust tier T1")
    return claims


@app.get("/pond")
async def pond(duckling: Annotated[spaceduck.Claims, Depends(caller)]) -> dict[str, str]:
    return {"for": duckling.duckling_id, "name": duckling.name, "pond": "north"}
