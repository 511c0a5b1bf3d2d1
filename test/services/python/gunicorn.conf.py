"""The same application on gunicorn, with threads: those keep connections open."""
import json
import sys

bind = "127.0.0.1:0"
worker_class = "gthread"
threads = 4
keepalive = 30
graceful_timeout = 1


def when_ready(server):
    port = server.LISTENERS[0].sock.getsockname()[1]
    sys.stdout.write(json.dumps({"event": "listening", "port": port}) + "\n")
    sys.stdout.flush()
