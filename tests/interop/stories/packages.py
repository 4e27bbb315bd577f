"""The packages for npm and PyPI, each made of the binary and installed into a new project: what their
READMEs show, and clients of the MCP SDK against a server that nobody has to click for."""

import os
import re
import shutil
import subprocess
import sys
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


def blocks(package, language):
    text = (PACKAGES / package / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


home = Path(tempfile.mkdtemp(prefix="gatelodge-packages-"))
try:
    made = home / "made"
    run(str(PACKAGES / "make"), os.environ["GATELODGE"], str(made), where=home)
    [tarball], [wheel] = made.glob("*.tgz"), made.glob("*.whl")
    node, python = home / "node", home / "python"

    @story("npm: a new project, by the lines of the README")
    def _():
        node.mkdir()
        (node / "package.json").write_text('{"type": "module"}')
        run("npm", "install", "--no-audit", "--no-fund", str(tarball), where=node)
        [lines] = blocks("npm", "js")
        (node / "try.js").write_text(lines)
        said = run(NODE, "try.js", where=node).split()
        assert said[0].endswith("/oauth/token") and int(said[1]) >= 1, said
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

    @story("PyPI: a new project, by the lines of the README")
    def _():
        run(sys.executable, "-m", "venv", str(python), where=home)
        pip = [str(python / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, str(wheel), "pytest==9.0.2", where=home)
        first = blocks("pypi", "python")[0]
        (python / "test_readme.py").write_text(first)
        said = run(str(python / "bin" / "pytest"), "-q", "test_readme.py", where=python)
        assert "1 passed" in said, said
        assert "gatelodge 0." in run(str(python / "bin" / "gatelodge"), "version", where=python)

    @story("PyPI: options of one's own, and errors that say what is wrong")
    def _():
        (python / "conftest.py").write_text(blocks("pypi", "python")[1].replace('"apply": "house.toml", ', ""))
        (python / "test_own.py").write_text(
            textwrap.dedent("""
                import gatelodge as package
                import pytest


                def test_options(gatelodge):
                    assert gatelodge.ready["auto_approve"] == "bob"
                    assert gatelodge.ready["now"] == "2030-01-01T00:00:00Z"
                    with pytest.raises(package.GatelodgeError) as refused:
                        gatelodge.advance("soon")
                    assert refused.value.status == 400


                def test_start():
                    with pytest.raises(package.GatelodgeError, match="ended with 2"):
                        package.start(clock="soon")
            """)
        )
        said = run(str(python / "bin" / "pytest"), "-q", "test_own.py", where=python)
        assert "2 passed" in said, said
finally:
    shutil.rmtree(home)

ended()
