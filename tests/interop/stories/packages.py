"""The packages for npm and PyPI, each made of the binary and installed into a new project by the lines of its
README, and clients of the MCP SDK against a server that nobody has to click for."""

import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import textwrap
from pathlib import Path

from support import ended, story

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PACKAGES = ROOT / "assets" / "packages"
NODE = os.environ["NODE"]


def run(*words, where, **more):
    environment = os.environ | more
    result = subprocess.run(words, cwd=where, env=environment, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, f"{words}: {result.stdout}{result.stderr}"
    return result.stdout


def follow(package, where, **more):
    """Does in `where` what every block of the README says, in their order, and gives what the lines of a shell
    printed. A file has the last name in the text before it."""
    text = (PACKAGES / package / "README.md").read_text()
    parts = re.split(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    printed = []
    for before, language, block in zip(parts[::3], parts[1::3], parts[2::3]):
        if language == "sh":
            printed.append(run("sh", "-ec", block, where=where, **more))
        else:
            name = re.findall(r"`([a-z_]+\.[a-z]+)`", before)[-1]
            (where / name).write_text(block)
    assert printed and text.count("```") == 2 * len(parts[1::3])
    return printed


home = Path(tempfile.mkdtemp(prefix="gatelodge-packages-"))
try:
    made = home / "made"
    run(str(PACKAGES / "make"), os.environ["GATELODGE"], str(made), where=home)
    [tarball], [wheel] = made.glob("*.tgz"), made.glob("*.whl")
    node, python = home / "node", home / "python"

    @story("npm: a new project, by every block of the README")
    def _():
        node.mkdir()
        shutil.copy(tarball, node)
        _, tried, manual = follow("npm", node, NPM_CONFIG_AUDIT="false", NPM_CONFIG_FUND="false")
        endpoint, received = tried.split()
        assert endpoint.endswith("/oauth/token") and int(received) >= 1, tried
        assert "startGatelodge" in manual
        assert "gatelodge 0." in run("npx", "gatelodge", "version", where=node)

    @story("npm: the types are those of the module")
    def _():
        (node / "check.mjs").write_text(
            textwrap.dedent("""
                import { readFileSync } from "node:fs";
                import { startGatelodge, GatelodgeError } from "gatelodge";
                const types = readFileSync("node_modules/gatelodge/index.d.ts", "utf8");
                const body = types.split("export interface Gatelodge extends")[1];
                const declared = [...body.matchAll(/^  (\\w+)\\(/gm)].map((match) => match[1]).sort();
                const server = await startGatelodge();
                const own = Object.getOwnPropertyNames(Object.getPrototypeOf(server));
                const there = own.filter((name) => !["constructor", "log"].includes(name)).sort();
                if (String(declared) !== String(there)) throw new Error(`${declared} and ${there}`);
                const refused = await server.advance("soon").catch((error) => error);
                if (!(refused instanceof GatelodgeError) || refused.status !== 400) throw refused;
                await server.stop();
                const failed = await startGatelodge({ clock: "soon" }).catch((error) => error);
                if (!(failed instanceof GatelodgeError) || !failed.message.includes("ended with 2")) throw failed;
            """)
        )
        run(NODE, "check.mjs", where=node)

    @story("npm: a client of the MCP SDK signs in with nobody at it")
    def _():
        script = Path(os.environ["PERSON_PROGRAM"]).parent / "stories" / "packaged.mjs"
        run(NODE, str(script), where=node, PACKAGE=str(node / "node_modules/gatelodge/index.js"))

    @story("PyPI: a new project, by every block of the README")
    def _():
        python.mkdir()
        shutil.copy(wheel, python)
        (home / "constraints").write_text("pytest==9.0.2\n")
        pip = {"PIP_CONSTRAINT": str(home / "constraints"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        _, tried, printed, manual = follow("pypi", python, **pip)
        assert "1 passed" in tried, tried
        assert printed.startswith("http://localhost:"), printed
        assert "fixture" in manual
        # Now by the options of the README, too.
        assert "1 passed" in run(".venv/bin/pytest", "-q", "test_first.py", where=python)
        assert "gatelodge 0." in run(".venv/bin/gatelodge", "version", where=python)

    @story("PyPI: a server and a client of the MCP SDK, with nobody who signs in")
    def _():
        shutil.copy(Path(__file__).with_name("packaged.py"), home / "test_packaged.py")
        own = sysconfig.get_path("purelib")
        said = run(str(python / ".venv/bin/pytest"), "-q", "test_packaged.py", where=home, PYTHONPATH=own)
        assert "2 passed" in said, said

    @story("PyPI: options of one's own, and errors that say what is wrong")
    def _():
        (python / "test_own.py").write_text(
            textwrap.dedent("""
                import gatelodge as package
                import pytest


                def test_options(gatelodge):
                    assert gatelodge.ready["auto_approve"] == "bob"
                    assert gatelodge.ready["now"] == "2030-01-01T00:00:00Z"
                    assert gatelodge.call("GET", "/api/v1/clients/shop")["name"] == "Shop"
                    with pytest.raises(package.GatelodgeError) as refused:
                        gatelodge.advance("soon")
                    assert refused.value.status == 400


                def test_start():
                    with pytest.raises(package.GatelodgeError, match="ended with 2"):
                        package.start(clock="soon")
            """)
        )
        said = run(".venv/bin/pytest", "-q", "test_own.py", where=python)
        assert "2 passed" in said, said
finally:
    shutil.rmtree(home)

ended()
