"""A server as its user starts it: how soon it answers, and how much memory it takes."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERSCOPE = (sys.executable, "-m", "layerscope.cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """origin: "http://127.0.0.1:PORT". process: its id. told, answered: seconds from the start to the line with the
    address, and to the first page."""

    origin: str
    process: int
    announced: float
    answered: float

    def megabytes(self) -> float:
        """The most memory that it has held, MiB; Linux."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def processor_seconds(self) -> float:
        """What it has used of processors, user and system; Linux."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(*words: str, port: int = 0, threads: int | None = None, first: str = "") -> Iterator[Started]:
    """`layerscope WORDS` until the end of the block.

    port: 0 for any that is free. first: the page that is asked for, below the address. threads: of torch; None leaves
    it to the machine.
    """
    command = [*LAYERSCOPE, *words, "--no-browser", "--port", str(port), "--quiet"]
    environment = dict(os.environ) if threads is None else {**os.environ, "OMP_NUM_THREADS": str(threads)}
    begun = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            origin = process.stdout.readline().strip().rstrip("/")
            announced = time.perf_counter() - begun
            assert origin, f"the server ended with {process.wait()}"
            with urllib.request.urlopen(f"{origin}/{first}") as answer:
                answer.read()
            yield Started(origin=origin, process=process.pid, announced=announced, answered=time.perf_counter() - begun)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
