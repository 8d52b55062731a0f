"""The live page before a camera: how many pictures a second, how long each takes, and how much of it not the model."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, WebSocket

import layerscope as ls
from bench.pictures import picture, write_pictures
from bench.viewer.browser import browsing, camera_of, fresh_page
from bench.viewer.budget import Budget, share_of
from bench.viewer.server import started
from layerscope.viewer.shelf import slugs_of
from layerscope.world import World

NETWORKS = ("worldnet", "zfnet64", "torchvision:squeezenet1_0/none")
PICTURES, UNITS, FRAMES = 64, 8, 12
WARMING_S, MOST_FALLEN_BEHIND = 3.0, 1.2
CAMERA_SIZE = (640, 480)
# The page tells of every answer that it has painted.
LISTEN = """() => {
  window.answers = [];
  document.getElementById("live").addEventListener("live-answer", (event) => {
    window.answers.push({ at: performance.now(), latency: event.detail.latency, ...event.detail.milliseconds });
  });
}"""


@dataclass
class Traffic:
    """The largest messages of a page's live connection, bytes: up and down."""

    up: int = 0
    down: int = 0
    sockets: list[WebSocket] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framesent", lambda payload: setattr(self, "up", max(self.up, len(payload))))
        socket.on("framereceived", lambda payload: setattr(self, "down", max(self.down, len(payload))))


def measure(folder: Path, seconds: float) -> list[Budget]:
    """Each network over an atlas of a few units, watched for so many seconds."""
    flags = camera_of(film(FRAMES), folder / "camera.mjpeg")
    with browsing(*flags) as browser:
        return [line for spec in NETWORKS for line in of_network(spec, folder, browser, seconds)]


def film(count: int) -> list[bytes]:
    """JPEGs as a camera gives them: a rough picture that moves."""
    wide = Image.fromarray(picture(np.random.default_rng(0))).resize((CAMERA_SIZE[0] * 2, CAMERA_SIZE[1]))
    frames = []
    for number in range(count):
        left = number * CAMERA_SIZE[0] // count
        buffer = io.BytesIO()
        wide.crop((left, 0, left + CAMERA_SIZE[0], CAMERA_SIZE[1])).save(buffer, "JPEG", quality=85)
        frames.append(buffer.getvalue())
    return frames


def of_network(spec: str, folder: Path, browser: Browser, seconds: float) -> list[Budget]:
    """The lines of one network."""
    atlas = folder / f"{spec.partition(':')[2].partition('/')[0] or spec}.atlas"
    (name,), traffic = slugs_of([atlas]), Traffic()
    _build(spec, atlas, folder)
    with started("live", str(atlas), spec) as server, fresh_page(browser) as page:
        traffic.over(page)
        page.goto(f"{server.origin}/{name}/live")
        answers = watched(page, seconds)
    return [*_speed(name, answers), *_steady(name, answers), *_messages(name, traffic)]


def _build(spec: str, path: Path, folder: Path) -> None:
    images = World(PICTURES, seed=3) if spec == "worldnet" else folder / "photographs"
    if not isinstance(images, World) and not images.exists():
        write_pictures(images, PICTURES)
    ls.build(ls.trace(spec), images, path, units=UNITS, progress=False).close()


def watched(page: Page, seconds: float) -> list[dict[str, float]]:
    """What a page tells of each answer, from some seconds after the camera was started."""
    page.locator("#state", has_text="Ready").wait_for()
    page.evaluate(LISTEN)
    page.locator("[data-key=c]").first.click()
    page.wait_for_timeout((WARMING_S + seconds) * 1000)
    answers = json.loads(page.evaluate("JSON.stringify(window.answers)"))
    first = answers[0]["at"] if answers else 0.0
    kept = [answer for answer in answers if answer["at"] >= first + WARMING_S * 1000]
    assert len(kept) >= 3, f"only {len(kept)} answers were painted; the page says: {page.inner_text('#state')}"
    return kept


def _speed(name: str, answers: Sequence[dict[str, float]]) -> list[Budget]:
    rate = (len(answers) - 1) * 1000 / (answers[-1]["at"] - answers[0]["at"])
    latencies = [answer["latency"] for answer in answers]
    model = [answer["forward"] + answer.get("project", 0.0) for answer in answers]
    beside = [latency - spent for latency, spent in zip(latencies, model, strict=True)]
    found = f"{name}, live: beside the model ({median(model):.0f} of {median(latencies):.0f} ms)"
    return [
        Budget(what=f"{name}, live: pictures a second", limit=10, found=[rate], unit="", floor=True),
        Budget(what=f"{found}, half of the pictures", limit=25, found=[share_of(beside, 0.5)], unit="ms"),
        Budget(what=f"{name}, live: beside the model, 95 of 100", limit=40, found=[share_of(beside, 0.95)], unit="ms"),
    ]


def _steady(name: str, answers: Sequence[dict[str, float]]) -> list[Budget]:
    """Whether the delay grows: its median in the last third over that in the first."""
    third = len(answers) // 3
    early, late = (median(one["latency"] for one in part) for part in (answers[:third], answers[-third:]))
    what = f"{name}, live: latency of the last third / the first"
    return [Budget(what=what, limit=MOST_FALLEN_BEHIND, found=[late / early], unit="")]


def _messages(name: str, traffic: Traffic) -> list[Budget]:
    return [
        Budget(what=f"{name}, live: largest message up", limit=64, found=[traffic.up / 1024], unit="KiB"),
        Budget(what=f"{name}, live: largest message down", limit=256, found=[traffic.down / 1024], unit="KiB"),
    ]
