"""An agent that keeps data and serves it to one duckling that it has bonded with.

    python keeper.py KEY_FILE FRIEND

FRIEND is the id of the duckling whose `data.read` is approved. The data is at
http://127.0.0.1:8127/. A caller sends `Authorization: Bearer PECK_ID` with the id of the peck that
became the bond. Only the two sides of a peck and the galaxy know that id. A certificate would not
do: certificates are public, and anyone can show a copy. The Beak carries no data: it only records
who is who, and who may.
"""

import json
import os
import pathlib
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")
PORT = int(os.environ.get("KEEPER_PORT", "8127"))
#: Seconds. After ten minutes without a pulse an agent counts as slow.
PULSE_EVERY = 300.0
DATA: dict[str, object] = {"pond": "north", "water_celsius": 11.5}


def approve_friend(duck: spaceduck.Duck, friend: str) -> None:
    for peck in duck.pecks(status="pending"):
        # Decided by who asks for what. The message is a stranger's text, and not an order.
        if peck.peck_type == "data.read" and peck.source_duckling_id == friend:
            duck.approve(peck.peck_id)
            print(f"bonded with {friend}", flush=True)


def may_read(duck: spaceduck.Duck, friend: str, peck_id: str) -> bool:
    try:
        # Looked up with our own key at every call: an ended bond opens nothing.
        peck = duck.get_peck(peck_id)
    except (spaceduck.NotFoundError, spaceduck.InvalidRequestError, spaceduck.UsageError):
        return False
    bond = (peck.status, peck.peck_type, peck.source_duckling_id)
    return bond == ("approved", "data.read", friend)


def serve(duck: spaceduck.Duck, friend: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scheme, _, peck_id = self.headers.get("Authorization", "").partition(" ")
            try:
                granted = scheme == "Bearer" and may_read(duck, friend, peck_id)
                status, answer = (200, DATA) if granted else (403, {"error": "forbidden"})
            except spaceduck.SpaceDuckError:
                status, answer = 503, {"error": "unavailable"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", PORT), Handler) as server:
        server.timeout = 2
        print(
            f"{duck.me().duckling_id} keeps data at http://127.0.0.1:{server.server_port}/",
            flush=True,
        )
        pulsed = -PULSE_EVERY
        while True:
            if time.monotonic() - pulsed >= PULSE_EVERY:
                duck.pulse()
                pulsed = time.monotonic()
            approve_friend(duck, friend)
            server.handle_request()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with spaceduck.Duck(pathlib.Path(sys.argv[1]).read_text(), API) as duck:
            serve(duck, sys.argv[2])
    except (spaceduck.SpaceDuckError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        pass
