"""A browser that is driven through a pipe, as Chrome's DevTools protocol has it; and a small network."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.report import Field, Outlines, Station, StationMap, level_chart, psd_chart

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4);"
    " os.execv(sys.argv[3], sys.argv[3:])"
)
KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "End": ("End", 35, ""),
    "Home": ("Home", 36, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    "+": ("Equal", 187, "+"),
    "-": ("Minus", 189, "-"),
    "0": ("Digit0", 48, "0"),
}


class Browser:
    """One tab of a browser without a window."""

    def __init__(self, program: str, folder: Path) -> None:
        ours, theirs = (os.pipe() for _ in range(2))
        # The browser reads from 3 and writes to 4: what it is given must not stand there already.
        read_end, write_end = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (ours[0], theirs[1]))
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "--disable-dev-shm-usage"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(read_end), str(write_end), program, *options, "about:blank"],
            pass_fds=(read_end, write_end),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (ours[0], theirs[1], read_end, write_end):
            os.close(fd)
        self._write, self._read = ours[1], theirs[0]
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        try:
            self._session = None
            self.call("Browser.close", timeout_s=5)
            self._process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    # ---- the protocol

    def call(self, method: str, *, timeout_s: float = 60, **parameters: Any) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        until = time.monotonic() + timeout_s
        while True:
            answer = self._next(until)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self._read, 1 << 20)
            if not piece:
                raise OSError("the browser is gone")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    # ---- what a reader does

    def open(
        self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, script: bool = True
    ) -> None:
        self.errors.clear()
        self.requests.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.call("Page.navigate", url=path.absolute().as_uri())
        wanted = "document.documentElement.dataset.started === 'yes'" if script else "true"
        self.wait(f"document.readyState === 'complete' && {wanted}")

    def wait(self, condition: str, timeout_s: float = 30) -> None:
        until = time.monotonic() + timeout_s
        while not self.evaluate(condition):
            if time.monotonic() > until:
                raise TimeoutError(f"never true: {condition}; errors: {self.errors}")
            time.sleep(0.05)

    def evaluate(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
        )

    def press(self, key: str, *, shift: bool = False) -> None:
        code, number, text = KEYS[key]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)
        self.settle()

    def point(self, x: float, y: float, kind: str = "mouseMoved", **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.settle()

    def click(self, x: float, y: float) -> None:
        self.point(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.point(x, y, kind, button="left", buttons=1, clickCount=1)

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        self.point(*start, "mousePressed", button="left", buttons=1, clickCount=1)
        for part in (0.3, 0.7, 1.0):
            x, y = (a + part * (b - a) for a, b in zip(start, stop, strict=True))
            self.point(x, y, "mouseMoved", button="left", buttons=1)
        self.point(*stop, "mouseReleased", button="left", buttons=0, clickCount=1)

    def box(self, selector: str) -> dict[str, float]:
        found = self.evaluate(
            f"(() => {{ const n = document.querySelector({json.dumps(selector)});"
            " n.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const b = n.getBoundingClientRect();"
            " return {x: b.x, y: b.y, width: b.width, height: b.height}; })()"
        )
        assert isinstance(found, dict)
        return found

    def picture(self) -> bytes:
        """Return what is seen, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def paper(self) -> bytes:
        """Return the page as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    tab = Browser(program, tmp_path_factory.mktemp("browser"))
    yield tab
    tab.close()


HOSTILE = "<script>alert(1)</script>"


def make_station(number: int, name: str, longitude_deg: float, latitude_deg: float) -> Station:
    """A station whose numbers follow from its number alone."""
    period = 0.1 * 2 ** (np.arange(0, 80) / 8)
    level = -150 + 10 * np.sin(np.log(period)) + number
    day = np.arange(18628, 18628 + 365)
    history = 2 + 0.1 * number + 0.3 * np.cos(2 * np.pi * day / 365.25)
    history[100:120] = np.nan
    return Station(
        name=name,
        longitude_deg=longitude_deg,
        latitude_deg=latitude_deg,
        value=2 + 0.1 * number,
        error=0.05,
        facts={"Instrument": "gPhone", "Days": str(300 + number)},
        charts=[
            psd_chart(period, {5: level - 5, 50: level, 95: level + 8}),
            level_chart(day, history, quiet_days=day[[3, 200]], name="SNM"),
        ],
    )


@pytest.fixture
def network() -> StationMap:
    return make_network()


def make_network() -> StationMap:
    """Five stations, one with a hostile name, one without value and charts; a field; a coast."""
    places = [(99.0, 30.0), (104.0, 33.0), (110.0, 27.0), (106.0, 24.0)]
    names = ["GTA", HOSTILE, "KMI", "拉萨"]
    stations = [
        make_station(k, name, *place) for k, (name, place) in enumerate(zip(names, places, strict=True))
    ]
    stations.append(Station(name="NONE", longitude_deg=101.0, latitude_deg=26.0))
    longitude, latitude = np.linspace(97, 112, 31), np.linspace(22, 35, 27)
    values = 2 + 0.02 * (longitude[np.newaxis] - 97) + 0.01 * (latitude[:, np.newaxis] - 22)
    values[:5, :5] = np.nan
    field = Field(
        longitude_deg=longitude, latitude_deg=latitude, values=values, standard_error=0.1 + 0 * values
    )
    coast = Outlines([np.array([[90.0, 22.0], [100.0, 21.0], [115.0, 23.0], [118.0, 30.0]])])
    return StationMap(
        title="SNM of five stations", stations=stations, quantity="SNM", field=field, lines=[coast], digits=2
    )
