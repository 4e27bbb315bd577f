"""A new user, who has what `make dist` made, a shell and its tools, and nothing else: from the install line to
tokens in the shell. What they type and read is written down, with the time that each step took, in
target/interop/new-user.txt."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
TRANSCRIPT = ROOT / "target" / "interop" / "new-user.txt"

# A network of its own: the server has its usual port, whatever else runs here, and there is no way out.
if "NEW_USER" not in os.environ:
    alone = ["bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-net", "--unshare-pid"]
    alone += ["--die-with-parent", "--setenv", "NEW_USER", "1", sys.executable, *sys.argv]
    os.execvp(alone[0], alone)

from chromium import Window  # noqa: E402 - it is of no use outside
from support import ended, said as said_by, story  # noqa: E402

# What a shell is without.
TOOLS = "awk basename cat cp cut dirname find gzip ls mkdir mktemp mv rm sed sh sha256sum tar tr wget"

home = Path(tempfile.mkdtemp(prefix="gatelodge-new-user-"))
transcript = []


def empty_root():
    """A root with a shell and its tools, and with what was made."""
    for directory in "bin", "home/ada", "tmp":
        (home / "root" / directory).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), home / "root/bin/busybox")
    for tool in TOOLS.split():
        (home / "root/bin" / tool).symlink_to("busybox")
    shutil.copytree(os.environ["DIST"], home / "root/dist")


def inside(line, path="/bin"):
    """What runs a line in that root, as somebody who is nobody outside."""
    words = ["bwrap", "--bind", str(home / "root"), "/", "--proc", "/proc", "--dev", "/dev"]
    words += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent", "--chdir", "/home/ada"]
    words += ["--clearenv", "--setenv", "HOME", "/home/ada", "--setenv", "PATH", path, "--setenv", "TERM", "xterm"]
    return [*words, "/bin/sh", "-c", line]


class Shell:
    """The terminals of that person."""

    path = "/bin"

    def run(self, line):
        """Runs a line, writes down what is read then, and gives it."""
        ran = subprocess.run(inside(line, self.path), capture_output=True, text=True, timeout=60)
        transcript.extend([f"$ {line}", *(ran.stdout + ran.stderr).splitlines()])
        assert ran.returncode == 0, f"{line}: {ran.returncode}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def at_a_terminal(self, line):
        return Terminal(line, self.path)


class Terminal:
    """A command that goes on, in a terminal of its own."""

    def __init__(self, line, path):
        self.line, self.said = line, b""
        self.process, self.terminal = pty.fork()
        if not self.process:
            words = inside(line, path)
            os.execvp(words[0], words)

    def __enter__(self):
        self.place = len(transcript)
        return self

    def text(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self.said.decode(errors="replace"))

    def reads(self):
        """Whether it said more, and has not ended."""
        ready, _, _ = select.select([self.terminal], [], [], 20)
        assert ready, f"{self.line} says nothing more than {self.text()}"
        with contextlib.suppress(OSError):
            more = os.read(self.terminal, 65536)
            self.said += more
            return bool(more)
        return False

    def wait_for(self, pattern):
        """The part of `pattern` in what it says, once it says it."""
        while not (match := re.search(pattern, self.text())):
            assert self.reads(), f"{self.line} ended without {pattern}, and said {self.text()}"
        return match[1]

    def ends(self):
        """Its end, which is a good one."""
        while self.reads():
            pass
        _, status = os.waitpid(self.process, 0)
        self.process = None
        assert status == 0, f"{self.line} ended with {os.waitstatus_to_exitcode(status)}: {self.text()}"

    def stop(self):
        """Ends the program itself, at the end of the chain of those that run it."""
        last = self.process
        while children := Path(f"/proc/{last}/task/{last}/children").read_text().split():
            last = int(children[0])
        os.kill(last, signal.SIGTERM)
        self.ends()

    def __exit__(self, *_):
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.terminal)
        # Where it began; what was typed elsewhere meanwhile comes after it.
        transcript[self.place : self.place] = [f"$ {self.line}", *self.text().splitlines()]


class Clock:
    """How long each step takes."""

    def __init__(self):
        self.last, self.steps = time.monotonic(), []

    def step(self, name):
        now = time.monotonic()
        self.steps.append(now - self.last)
        transcript.append(f"# {name}: {now - self.last:.2f} s")
        self.last = time.monotonic()

    def skip(self):
        self.last = time.monotonic()


@story("from the install line to tokens in the shell, by what was given away alone")
def _():
    empty_root()
    shell = Shell()
    [archive] = (home / "root/dist").glob("*.tar.gz")
    clock = Clock()

    said = shell.run(f"sh /dist/install.sh --from /dist/{archive.name}")
    shell.path = re.search(r'export PATH="(.*):\$PATH"', said)[1] + ":/bin"
    clock.step("install")

    with Window() as window:
        clock.skip()
        with shell.at_a_terminal("gatelodge") as server:
            link = server.wait_for(r"sign up +(http://localhost:7455/setup#gl_st_\S+)\s")
            clock.step("start")

            window.open(link)
            window.reads("Make yourself at home")
            window.fill("username", "ada")
            window.fill("display_name", "Ada Lovelace")
            window.press("Create a passkey")
            window.is_at("/gate/account")
            window.reads("Ada Lovelace")
            clock.step("sign-up with a passkey")

            shell.run("gatelodge client add shop --redirect http://127.0.0.1:3000/callback")
            assert "http://127.0.0.1:3000/callback" in shell.run("gatelodge client show shop")
            clock.step("a client, by its name")

            with shell.at_a_terminal("gatelodge login --no-browser") as login:
                window.open(login.wait_for(r"(http://localhost:7455/oauth/authorize\S+)\s"))
                window.press("Allow")
                login.ends()
            clock.step("login")

            own = shell.run("gatelodge credential").strip()
            address = "http://127.0.0.1:7455/oauth/userinfo"
            told = shell.run(f'wget -q -O - --header "Authorization: Bearer $(gatelodge credential)" {address}')
            assert said_by(own)["sub"] == json.loads(told)["sub"]
            clock.step("a token of that person in the shell, and what it opens")

            robot = json.loads(shell.run("gatelodge client add robot --grant client_credentials --json"))
            secret = f"client_id={robot['client_id']}&client_secret={robot['client_secret']}"
            body = f"grant_type=client_credentials&{secret}"
            told = shell.run(f"wget -q -O - --post-data '{body}' http://127.0.0.1:7455/oauth/token")
            assert said_by(json.loads(told)["access_token"])["client_id"] == robot["client_id"]
            clock.step("a token of a client, by HTTP alone")
            transcript.append(f"# together: {sum(clock.steps):.2f} s")

            server.stop()


try:
    ended()
finally:
    shutil.rmtree(home)
    TRANSCRIPT.parent.mkdir(parents=True, exist_ok=True)
    # The secrets end with the server that gave them.
    TRANSCRIPT.write_text("\n".join(transcript) + "\n")
