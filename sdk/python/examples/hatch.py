"""Hatches a duckling and keeps its Beak Key in a file that only you can read.

    python hatch.py NAME EMAIL

SPACEDUCK_API is the galaxy's address; without it, the local one. A local galaxy takes any captcha;
on another one people hatch on the site `spaceduckling`, where a captcha can be solved.
"""

import getpass
import os
import sys

import spaceduck

API = os.environ.get("SPACEDUCK_API", "http://localhost:3825")

ANY_CAPTCHA = "local"


def main(name: str, email: str) -> None:
    path = f"{name.lower()}.key"
    with spaceduck.Galaxy(API) as galaxy:
        password = getpass.getpass("A password of at least 12 characters: ")
        galaxy.hatch(email, password, name, ANY_CAPTCHA)
        print(f"A code is on its way to {email}. A local galaxy keeps it at {API}/outbox")
        # The file first: the key is shown only once, and then there has to be a place for it.
        with open(path, "x", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            try:
                hatched = verified(galaxy, email)
            except BaseException:
                os.remove(path)
                raise
            file.write(hatched.beak_key)
    print(f"{name} has hatched: {hatched.duckling_id}. Its key is in {path}")


def verified(galaxy: spaceduck.Galaxy, email: str) -> spaceduck.Hatched:
    while True:
        try:
            return galaxy.verify(email, input("The code: ").strip())
        except (spaceduck.OtpMismatchError, spaceduck.InvalidRequestError) as error:
            print(error.message)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (spaceduck.SpaceDuckError, FileExistsError) as error:
        sys.exit(f"error: {error}")
