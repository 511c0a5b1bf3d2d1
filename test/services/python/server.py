"""A service on http.server that keeps connections open and reads no body: the module leaves that to its user."""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

HANDLERS = {"admin", "bank", "keys", "transfers", "café"}


def dispatch(path):
    if path == "/reports/export":
        return "report"
    first = path.split("/")[1] if "/" in path else ""
    return first if first in HANDLERS else "open"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        path = unquote(urlsplit(self.path).path).casefold()
        served = {
            "handler": dispatch(path),
            "path": path,
            "method": self.command,
            "target": self.path,
            "subject": self.headers.get("X-Auth-Subject"),
        }
        say({"event": "served", **served})
        body = json.dumps(served).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = serve

    def log_message(self, *_):
        pass


def say(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    say({"event": "listening", "port": server.server_address[1]})
    server.serve_forever()
