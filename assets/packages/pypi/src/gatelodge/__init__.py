"""Starts `gatelodge dev` and speaks with its control API."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

__all__ = ["Gatelodge", "GatelodgeError", "program", "start"]


# The server is on this machine, whatever proxy there is.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GatelodgeError(Exception):
    """An error of a start or of the control API.

    `status` and `body` are those of the response, where there was one.
    """

    def __init__(self, message: str, status: int | None = None, body: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


def program() -> str:
    """The program of this package, or else the one on the path."""
    own = Path(sysconfig.get_path("scripts")) / "gatelodge"
    found = str(own) if own.exists() else shutil.which("gatelodge")
    if found is None:
        raise GatelodgeError("there is no program gatelodge: install the package for this machine")
    return found


class Gatelodge:
    """A server that runs. It ends with `stop`, with a `with` block, or with this process."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any], log: IO[str]) -> None:
        self._process = process
        self._log = log
        self._ended = ""
        #: The first line of the server.
        self.ready = ready
        self.issuer: str = ready["issuer"]
        self.control: str = ready["control"]
        self.token: str = ready["token"]

    def __enter__(self) -> Gatelodge:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it logged."""
        return self._ended if self._log.closed else Path(self._log.name).read_text()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the control API, at a path below `control`."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.control + path, data, headers, method=method)
        try:
            with _DIRECT.open(request, timeout=60) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            try:
                answer = json.loads(text)
            except ValueError:
                answer = {}
            why = answer.get("error_description", text)
            message = f"{method} {path}: {error.code} {why}"
            raise GatelodgeError(message, error.code, answer) from None
        return json.loads(text) if text else None

    def advance(self, time: str) -> Any:
        """Moves the clock on, by a time such as `90s` or `1h`."""
        return self.call("POST", "/clock", {"advance": time})

    def set_clock(self, time: str) -> Any:
        """Sets the clock, to a time such as `2030-01-01T00:00:00Z`."""
        return self.call("POST", "/clock", {"set": time})

    def approve_as(self, user: str | None) -> Any:
        """Who approves from now on; `None`: the pages are displayed."""
        return self.call("PUT", "/approval", {"user": user})

    def fault(self, path: str, **fault: Any) -> Any:
        """Makes the next requests to a path fail, be late or hang.

        `status`, `error`, `delay_ms` or `hang` says how, and `times` how many.
        """
        return self.call("POST", "/faults", {"path": path, **fault})

    def clear_faults(self) -> Any:
        """Lets go what hangs, and forgets every fault."""
        return self.call("DELETE", "/faults")

    def expire(self, **what: str) -> Any:
        """Expires one of `code`, `device_code`, `grant`, `session`."""
        return self.call("POST", "/expire", what)

    def revoke(self, **what: str) -> Any:
        """Revokes one of `code`, `device_code`, `token`, `grant`, `session`."""
        return self.call("POST", "/revoke", what)

    def requests(self) -> list[dict[str, Any]]:
        """The requests that were received."""
        return self.call("GET", "/requests")["items"]

    def reset(self) -> Any:
        """The first state again."""
        return self.call("POST", "/reset")

    def stop(self) -> None:
        """Ends the server."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._log.closed:
            self._ended = self.log
            self._log.close()


def start(
    *,
    apply: str | None = None,
    auto_approve: str | None = None,
    clock: str | None = None,
    config: str | None = None,
    open_clients: bool = False,
    port: int | None = None,
    seed: str | int | None = None,
    program_path: str | None = None,
) -> Gatelodge:
    """Starts a server, and returns it once it is ready. Each option is a flag of `gatelodge dev`."""
    own = program_path or program()
    command = [own, "dev", "--with-parent"]
    named = {
        "apply": apply,
        "auto-approve": auto_approve,
        "clock": clock,
        "config": config,
        "port": port,
        "seed": seed,
    }
    command += [f"--{name}={value}" for name, value in named.items() if value is not None]
    if open_clients:
        command.append("--open-clients")
    # A file never fills up as a pipe does that nobody reads.
    log = tempfile.NamedTemporaryFile("w+", prefix="gatelodge-", suffix=".log")  # noqa: SIM115
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True)
    except OSError as error:
        log.close()
        raise GatelodgeError(f"{own}: {error.strerror}") from error
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        code = process.wait()
        said = Path(log.name).read_text().strip()
        log.close()
        raise GatelodgeError(f"{own} ended with {code}: {said}")
    return Gatelodge(process, json.loads(line), log)
