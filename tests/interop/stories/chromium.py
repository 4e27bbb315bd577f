"""A window of Chromium with a passkey's device in it, and somebody who opens, types and presses."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from websockets.sync.client import connect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
    "--remote-debugging-port=0",
]

# A device that is built in, verifies its person and keeps discoverable passkeys.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def found():
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next(path for path in map(shutil.which, filter(None, names)) if path)


class Window:
    """One window of a browser of its own, which ends with the `with` block."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="gatelodge-chromium-", ignore_cleanup_errors=True)
        words = [found(), *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"]
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        self.process = subprocess.Popen(words, stdin=none, stdout=none, stderr=pipe, text=True)
        try:
            for line in self.process.stderr:
                if line.startswith("DevTools listening on "):
                    address = line.split()[-1]
                    break
            else:
                raise RuntimeError("Chromium did not start")
            self.socket = connect(address, proxy=None, max_size=None)
            self.calls, self.session = 0, None
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
            self.session = attached["sessionId"]
            self.call("Emulation.setFocusEmulationEnabled", enabled=True)
            self.call("WebAuthn.enable")
            self.call("WebAuthn.addVirtualAuthenticator", options=DEVICE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
        self.profile.cleanup()

    def call(self, method, **parameters):
        """One call of the protocol of the developer tools."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=20))
            if answer.get("id") == self.calls:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def ask(self, script):
        """What `script` gives, or None where the page is on its way."""
        try:
            options = {"awaitPromise": True, "returnByValue": True}
            return self.call("Runtime.evaluate", expression=script, **options)["result"].get("value")
        except RuntimeError:
            return None

    def until(self, script, awaited):
        end = time.monotonic() + 10
        while not (answer := self.ask(script)):
            if time.monotonic() > end:
                seen = self.ask("location.href + ': ' + document.body.innerText")
                raise AssertionError(f"no {awaited} at {seen}")
            time.sleep(0.025)
        return answer

    def open(self, url):
        self.call("Page.navigate", url=url)

    def reads(self, text):
        """Waits until `text` can be read."""
        self.until(f"document.readyState === 'complete' && document.body.innerText.includes({json.dumps(text)})", text)

    def is_at(self, path):
        self.until(f"document.readyState === 'complete' && location.pathname === {json.dumps(path)}", path)

    def fill(self, field, text):
        script = f"(it => {{ it?.focus(); it?.select(); return !!it && document.activeElement === it }})"
        self.until(f"{script}(document.getElementById({json.dumps(field)}))", field)
        self.call("Input.insertText", text=text)

    def press(self, label):
        """Presses the button or link that says `label`, where it stands."""
        place = f"""(async () => {{
            const it = [...document.querySelectorAll("button, a")].find((it) =>
                it.innerText.trim() === {json.dumps(label)} && !it.disabled && it.checkVisibility());
            if (!it) return;
            it.scrollIntoView({{ block: "center" }});
            const frame = () => new Promise(requestAnimationFrame);
            await frame(); await frame();
            const box = it.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = self.until(place, label)
        at = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **at)
