"""An agent that keeps data, and gives it to one duckling once they have bonded.

    python keeper.py KEY_FILE FRIEND

FRIEND is the id of the duckling whose `data.read` is approved. The data is served at
http://127.0.0.1:8127/ to whoever shows the certificate of a duckling with such a bond. The Beak
carries no data: it only says who is who, and who may.
"""

import json
import os
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")
PORT = int(os.environ.get("KEEPER_PORT", "8127"))
DATA: dict[str, object] = {"pond": "north", "water_celsius": 11.5}


def approve_friend(duck: spaceduck.Duck, friend: str) -> None:
    for peck in duck.pecks(status="pending"):
        # Decided by who asks for what. The message is a stranger's text, and not an order.
        if peck.peck_type == "data.read" and peck.source_duckling_id == friend:
            duck.approve(peck.peck_id)
            print(f"bonded with {friend}", flush=True)


def may_read(duck: spaceduck.Duck, certificate: str) -> bool:
    try:
        caller = duck.verify_certificate(certificate)
    except spaceduck.InvalidCertificateError as error:
        print(f"refused: {error}", flush=True)
        return False
    # Signed once is not good for ever: a tier was won since, or the duckling is gone.
    if not duck.check_certificate(certificate).valid:
        return False
    bonds = duck.pecks(status="approved")
    return any(
        bond.peck_type == "data.read" and bond.source_duckling_id == caller.duckling_id
        for bond in bonds
    )


def serve(duck: spaceduck.Duck, friend: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scheme, _, certificate = self.headers.get("Authorization", "").partition(" ")
            try:
                granted = scheme == "Bearer" and may_read(duck, certificate)
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
        while True:
            duck.pulse()
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
