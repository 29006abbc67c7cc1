"""Grafana's HTTP API as far as grafana/permissions.py asks it: the words, codes and headers of Grafana's own
documentation (pages team, folder, folder_permissions, dashboard_permissions) and of pkg/api of version 12."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "c0ffee"
WRONG_PASSWORD = (
    b'{"message":"Invalid username or password","messageId":"password-auth.failed","statusCode":401,"traceID":""}'
)
OPEN: list[dict[str, Any]] = [{"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 2}]  # a new folder
NAMES = {1: "View", 2: "Edit", 4: "Admin"}


class FakeGrafana(ThreadingHTTPServer):
    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.teams: dict[str, int] = {}
        self.hidden: set[str] = set()  # teams that the next search does not show
        self.permissions: dict[str, list[dict[str, Any]]] = {}  # path -> items
        self.titles: dict[str, str] = {}  # uid of a folder -> its title
        self.asked: list[str] = []
        self.not_yet = 0  # so many answers are 503
        self.comes_later: list[str] = []  # folders that the next list does not have
        self.deaf = False  # takes permissions and sets none
        for title in ("Leaders", "Duty", "Halls", "Analysts", "别的"):
            self.folder(title)
        self.permissions["/api/dashboards/uid/livemon-room/permissions"] = []

    def folder(self, title: str) -> None:
        uid = f"uid{len(self.titles)}"
        self.titles[uid] = title
        self.permissions[f"/api/folders/{uid}/permissions"] = list(OPEN)

    def seen_by(self, title: str) -> set[str]:
        uid = next(uid for uid, other in self.titles.items() if other == title)
        return self.names(f"/api/folders/{uid}/permissions")

    def names(self, path: str) -> set[str]:
        teams = {number: name for name, number in self.teams.items()}
        return {f"{each.get('role') or teams[each['teamId']]} {each['permission']}" for each in self.permissions[path]}


class Handler(BaseHTTPRequestHandler):
    server: FakeGrafana
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self.refused():
            return
        if url.path == "/api/teams/search":
            (name,) = parse_qs(url.query)["name"]
            number = self.server.teams.get(name)
            if name in self.server.hidden:
                self.server.hidden.discard(name)
                number = None
            teams = [] if number is None else [
                {"id": number, "orgId": 1, "name": name, "email": "", "avatarUrl": "/avatar/3f49", "memberCount": 0}
            ]  # fmt: skip
            self.say(200, {"totalCount": len(teams), "teams": teams, "page": 1, "perPage": 1000})
        elif url.path == "/api/folders":
            page, limit = (int(parse_qs(url.query)[name][0]) for name in ("page", "limit"))
            hidden = [self.server.comes_later.pop()] if self.server.comes_later else []
            folders = [
                {"id": number, "uid": uid, "title": title}
                for number, (uid, title) in enumerate(self.server.titles.items(), 1)
                if title not in hidden
            ]
            self.say(200, folders[(page - 1) * limit : page * limit])
        elif url.path in self.server.permissions:
            teams_by_id = {number: name for name, number in self.server.teams.items()}
            own = [
                {"userId": 0, "userLogin": "", "teamId": 0, "team": "", "inherited": False} | each
                | {"permissionName": NAMES[each["permission"]], "team": teams_by_id.get(each.get("teamId", 0), "")}
                for each in self.server.permissions[url.path]
            ]  # fmt: skip
            if url.path.startswith("/api/dashboards"):  # what its folder says is shown with it
                own.append({"role": "Viewer", "permission": 1, "permissionName": "View", "inherited": True})
            self.say(200, [*own, {"role": "Admin", "permission": 4, "permissionName": "Admin", "teamId": 0}])
        else:
            self.missing()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused():
            return
        assert self.headers["Content-Type"] == "application/json"
        if self.path == "/api/teams":
            if body["name"] in self.server.teams:
                self.say(409, {"message": "Team name taken"})
                return
            self.server.teams[body["name"]] = number = len(self.server.teams) + 7
            self.say(200, {"message": "Team created", "teamId": number, "uid": "ceaulqadfoav4e"})
        elif self.path in self.server.permissions:
            if not self.server.deaf:
                self.server.permissions[self.path] = body["items"]
            what = "Folder" if self.path.startswith("/api/folders") else "Dashboard"
            self.say(200, {"message": f"{what} permissions updated"})
        else:
            self.missing()

    def refused(self) -> bool:
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.not_yet:
            self.server.not_yet -= 1
            self.say(503, {"message": "starting"})
            return True
        if self.headers["Authorization"] != "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode():
            self.send(401, WRONG_PASSWORD)
            return True
        return False

    def missing(self) -> None:
        what = "folder not found" if self.path.startswith("/api/folders") else "Dashboard not found"
        self.say(404, {"message": what, "status": "not-found"})

    def say(self, status: int, body: Any) -> None:
        self.send(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing: what was asked is in `asked`."""


@contextmanager
def serving(port: int = 0) -> Iterator[FakeGrafana]:
    with FakeGrafana(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
