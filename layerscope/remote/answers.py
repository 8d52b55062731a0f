"""What a store's failures mean, whichever library reports them: asked again, refused for good, or not there.

The libraries under fsspec have no common error, and their words may hold signed addresses and keys. So only an HTTP
status, a code of S3's or the name of an error's type is taken from them, never their text.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from layerscope.core.errors import ImageError
from layerscope.core.failures import AGAIN, chain, require_memory
from layerscope.core.stores import LIBRARIES, ImageStore

AnswerT = TypeVar("AnswerT")

ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # s; each wait is twice the one before

_FORBIDDEN = frozenset({401, 403, 407})
_MISSING = frozenset({404, 410})
# By name: which of them can be imported depends on what is installed.
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound",
        "TokenRetrievalError", "NoAuthTokenError",
        "DefaultCredentialsError", "RefreshError", "GatedRepoError", "LocalTokenNotFoundError",
    }
)  # fmt: skip
# Packages whose errors tell of a store or of the way to it; any other error is a bug, and passes.
_OF_STORES = LIBRARIES | {"zipfile", "zlib"}


class Unanswered(Exception):
    """A question that was not answered in ATTEMPTS attempts; says what came in place of an answer."""


class NotThere(Exception):
    """What was asked for is not in the store."""


class ShortAnswer(Exception):
    """Fewer bytes, or more, than were asked for."""


def answered(ask: Callable[[], AnswerT], *, store: ImageStore, place: str, attempts: int = ATTEMPTS) -> AnswerT:
    """What a store answers, asked several times where it is busy, broken or away for a moment.

    place: what is asked for, as people may see it. Raises ImageError at once where the store forbids it, NotThere where
    there is no such thing, and Unanswered.
    """
    failure: BaseException | None = None
    for attempt in range(attempts):
        if attempt:
            # Drawn, so that many workers do not all come back at once.
            time.sleep(min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT) * random.uniform(0.5, 1.5))
        try:
            return ask()
        except Exception as error:
            failure = error
        _judge(failure, store, place)
    assert failure is not None
    raise Unanswered(_words(failure)) from None


def _judge(error: BaseException, store: ImageStore, place: str) -> None:
    """Returns where it is worth while to ask again, and raises where not."""
    require_memory(error, place, kind=ImageError)
    if isinstance(error, ImageError):
        raise error
    status = _status(error)
    if _any(error, lambda one: isinstance(one, PermissionError) or type(one).__name__ in _NO_CREDENTIALS) or (
        status in _FORBIDDEN
    ):
        raise ImageError(
            f'"{place}" may not be read with the credentials of this machine, or there are none: {store.keys}'
        ) from None
    if status in _MISSING or (isinstance(error, FileNotFoundError) and status is None and not _lost(error)):
        raise NotThere(place) from None
    known = isinstance(error, (OSError, ShortAnswer, EOFError, TimeoutError, asyncio.TimeoutError))
    if not known and type(error).__module__.partition(".")[0] not in _OF_STORES:
        raise error


def silent(place: str, why: str) -> ImageError:
    """The error of a store that does not answer: it says nothing of the image, so none is left out for it."""
    return ImageError(
        f'"{place}" cannot be read just now ({why}), and neither can what could be read before: '
        f"check the connection and the store, and {AGAIN}"
    )


def _lost(error: BaseException) -> bool:
    """Whether a file is said to be missing because nobody answered: fsspec says so of web servers."""
    found = (one for one in chain(error) if isinstance(one, (OSError, TimeoutError)))
    return any(not isinstance(one, FileNotFoundError) for one in found)


def _any(error: BaseException, test: Callable[[BaseException], bool]) -> bool:
    return any(map(test, chain(error)))


def _status(error: BaseException) -> int | None:
    """The HTTP status in an error, or in what it came from."""
    for one in chain(error):
        response: Any = getattr(one, "response", None)
        told = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
        for status in (told, getattr(response, "status_code", None), getattr(one, "status", None)):
            if isinstance(status, int):
                return status
        # What has no status may call it a code: of gcsfs, as a text.
        code = None if hasattr(one, "status") else getattr(one, "code", None)
        if str(code).isdecimal():
            return int(str(code))
    return None


def _words(error: BaseException) -> str:
    if isinstance(error, ShortAnswer):
        return str(error)
    status = _status(error)
    return f"status {status}" if status is not None else type(chain_end(error)).__name__


def chain_end(error: BaseException) -> BaseException:
    """What an error came from in the end."""
    return list(chain(error))[-1]
