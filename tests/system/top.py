#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""weft top on a terminal of 24 lines and 80 columns: top.py WEFT PORT, or WEFT CHANNEL channels

Shows the port or the channel, sorts by key, ends with q, with Ctrl-C and with SIGTERM, and leaves the terminal as it was.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

SECONDS = 30
ENTER, LEAVE = b"\033[?1049h", b"\033[?1049l"


def await_text(fd, text, seen=b""):
    end = time.monotonic() + SECONDS
    while text not in seen:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            sys.exit(f"no {text!r} within {SECONDS} s in {seen!r}")
        seen += os.read(fd, 65536)
    return seen


def run(weft, port, words, stop):
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(there)
    top = subprocess.Popen([weft, "top", *words, "--interval", "0.2"], stdin=there, stdout=there, stderr=there,
                           preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
    seen = await_text(here, port.encode())
    assert ENTER in seen and termios.tcgetattr(there) != before
    os.write(here, b"d")
    seen = await_text(here, b"sorted by d")
    picture = seen[seen.index(b"sorted by d"):].decode().replace("\033[K", "").replace("\033[J", "")
    assert all(len(line) <= 80 for line in picture.split("\r\n")), picture
    stop(here, top)
    await_text(here, LEAVE)
    assert top.wait(SECONDS) == 0
    assert termios.tcgetattr(there) == before, "the terminal is not as it was"


def main():
    weft, port, *words = sys.argv[1:]
    run(weft, port, words, lambda here, top: os.write(here, b"q"))
    run(weft, port, words, lambda here, top: os.write(here, b"\003"))
    run(weft, port, words, lambda here, top: top.send_signal(signal.SIGTERM))
    print("weft top: shows, sorts, ends and leaves the terminal as it was")


main()
