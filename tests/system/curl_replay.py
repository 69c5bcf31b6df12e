#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the CLI asks, curl can ask: records requests of weft, and sends them again with curl.

record DIR/weftd.sock RELAY/weftd.sock LOG   passes every connection on, and writes the request and
                                             the answer as a line of JSON
replay LOG DIR/weftd.sock                    sends the same to a new weftd with curl; the answers must
                                             be the same but for what differs from run to run
"""
import json
import re
import select
import socket
import subprocess
import sys
import time

# What two runs do not share: times, counters, ages, process ids, revisions.
VOLATILE = {"pid", "until", "seconds", "epoch", "time", "age_s", "turns", "busy_cycles", "idle_cycles", "sleeps",
            "busy_frames", "busy_percent", "memory_bytes", "rx_frames", "rx_bytes", "tx_frames", "tx_bytes",
            "generated", "copies", "drops", "tsc_hz", "entries", "places", "revision", "deadline",
            "left_s"}
SECONDS = 10


def read_message(stream):
    """Head and body of one HTTP message with a length; None at the end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    found = re.search(rb"^content-length: *(\d+)", head, re.I | re.M)
    return head.decode(), stream.read(int(found[1])) if found else b""


def record(upstream, relay, log):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(relay)
    listener.listen(8)
    with open(log, "w", encoding="utf-8") as out:
        while True:
            client, _ = listener.accept()
            with client, socket.socket(socket.AF_UNIX) as server:
                server.connect(upstream)
                there, back = client.makefile("rwb"), server.makefile("rwb")
                while (request := read_message(there)) is not None:
                    back.write(request[0].encode() + request[1])
                    back.flush()
                    answer = read_message(back)
                    there.write(answer[0].encode() + answer[1])
                    there.flush()
                    line, *headers = request[0].strip().split("\r\n")
                    method, path, _ = line.split()
                    etag = re.search(r'^etag: "(\d+)"', answer[0], re.I | re.M)
                    out.write(json.dumps({
                        "method": method, "path": path, "headers": headers, "body": request[1].decode(),
                        "etag": etag and etag[1], "status": int(answer[0].split()[1]), "answer": answer[1].decode()}) + "\n")
                    out.flush()


def stable(value):
    if isinstance(value, dict):
        return {k: stable(v) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, str):
        return re.sub(r"\bpid \d+", "pid N", re.sub(r"\b\d{8}T\d{6}\.\d{3}Z-", "TIME-", value))
    return [stable(v) for v in value] if isinstance(value, list) else value


def parse(text):
    try:
        return stable(json.loads(text))
    except ValueError:
        return text


def send(path, request, revisions):
    """Status, ETag and body of what curl gets. Revisions of the first run become those of this one."""
    def now(found):
        return found[1] + revisions.get(found[2], found[2])

    args = ["curl", "-s", "-i", "--path-as-is", "--unix-socket", path, "-X", request["method"]]
    for header in request["headers"]:
        if re.match(r"(accept|content-type|if-match):", header, re.I):
            args += ["-H", re.sub(r'(If-Match: ")(\d+)', now, header)]
    if request["body"]:
        args += ["--data-binary", "@-"]
    args += ["http://weft" + re.sub(r"(/history/|revision=)(\d+)", now, request["path"])]
    result = subprocess.run(args, input=request["body"], text=True, capture_output=True, check=True,
                            timeout=60)
    head, _, body = result.stdout.replace("\r\n", "\n").partition("\n\n")
    etag = re.search(r'^etag: "(\d+)"', head, re.I | re.M)
    return int(head.split()[1]), etag and etag[1], body


def is_same(request, status, body):
    return status == request["status"] and parse(body) == parse(request["answer"].replace("\r\n", "\n"))


def replay(log, path):
    n_bad, revisions = 0, {}
    with open(log, encoding="utf-8") as lines:
        requests = [json.loads(line) for line in lines]
    for request in requests:
        status, etag, body = send(path, request, revisions)
        # Who only asks may have been too quick for what comes about by itself, such as a link.
        end = time.monotonic() + SECONDS
        while request["method"] == "GET" and not is_same(request, status, body) and time.monotonic() < end:
            select.select([], [], [], 0.05)
            status, etag, body = send(path, request, revisions)
        if request["etag"] and etag:
            revisions[request["etag"]] = etag
        if not is_same(request, status, body):
            n_bad += 1
            print(f"{request['method']} {request['path']}:\n  weft: {request['status']} "
                  f"{parse(request['answer'])}\n  curl: {status} {parse(body)}")
    print(f"{len(requests)} requests of weft sent by curl, {n_bad} answered otherwise")
    sys.exit(1 if n_bad or not requests else 0)


if sys.argv[1] == "record":
    record(*sys.argv[2:5])
replay(*sys.argv[2:4])
