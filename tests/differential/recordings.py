#!/usr/bin/env python3
"""Recordings of several versions of Spark, stored as one whole and what each other version does differently.

usage: recordings.py pack FOLDER PACKED      FOLDER/VERSION/NAME.json  ->  PACKED/3.5.6/NAME.json, PACKED/VERSION.diff
       recordings.py unpack PACKED FOLDER    the other way round

A VERSION.diff is a unified diff without context, to be read: it shows what that version changed since the one before.
"""
import difflib
import os
import re
import shutil
import sys

WHOLE = "3.5.6"
BEFORE = {"3.4.4": "3.5.6", "4.0.1": "3.5.6", "4.1.0": "4.0.1", "4.2.1": "4.1.0", "4.3.0": "4.2.1"}
HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


def read(path):
    """The lines of a file; none if it is not there."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="\n") as file:
        return file.read().split("\n")


def differences(folder, before, version):
    """The unified diff of two versions."""
    names = sorted({*os.listdir(os.path.join(folder, before)), *os.listdir(os.path.join(folder, version))})
    out = []
    for name in names:
        old, new = (read(os.path.join(folder, v, name)) for v in (before, version))
        out += difflib.unified_diff(old, new, name, name, lineterm="", n=0)
    return "\n".join(out) + "\n"


def pack(folder, packed):
    shutil.rmtree(packed, ignore_errors=True)
    shutil.copytree(os.path.join(folder, WHOLE), os.path.join(packed, WHOLE))
    for version, before in BEFORE.items():
        with open(os.path.join(packed, version + ".diff"), "w", encoding="utf-8", newline="\n") as file:
            file.write(differences(folder, before, version))


def hunks(text):
    """(name, [(first line, number of lines, new lines)...]) for each file of a diff."""
    files = []
    for line in text.split("\n"):
        match = HUNK.fullmatch(line)
        if line.startswith("--- "):
            files.append((line[4:], []))
        elif match:
            count = int(match[2] or 1)
            files[-1][1].append((int(match[1]) - (count > 0), count, []))
        elif line.startswith("+") and not line.startswith("+++ "):
            files[-1][1][-1][2].append(line[1:])
    return files


def unpack(packed, folder):
    shutil.copytree(os.path.join(packed, WHOLE), os.path.join(folder, WHOLE))
    for version, before in BEFORE.items():
        shutil.copytree(os.path.join(folder, before), os.path.join(folder, version))
        with open(os.path.join(packed, version + ".diff"), encoding="utf-8", newline="\n") as file:
            changes = hunks(file.read())
        for name, parts in changes:
            path = os.path.join(folder, version, name)
            lines = read(path)
            for first, count, new in reversed(parts):
                lines[first:first + count] = new
            if not lines:
                os.remove(path)
                continue
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    {"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2], sys.argv[3])
