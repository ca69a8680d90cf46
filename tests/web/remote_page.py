"""A page in headless Chromium as a person would open it: its address, what it says, and a picture of it.

Promises: waits for what it is told to wait for, up to a limit; the browser ends with its `with` block.
Never: opens a port; it talks to the browser through two pipes.
Called by: tests of pages, the demo's `--screenshot`.
Law: Chrome DevTools Protocol, `--remote-debugging-pipe`: JSON messages that end with a NUL, from descriptor 4, to 3.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.web.chromium import BrowserFailed, Chromium

ANSWER_LIMIT_S = 60
LOOK_EVERY_S = 0.05
READ_BYTES = 1 << 20
HIGH_DESCRIPTOR = 10


class RemotePage:
    def __init__(self, width: int = 1280, height: int = 900) -> None:
        self._size = (width, height)
        self._chromium = Chromium()
        self._to_browser = self._from_browser = -1
        self._received = b""
        self._asked = 0
        self._session: str | None = None

    def __enter__(self) -> RemotePage:
        child_reads, self._to_browser = _pipe()
        self._from_browser, child_writes = _pipe()
        try:
            self._chromium.start("about:blank", pipes=(child_reads, child_writes))
        finally:
            os.close(child_reads)
            os.close(child_writes)
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        width, height = self._size
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chromium.stop()
        for descriptor in (self._to_browser, self._from_browser):
            os.close(descriptor)

    def open(self, address: str) -> None:
        self._ask("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; None if it throws."""
        return self._ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Its value as soon as that is true. Raises BrowserFailed when it does not become so."""
        ends_at_s = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < ends_at_s:
            value = self.evaluate(expression)
            if value:
                return value
            time.sleep(LOOK_EVERY_S)
        raise BrowserFailed(f"{expression} has not come true in {ANSWER_LIMIT_S} s; the page says: {self.text()}")

    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))

    def take_picture(self, path: Path) -> None:
        """A PNG of the window."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        self._asked += 1
        message: dict[str, object] = {"id": self._asked, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        with contextlib.suppress(BrokenPipeError):  # said by `_next_message`
            os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next_message()
            if answer.get("id") == self._asked:
                if "error" in answer:
                    raise BrowserFailed(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _next_message(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from_browser], [], [], ANSWER_LIMIT_S)
            data = os.read(self._from_browser, READ_BYTES) if ready else b""
            if not data:
                raise BrowserFailed(f"the browser does not answer:\n{self._chromium.log()}")
            self._received += data
        message, _, self._received = self._received.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


def _pipe() -> tuple[int, int]:
    """Both ends with high numbers, out of the way of those that the browser expects."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
