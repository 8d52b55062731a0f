#!/usr/bin/env bash
# s3fs 2026.9.0: where a server sends fewer bytes of a range than it says it does, cat_file gives those, and no error.
#
# A good guess: a range is asked for by its first and last byte, and the answer's Content-Range repeats them, so that a body of
# half of it raises, is asked for again, or gives what a whole answer gives.
# What it does, run here against a server that sends of bytes 0-99 the first 50 (its Content-Length says 50, its Content-Range
# 0-99), as a proxy does that cuts bodies: cat_file gives 50 bytes, and so does a file's read without a cache. Whoever reads by
# ranges must count. Linux, Python 3.11, with the newest aiobotocore that it allows.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import s3fs

HELD = bytes(range(250)) * 4


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(200, {"Content-Length": str(len(HELD))}, b"")

    def do_GET(self):
        first, last = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        last = min(last, len(HELD) - 1)
        part = HELD[first : last + 1]
        part = part[: len(part) // 2]
        self.answer(206, {"Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(HELD)}"}, part)

    def answer(self, status, told, body):
        self.send_response(status)
        for name, value in {"ETag": '"e"', "Last-Modified": "Thu, 01 Oct 2026 00:00:00 GMT", **told}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *told):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
store = s3fs.S3FileSystem(
    key="key", secret="secret", endpoint_url=f"http://127.0.0.1:{server.server_address[1]}", skip_instance_cache=True,
    client_kwargs={"region_name": "us-east-1"},
)


def tried(read):
    try:
        found = read()
    except Exception as error:
        return type(error).__name__
    return f"{len(found)} bytes, {'the first' if found == HELD[: len(found)] else 'others'}"


print(f"s3fs {s3fs.__version__}, of 100 bytes: cat_file {tried(lambda: store.cat_file('b/k', start=0, end=100))}; "
      f"read {tried(lambda: store.open('b/k', cache_type='none').read(100))}")
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check s3fs==2026.9.0
seen=$(env -u AWS_ENDPOINT_URL -u AWS_PROFILE NO_PROXY='*' "$place/env/bin/python" "$place/ask.py")
echo "$seen"
[ "$seen" = "s3fs 2026.9.0, of 100 bytes: cat_file 50 bytes, the first; read 50 bytes, the first" ]
