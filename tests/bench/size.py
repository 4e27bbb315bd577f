#!/usr/bin/env python3
"""Prints the size, the start-up time and the idle memory of a Gatelodge binary.

Start-up is the time from exec to the first response, on a store that exists (median of 15 starts,
each ended by SIGKILL) and on none (the very first start, median of 5).
"""

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PATH = "/.well-known/openid-configuration"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(port, deadline):
    """Asks until the server responds."""
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", PATH)
            if connection.getresponse().status == 200:
                return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit("the server did not respond")
            time.sleep(0.0005)


def start(binary, data, port):
    """Starts the server, and gives it with the milliseconds to its first response."""
    started = time.monotonic()
    server = subprocess.Popen(
        [binary, "serve", "--data", data, "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait(port, started + 20)
    return server, (time.monotonic() - started) * 1000


def stop(server, how=signal.SIGKILL):
    server.send_signal(how)
    server.wait()


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return float("nan")


def main():
    binary = sys.argv[1]
    print(f"size             {os.path.getsize(binary) / 1e6:.2f} MB")

    first = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as data:
            server, took = start(binary, data, free_port())
            first.append(took)
            stop(server)
    print(f"first start      {statistics.median(first):.1f} ms to the first response")

    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        server, _ = start(binary, data, port)
        time.sleep(3)  # its keys are made
        stop(server, signal.SIGTERM)
        later = []
        for _ in range(15):
            server, took = start(binary, data, port)
            later.append(took)
            stop(server)
        print(f"start            {statistics.median(later):.1f} ms to the first response"
              f" (least {min(later):.1f})")
        server, _ = start(binary, data, port)
        time.sleep(2)
        print(f"idle memory      {resident(server.pid):.1f} MB resident")
        stop(server, signal.SIGTERM)


if __name__ == "__main__":
    main()
