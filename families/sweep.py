"""The sweep: a process for each network, with a limit; a line of JSON for each result, appended as soon as it is there.

A line is kept as long as code and versions are the same, so that a sweep that was stopped goes on, and one after a
change does everything anew: first what nobody examined yet, so that sweeps of changing code get through the list, too.
No network stops the sweep: what crashes, hangs or eats all memory is a result.
"""

import ast
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from families.networks import Subject
from layerscope.core.files import write_whole

ROOT = Path(__file__).parent.parent
# What cannot change a result: words, pages, pictures of results.
ASIDE = {"cli", "viewer", "report", "figures", "facts", "world", "dissect", "training", "live", "known"}
OWN_MODULES = {"__main__", "networks", "table", "verdict"}
SAME = ("torch", "numpy")


def code() -> str:
    """A hash of the code that results depend on, as Python reads it: the package, this room, the tests' reference."""
    held = hashlib.sha256()
    files = [*(ROOT / "layerscope").rglob("*.py"), *(ROOT / "families").glob("*.py"), *_references()]
    for file in sorted(files):
        place = file.relative_to(ROOT)
        if len(place.parts) > 2 and place.parts[0] == "layerscope" and place.parts[1] in ASIDE:
            continue
        if place.parts[0] == "families" and place.stem in OWN_MODULES:
            continue
        held.update(str(place).encode() + ast.dump(ast.parse(file.read_bytes())).encode())
    return held.hexdigest()[:12]


def _references() -> list[Path]:
    return sorted((ROOT / "tests" / "helpers").glob("reference*.py")) + [
        path for path in [ROOT / "tests" / "helpers" / "ways.py"] if path.exists()
    ]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed versions; "none" for what is not installed."""
    return {name: _version(name) for name in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def lines(path: Path) -> dict[str, dict[str, Any]]:
    """The last result of each network."""
    if not path.exists():
        return {}
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {record["network"]: record for record in kept}


def sweep(
    subjects: Iterable[Subject], path: Path, limit: float, anew: bool = False, check: str = ""
) -> Iterator[tuple[str, bool]]:
    """Examine what is not known yet, first what never was. Gives for each subject its text and whether it was examined
    now. check: only this one, of networks that are known to open, beside what is known of them."""
    from families.kinds import KINDS

    path.parent.mkdir(parents=True, exist_ok=True)
    known, state = lines(path), code()
    for subject in sorted(subjects, key=lambda subject: subject.text in known):
        used = versions((*SAME, *KINDS[subject.kind].packages))
        old = known.get(subject.text)
        now: dict[str, Any] = {"code": state, "versions": used}
        if (check and (old is None or old["state"] != "open")) or (not anew and _has(old, check, now)):
            yield subject.text, False
            continue
        now["when"] = time.strftime("%Y-%m-%d")
        said = _apart(subject, limit, check)
        record = old | {check: _alone(said, check) | now} if check and old is not None else said | now
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        yield subject.text, True
    _without_outdone(path)


def _alone(said: dict[str, Any], check: str) -> dict[str, Any]:
    """A single check's part of what came out; where there is none, why."""
    found = said.get(check) or {said["state"]: said["why"]}
    return found | {"seconds": said["seconds"]}


def _has(record: dict[str, Any] | None, check: str, now: dict[str, Any]) -> bool:
    """Whether a check, or all of them, was made by this code and these versions."""
    if record is None or check not in ("", *record):
        return False
    return now.items() <= (record | record.get(check, {})).items()


def _without_outdone(path: Path) -> None:
    """The file anew, each network once and in order of names: so it can be kept beside the code."""
    kept = lines(path)
    whole = "".join(json.dumps(kept[text]) + "\n" for text in sorted(kept))
    write_whole(path, whole.encode())


def warm() -> None:
    """Load what every network needs, once: the processes that are forked from this one have it then.

    Only tracing: once a backward pass was run, none can be in a fork.
    """
    from torch import nn

    import layerscope as ls
    from families import examine  # noqa: F401

    ls.trace(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), ls.Input(height=16, width=16))


def _apart(subject: Subject, limit: float, check: str) -> dict[str, Any]:
    """One network in a process of its own, by all checks or by one."""
    context = multiprocessing.get_context("fork")
    near, far = context.Pipe(duplex=False)
    process = context.Process(target=_examine, args=(subject, far, check))
    started = time.perf_counter()
    process.start()
    far.close()
    said, over = None, not near.poll(limit)
    with suppress(EOFError):  # it ended without a word
        said = None if over else near.recv()
    if over:
        process.kill()
    process.join()
    if said is None:
        why = f"not done within {limit:.0f} s" if over else f"the process ended with {process.exitcode}"
        said = {"network": subject.text, "side": subject.side, "state": "late" if over else "crashed", "why": why}
    return said | {"seconds": round(time.perf_counter() - started, 1)}


def _examine(subject: Subject, far: Any, check: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    from families.examine import CHECKS, examined

    far.send(examined(subject, (check,) if check else CHECKS))
    far.close()
