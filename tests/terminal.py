"""Runs a program in a terminal of a given width and answers what it asks.

Arguments: COLUMNS PROGRAM [ARGUMENT]... On standard input a JSON list of [WORDS, ANSWER]: as soon
as WORDS have appeared, ANSWER is typed with Enter; `Ctrl-C` is that key alone, and `SIGTERM` and
the like are sent to the program. Prints one JSON object: what appeared, without colours, the exit
code, and whether the terminal shows again what is typed.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

columns, *command = sys.argv[1:]
answers = json.load(sys.stdin)

pid, terminal = pty.fork()
if pid == 0:
    # The shell that a person has, and no width but the terminal's own.
    for name in ("COLUMNS", "LINES", "NO_COLOR", "CI"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm-256color"
    # Whoever runs the tests in the background ignores some signals; a person's terminal does not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    # The parent sets the width before it says that all is ready.
    sys.stdin.readline()
    os.execv(command[0], command)

fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, int(columns), 0, 0))
os.write(terminal, b"\n")
seen = b""
looked = 0
while True:
    ready, _, _ = select.select([terminal], [], [], 120)
    if not ready:
        os.kill(pid, 9)
        sys.exit(f"nothing came for two minutes after: {seen[-300:]!r}")
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
    if answers and answers[0][0].encode() in seen[looked:]:
        looked = len(seen)
        answer = answers.pop(0)[1]
        if answer == "Ctrl-C":
            os.write(terminal, b"\x03")
        elif answer.startswith("SIG"):
            os.kill(pid, signal.Signals[answer])
        else:
            os.write(terminal, answer.encode() + b"\n")
status = os.waitpid(pid, 0)[1]
text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07", "", seen.decode())
# The first line is the one that let the program begin, as the terminal echoed it.
text = text.replace("\r\n", "\n").split("\n", 1)[1]
shown = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
code = os.waitstatus_to_exitcode(status)
print(json.dumps({"text": text, "code": code, "unasked": answers, "echo": shown}))
