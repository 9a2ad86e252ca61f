"""What dpkg knows of the files of an image: shared by deploy/package-files and deploy/sbom.

A path is relative to the image's root. The names of packages are dpkg's, which may have an architecture: `libc6:arm64`.
"""

import os
import re
import subprocess
import sys

PROGRAM = "usr/bin/spark-operator"
OWN = {PROGRAM, "etc/passwd", "etc/group", "usr/share/doc/spark-operator/copyright"}
GENERATED = {"etc/ssl/certs/ca-certificates.crt": "ca-certificates"}  # by a package's script: dpkg does not know it
# The files that deploy/package-files writes name their package.
MADE = re.compile(r"(?:usr/share/doc|var/lib/dpkg/status\.d)/([^/]+?)(?:/copyright|\.md5sums)?")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def bare(name):
    """A package's name without its architecture."""
    return name.split(":")[0]


def files_below(root):
    """Files and symbolic links."""
    found = []
    for directory, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(directory, name), root) for name in names]
    return sorted(found)


def names_of(path):
    """All names that a file has on this machine, where /lib may be a link to /usr/lib."""
    names = ["/" + path, os.path.realpath("/" + path)]
    names += [name.removeprefix("/usr") for name in names if name.startswith("/usr/lib")]
    return names + ["/usr" + name for name in names if name.startswith("/lib")]


def dpkg_search(names):
    """The package of each of the files that dpkg knows. Asked once for all, since each question reads dpkg's whole database."""
    answer = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False)
    found = {}
    for line in answer.stdout.splitlines():
        owner, name = line.rsplit(": ", 1)
        found[name] = owner.split(", ")[0]
    return found


def owners(root):
    """The package of each file below root; None: a file of the operator itself."""
    paths = files_below(root)
    made = {path: match[1] for path in paths if path not in OWN and (match := MADE.fullmatch(path))}
    owner = {path: None for path in OWN} | GENERATED
    asked = [path for path in paths if path not in owner and path not in made]
    found = dpkg_search([name for path in asked for name in names_of(path)])
    for path in asked:
        known = [found[name] for name in names_of(path) if name in found]
        owner[path] = known[0] if known else sys.exit(f"error: /{path} belongs to no package")
    full = {bare(name): name for name in owner.values() if name}
    owner |= {path: full[name] for path, name in made.items()}
    return {path: owner[path] for path in paths}


def packages(owner):
    return sorted({name for name in owner.values() if name})


def release():
    """The release of Debian: (12, 12.11)"""
    with open("/etc/debian_version", encoding="ascii") as file:
        version = file.readline().strip()
    fields = dict(line.rstrip("\n").split("=", 1) for line in open("/usr/lib/os-release", encoding="utf-8") if "=" in line)
    return fields["VERSION_ID"].strip('"'), version
