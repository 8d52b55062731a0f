#!/usr/bin/env bash
# fsspec 2026.9.0: over HTTP, info calls a file that the server cannot give just now a file that is not there.
#
# A good guess: FileNotFoundError means that the server said so (404, 410), and whoever catches it may go on without the file.
# What it does, run here against a server that answers every question with one status: info and exists take 429, 500 and 503
# for a missing file as well, while cat_file raises the status itself (ClientResponseError). A file that is asked about in a bad
# minute is lost without a word where FileNotFoundError means that there is none. Linux, Python 3.11, aiohttp 3.14.5.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cat > "$place/ask.py" <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *told):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
web = fsspec.filesystem("http", skip_instance_cache=True)


def tried(ask, status):
    try:
        return str(ask(f"http://127.0.0.1:{server.server_address[1]}/{status}/a.png"))
    except Exception as error:
        return type(error).__name__


print(f"fsspec {fsspec.__version__}")
for status in (404, 429, 500, 503):
    asks = {"info": web.info, "exists": web.exists, "cat_file": web.cat_file}
    told = ", ".join(f"{name} {tried(ask, status)}" for name, ask in asks.items())
    print(f"{status}: {told}")
PYTHON
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check fsspec==2026.9.0 aiohttp==3.14.5
seen=$(NO_PROXY='*' "$place/env/bin/python" "$place/ask.py")
echo "$seen"
[ "$seen" = "fsspec 2026.9.0
404: info FileNotFoundError, exists False, cat_file FileNotFoundError
429: info FileNotFoundError, exists False, cat_file ClientResponseError
500: info FileNotFoundError, exists False, cat_file ClientResponseError
503: info FileNotFoundError, exists False, cat_file ClientResponseError" ]
