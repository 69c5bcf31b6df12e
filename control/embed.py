#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a header of a JSON file, so that a program carries it: embed.py INPUT OUTPUT NAME."""
import json
import pathlib
import sys

source, target, name = sys.argv[1:]
text = json.dumps(json.loads(pathlib.Path(source).read_text()), separators=(",", ":"))
# Short literals: C99 promises 4095 characters for one.
parts = [json.dumps(text[i:i + 80], ensure_ascii=True) for i in range(0, len(text), 80)]
pathlib.Path(target).write_text(
    "/* SPDX-License-Identifier: BSD-3-Clause */\n/* Made of " + pathlib.Path(source).name + ". */\n"
    "static const char " + name + "[] =\n\t" + "\n\t".join(parts) + ";\n")
