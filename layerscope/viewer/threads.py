"""Answers are made in threads, a few at once: each holds a page's memory, and more of them make nothing faster."""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

AT_ONCE = 8


class Threads:
    """Runs what makes answers, so many at a time; the others wait without a thread."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._places = CapacityLimiter(at_once)

    def run(self, made: Callable[[Request], Response]) -> Callable[..., Any]:
        """The endpoint whose answer this function makes."""

        async def answer(request: Request) -> Response:
            return await to_thread.run_sync(made, request, limiter=self._places)

        return answer
