"""One bench for all loops, and the counts that they end with."""

from collections.abc import Iterator

import pytest

from tests.reliability.commands import Bench
from tests.reliability.loop import Loop

COUNTED: pytest.StashKey[dict[str, Loop]] = pytest.StashKey()


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The network, pictures and a finished atlas. Not to be changed."""
    return Bench.set_up(tmp_path_factory.mktemp("reliability"))


@pytest.fixture(scope="session")
def loops(bench: Bench, request: pytest.FixtureRequest) -> Iterator[dict[str, Loop]]:
    """The loop of each command, made when it is first asked for; at the end the faults are counted."""

    class Loops(dict[str, Loop]):
        def __missing__(self, name: str) -> Loop:
            self[name] = Loop(bench.folder, bench.commands()[name])
            return self[name]

    made = Loops()
    yield made
    request.config.stash[COUNTED] = {name: loop for name, loop in made.items() if loop.counted}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many faults there were: what a fixture writes is captured."""
    loops = config.stash.get(COUNTED, {})
    rows = [f"{sum(loop.counted.values()):6,} {name}: {loop.summary()}" for name, loop in loops.items()]
    total = sum(sum(loop.counted.values()) for loop in loops.values())
    if rows:
        terminalreporter.write_line("\n".join([*rows, f"{total:6,} faults that the law was asked of"]))
