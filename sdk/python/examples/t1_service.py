"""A FastAPI service that only lets in ducklings of tier T1 or higher, by their certificate.

    SPACEDUCK_API=http://localhost:3825 uvicorn t1_service:app

A caller sends `Authorization: Bearer <certificate>`. Whoever has a certificate can show it, so
serve this over TLS and write no certificate into a log.
"""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")
#: How long an answer of the galaxy is believed: so long a revoked certificate may still get in.
#: The galaxy answers 60 such questions a minute for one address.
BELIEVED = 60.0


class Gate:
    """Checks certificates here, and now and then asks the galaxy whether they still hold."""

    def __init__(self, galaxy: spaceduck.AsyncGalaxy) -> None:
        self.galaxy = galaxy
        self.held: dict[str, float] = {}

    async def admit(self, certificate: str) -> spaceduck.Claims:
        # Offline and first: what this galaxy has not signed costs it no call.
        claims = await self.galaxy.verify_certificate(certificate)
        now = time.monotonic()
        if self.held.get(claims.cert_id, -BELIEVED) + BELIEVED <= now:
            judgement = await self.galaxy.check_certificate(certificate)
            if not judgement.valid:
                reason = judgement.status or "unknown"
                raise spaceduck.InvalidCertificateError(f"it is {reason}", reason=reason)
            self.held = {cert: at for cert, at in self.held.items() if at + BELIEVED > now}
            self.held[claims.cert_id] = now
        return claims


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with spaceduck.AsyncGalaxy(API, timeout=5, retries=0) as galaxy:
        app.state.gate = Gate(galaxy)
        yield


app = FastAPI(lifespan=lifespan)
bearer = HTTPBearer(description="A birth certificate", auto_error=False)


async def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> spaceduck.Claims:
    """Who is calling; nobody below T1 gets past this."""
    challenge = {"WWW-Authenticate": "Bearer"}
    if given is None:
        raise HTTPException(401, "show a birth certificate", challenge)
    gate: Gate = request.app.state.gate
    try:
        claims = await gate.admit(given.credentials)
    except spaceduck.InvalidCertificateError as error:
        raise HTTPException(401, f"this certificate does not do: {error}", challenge) from None
    except spaceduck.SpaceDuckError:
        # Not let in on trust: a galaxy that can't be asked can't vouch for anybody.
        raise HTTPException(503, "the galaxy does not answer; try again later") from None
    if not claims.is_at_least("T1"):
        raise HTTPException(403, "this needs trust tier T1")
    return claims


@app.get("/pond")
async def pond(duckling: Annotated[spaceduck.Claims, Depends(caller)]) -> dict[str, str]:
    return {"for": duckling.duckling_id, "name": duckling.name, "pond": "north"}
