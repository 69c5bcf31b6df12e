#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A caller of the API without manners. usage: api_flood.py SOCKET USER WHAT

header    a header, a byte every 100 ms; prints after how many seconds it is hung up on
body      the same with a body
hold N    opens N connections, says READY and how many were not hung up on at once; holds them
          until its input ends
watch N   the same, each a watch; says how many were not refused
flood N   N requests one after another on one connection; prints how many were answered with 200
          and with 429, how many were more than 200 and 100 a second allow, and the seconds
"""
import os
import pwd
import select
import socket
import sys
import time

REQUEST = b"GET /v1/status HTTP/1.1\r\nHost: weft\r\n\r\n"
WATCH = b"GET /v1/watch HTTP/1.1\r\nHost: weft\r\n\r\n"


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    return s


def trickle(first):
    s = connect()
    start = time.monotonic()
    s.sendall(first)
    while time.monotonic() - start < 60:
        if select.select([s], [], [], 0.1)[0] and not s.recv(4096):
            break
        try:
            s.sendall(b"a")
        except OSError:
            break
    print(f"{time.monotonic() - start:.1f}")


def is_answered(s, request, beginning):
    try:
        s.sendall(request)
        s.settimeout(10)
        return s.recv(65536).startswith(beginning)
    except OSError:
        return False


def hold(n, request, beginning):
    held = [s for s in (connect() for _ in range(n)) if is_answered(s, request, beginning)]
    print("READY", len(held), flush=True)
    sys.stdin.read()


def read_answer(s, data=b""):
    """Status of one answer with a Content-Length."""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += s.recv(65536)
    return int(head.split()[1])


def flood(n):
    s = connect()
    start = time.monotonic()
    seen = {}
    for _ in range(n):
        s.sendall(REQUEST)
        status = read_answer(s)
        seen[status] = seen.get(status, 0) + 1
    took = time.monotonic() - start
    # One more is in the rounding.
    print(seen.get(200, 0), seen.get(429, 0), max(0, seen.get(200, 0) - 201 - int(100 * took)),
          f"{took:.2f}")


user = pwd.getpwnam(sys.argv[2])
os.initgroups(user.pw_name, user.pw_gid)
os.setgid(user.pw_gid)
os.setuid(user.pw_uid)
what = sys.argv[3]
if what == "header":
    trickle(b"GET /v1/status HTTP/1.1\r\nX-Slow: ")
elif what == "body":
    trickle(b"PUT /v1/segments/A HTTP/1.1\r\nHost: weft\r\nContent-Length: 1000000\r\n\r\n")
elif what == "hold":
    hold(int(sys.argv[4]), REQUEST, b"HTTP/1.1 ")
elif what == "watch":
    hold(int(sys.argv[4]), WATCH, b"HTTP/1.1 200 ")
else:
    flood(int(sys.argv[4]))
