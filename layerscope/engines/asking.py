"""Who answers at an address: asked before Ray is, which waits for minutes, and logs, where it is not a cluster that
takes this process.

One call of gRPC, in which a cluster speaks, with the token that Ray itself would send.
"""

import contextlib
import os
import socket
from pathlib import Path

import grpc

from layerscope.core.errors import UsageError

# A machine that does not answer at all is given up after the first, one that says nothing of use after the second.
ANSWER_SECONDS, CALL_SECONDS = 10.0, 20.0
START = "start one with `ray start --head`, name its address, or give the address local for one of its own"
# A question that changes nothing, to a cluster itself and to its port for `ray://`.
_CALLS = {False: "/ray.rpc.NodeInfoGcsService/CheckAlive", True: "/ray.rpc.RayletDriver/ClusterInfo"}
# With these Ray encrypts its calls, or has tokens of another kind: only it can ask.
_OTHERWISE = ("RAY_USE_TLS", "RAY_ENABLE_K8S_TOKEN_AUTH")
_STRANGE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED)


def require_cluster(address: str) -> None:
    """Raises UsageError where no Ray cluster answers, or one that demands another token. address: HOST:PORT, or
    ray://HOST:PORT."""
    target = address.removeprefix("ray://")
    _require_answer(address, target)
    if any(os.environ.get(name, "0").lower() in ("1", "true") for name in _OTHERWISE):
        return
    token = _token()
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(target, options=(("grpc.enable_http_proxy", 0),)) as channel:
        call = channel.unary_unary(_CALLS[target != address], bytes, bytes)
        try:
            call(b"", timeout=CALL_SECONDS, metadata=metadata)
        except grpc.RpcError as failure:
            _refuse(address, failure.code(), token)


def _require_answer(address: str, target: str) -> None:
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as failure:
        why = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
        raise UsageError(f"nobody answers at {address} ({why}): {START}") from failure


def _refuse(address: str, code: grpc.StatusCode, token: str) -> None:
    """Any other code is an answer of a cluster, which Ray goes on with."""
    if code is grpc.StatusCode.UNAUTHENTICATED:
        raise UsageError(
            f"the Ray cluster at {address} demands {'another token than this machine has' if token else 'a token'}: "
            "copy the file ~/.ray/auth_token of its first machine to the same place on this one, and set "
            "RAY_AUTH_MODE=token here before the same command"
        )
    if code in _STRANGE:
        raise UsageError(f"what answers at {address} is no Ray cluster, or one that is too busy to answer: {START}")


def _token() -> str:
    """The token as Ray finds it; "" where none is to be sent, or there is none."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        return ""
    said = os.environ.get("RAY_AUTH_TOKEN", "").strip()
    file = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    with contextlib.suppress(OSError):
        said = said or Path(file).read_text().strip()
    return said
