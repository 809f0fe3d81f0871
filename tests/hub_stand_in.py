"""A stand-in for the Hugging Face Hub: as much of its HTTP interface as one commit needs. It is not the Hub."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml


class StandIn(ThreadingHTTPServer):
    """What it holds, what it was asked, and how it is to fail.

    Attributes:
        repos: ``models/owner/name`` → path → content, of what was committed.
        private: of those that were made.
        commits: how many were taken.
        fail: ``(method, part of the path)`` → status, or ``cut`` to break the line.
        tokens: that were sent.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.repos, self.private, self.fail, self.tokens, self.commits = {}, {}, {}, set(), 0

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self._fails():
            return None
        parts = self.path.split("?")[0].split("/")
        files = self.server.repos.get("/".join(parts[2:5]))
        if files is None:
            return self._answer(404, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"})
        about = {"id": "/".join(parts[3:5]), "siblings": [{"rfilename": path} for path in files]}
        rows = [{"type": "file", "path": path, "size": 1, "oid": "0"} for path in files]
        return self._answer(200, rows if "/tree/" in self.path else about)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        if self._fails():
            return None
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            place = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
            self.server.repos[place] = {".gitattributes": b""}
            self.server.private[place] = bool(asked.get("private") or asked.get("visibility") == "private")
            return self._answer(200, {"url": f"{self.server.endpoint}/{asked['organization']}/{asked['name']}"})
        if self.path == "/api/validate-yaml":
            front = yaml.safe_load(json.loads(body)["content"].split("---\n")[1])
            errors = [] if isinstance(front, dict) else [{"message": "no front matter"}]
            return self._answer(200, {"errors": errors, "warnings": []})
        place = "/".join(self.path.split("/")[2:5])
        if "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]
            return self._answer(200, {"files": modes})
        if "/commit/" in self.path:
            rows = [json.loads(line) for line in body.splitlines()]
            files = {row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in rows[1:]}
            self.server.repos[place] |= files
            self.server.commits += 1
            url = f"{self.server.endpoint}/{place.partition('/')[2]}/commit/abc"
            return self._answer(200, {"commitUrl": url, "commitOid": "abc", "success": True})
        return self._answer(500, {"error": f"the stand-in does not know {self.path}"})

    def _fails(self):
        self.server.tokens.add(self.headers.get("Authorization"))
        for (method, part), status in self.server.fail.items():
            if method == self.command and part in self.path:
                if status == "cut":
                    self.close_connection = True
                    self.connection.close()
                else:
                    self._answer(status, {"error": "refused"})
                return True
        return False

    def _answer(self, status, content, headers=()):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def stand_in():
    server = StandIn()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
