"""A WSGI application that takes its path from PATH_INFO, segment by segment, as routers do."""
import json
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import shift_path_info

HANDLERS = {"admin", "bank", "keys", "transfers"}


def application(environ, start_response):
    target = environ.get("RAW_URI") or environ.get("PATH_INFO", "")
    segments = []
    while (segment := shift_path_info(environ)) is not None:
        # PEP 3333: octets in the guise of latin1.
        segments.append(segment.encode("latin1").decode("utf-8", "replace"))
    path = "/" + "/".join(segments)
    first = segments[0] if segments else ""
    handler = "report" if segments == ["reports", "export"] else first if first in HANDLERS else "open"
    served = {
        "handler": handler,
        "path": path,
        "method": environ["REQUEST_METHOD"],
        "target": target,
        "subject": environ.get("HTTP_X_AUTH_SUBJECT"),
    }
    say({"event": "served", **served})
    body = json.dumps(served).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [] if served["method"] == "HEAD" else [body]


def say(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    say({"event": "listening", "port": server.server_address[1]})
    server.serve_forever()
