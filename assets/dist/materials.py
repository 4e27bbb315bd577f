#!/usr/bin/env python3
"""Prints what the program is made of, as a CycloneDX bill of materials (1.5).

The crates are those that the program is linked of on this machine's target, as Cargo.lock pins them.
"""

import json
import os
import subprocess
import sys
import tomllib
import uuid
from datetime import datetime, timezone


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def target():
    return next(line[6:] for line in run("rustc", "-vV").splitlines() if line.startswith("host: "))


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def linked(metadata):
    """The ids of the crates that the program is linked of, each with those that it needs."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    needs, waiting = {}, [metadata["resolve"]["root"]]
    while waiting:
        crate = waiting.pop()
        if crate in needs:
            continue
        needs[crate] = sorted(
            needed["pkg"]
            for needed in nodes[crate]["deps"]
            if any(kind["kind"] is None for kind in needed["dep_kinds"])
        )
        waiting += needs[crate]
    return needs


def component(package, sums):
    key = (package["name"], package["version"])
    made = {
        "type": "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package["license"]:
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if sums.get(key):
        made["hashes"] = [{"alg": "SHA-256", "content": sums[key]}]
    if package["repository"]:
        made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return made


def main():
    version = sys.argv[1]
    metadata = json.loads(
        run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target())
    )
    with open("Cargo.lock", "rb") as lock:
        locked = tomllib.load(lock)["package"]
    sums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in locked}
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = linked(metadata)
    root = metadata["resolve"]["root"]
    libraries = sorted((packages[crate] for crate in needs if crate != root), key=reference)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    number = json.dumps([epoch, sorted(reference(packages[crate]) for crate in needs)])
    made = datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    program = component(packages[root], sums) | {"type": "application", "version": version}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same bill has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, number)}",
        "version": 1,
        "metadata": {"timestamp": made, "component": program},
        "components": [component(package, sums) for package in libraries],
        "dependencies": [
            {
                "ref": reference(packages[crate]),
                "dependsOn": sorted(reference(packages[needed]) for needed in needs[crate]),
            }
            for crate in sorted(needs, key=lambda crate: reference(packages[crate]))
        ],
    }
    json.dump(bill, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
