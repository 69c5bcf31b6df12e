#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A guest that has not got far: connects to a vhost-user socket, shares memory if told to, starts no
queue, and stays until its standard input ends. Usage: half_guest.py SOCKET [memory]"""
import array
import os
import socket
import struct
import sys

SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 2, 3, 5
MEMORY_BYTES = 2 << 20


def message(request, payload=b""):
    return struct.pack("=III", request, 1, len(payload)) + payload


def main():
    guest = socket.socket(socket.AF_UNIX)
    guest.connect(sys.argv[1])
    guest.send(message(SET_OWNER))
    if len(sys.argv) > 2:
        memory = os.memfd_create("guest")
        os.ftruncate(memory, MEMORY_BYTES)
        region = struct.pack("=IIQQQQ", 1, 0, 0, MEMORY_BYTES, 0, 0)
        guest.send(message(SET_FEATURES, struct.pack("=Q", 1 << 32)))
        guest.sendmsg([message(SET_MEM_TABLE, region)],
                      [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))])
    sys.stdin.read()


main()
