"""Who may see which folder of boards: makes the teams and sets the permissions, through Grafana's HTTP API.

    python grafana/permissions.py http://127.0.0.1:3000 secrets/servers/grafana_admin

Runs as often as you like; what it sets takes the place of what was set before. It waits for a Grafana that starts,
reads back what it has set, and ends with exit code 1 and a reason if that is not so. Needs nothing but Python. In
compose the service `permissions` runs it at each start. People are put into teams in Grafana: Administration, Users
and access.

API: grafana.com/docs/grafana/latest/developers/http_api, the pages team, folder, folder_permissions and
dashboard_permissions.
"""

import argparse
import base64
import http.client
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Folder of grafana/dashboards -> the teams that see its boards. Nobody edits: boards come from files. Administrators
# see all.
FOLDERS: Mapping[str, Sequence[str]] = {
    "Leaders": ("leaders", "duty"),
    "Duty": ("duty",),
    "Halls": ("halls", "duty"),
    "Analysts": ("analysts",),
}
# Besides: rows of the wall and of the analysts' boards lead to the board of one room. Not for halls: it shows sales.
BOARDS: Mapping[str, Sequence[str]] = {"livemon-room": ("leaders", "analysts")}
TEAMS = ("leaders", "duty", "analysts", "halls")

VIEW = 1  # 2 edits, 4 administers
PAGE = 1000  # folders in one answer, Grafana's own default
ANSWER_S_MAX = 10.0
NOT_YET = (502, 503, 504)  # what a proxy says before a Grafana that starts

type Json = dict[str, Any]


class PermissionsError(Exception):
    """Grafana did not do what was asked; the text says what to do."""


class NotYet(Exception):
    """What is asked for is not there, and may come: Grafana, or a folder that it has not read yet."""


class Answer(NamedTuple):
    status: int
    body: Any  # JSON as it came


class Grafana:
    """Its HTTP API, as the administrator. `url` as a browser has it, with the path below which Grafana is served."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.user = user
        name = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {name}", "Accept": "application/json"}
        # No proxy of the environment: Grafana stands beside us, and the password is for nobody else.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path: str, body: Json | None = None, accept: Sequence[int] = (200,)) -> Answer:
        """GET, or POST of a body. Raises NotYet, and PermissionsError for an answer that is not accepted."""
        data = None if body is None else json.dumps(body).encode()
        headers = self.headers if data is None else self.headers | {"Content-Type": "application/json"}
        asked = urllib.request.Request(self.url + path, data, headers)  # noqa: S310 - http or https, see main
        try:
            with self.opener.open(asked, timeout=ANSWER_S_MAX) as reply:
                status, raw = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                status, raw = error.code, error.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotYet(f"{self.url} does not answer: {error}") from error
        if status in NOT_YET:
            raise NotYet(f"{self.url} answers with {status}")
        if status not in accept:
            raise PermissionsError(self._refusal(path, status, raw))
        try:
            return Answer(status, json.loads(raw))
        except ValueError as error:
            raise PermissionsError(f"{self.url}{path} answers with something else than JSON: is it Grafana?") from error

    def _refusal(self, path: str, status: int, raw: bytes) -> str:
        if status == 401:
            return (
                f"Grafana does not take the password of {self.user!r}. It keeps the one of its first start: set this "
                "one with `grafana cli admin reset-admin-password`, or give the file that holds the other"
            )
        if status == 403:
            return f"{self.user!r} may not do this ({path}): it must be an administrator of the organisation"
        return f"{path} answers with {status}: {raw[:300].decode(errors='replace')}"

    def team(self, name: str) -> int:
        """The id of the team, which is made if it is missing."""
        if (there := self._team(name)) is not None:
            return there
        made = self.ask("/api/teams", {"name": name}, accept=(200, 409))
        if made.status == 200:
            return int(made.body["teamId"])
        there = self._team(name)  # 409: somebody made it just now
        if there is None:
            raise PermissionsError(f"Grafana says that the team {name} is there, and does not show it")
        return there

    def _team(self, name: str) -> int | None:
        found = self.ask(f"/api/teams/search?name={urllib.parse.quote(name, safe='')}", accept=(200, 404))
        teams = found.body["teams"] if found.status == 200 else []
        return next((int(team["id"]) for team in teams if team["name"] == name), None)

    def folders(self) -> dict[str, str]:
        """Title -> uid."""
        found: dict[str, str] = {}
        page = 1
        while True:
            folders = self.ask(f"/api/folders?limit={PAGE}&page={page}").body
            found |= {folder["title"]: folder["uid"] for folder in folders}
            if len(folders) < PAGE:
                return found
            page += 1

    def permit(self, path: str, what: str, teams: Mapping[str, int]) -> None:
        """These teams may view what is at `path`, and nobody else; read back. NotYet while it is not there."""
        path += "/permissions"
        items = [{"teamId": number, "permission": VIEW} for number in teams.values()]
        if self.ask(path, {"items": items}, accept=(200, 404)).status == 404:
            raise NotYet(f"{what} is not in Grafana")
        # What comes from the folder (of a board) is set there; administrators see everything, whatever is set.
        held = [
            each for each in self.ask(path).body if not each.get("inherited", False) and each.get("role") != "Admin"
        ]
        wanted = {(number, VIEW) for number in teams.values()}
        if {(each.get("teamId", 0), each["permission"]) for each in held} != wanted:
            seen = ", ".join(sorted(_who(each) for each in held)) or "nobody"
            raise PermissionsError(f"{what} should be seen by {', '.join(teams)}, and Grafana shows it to: {seen}")


def _who(item: Json) -> str:
    name = item.get("team") or item.get("role") or item.get("userLogin") or "somebody"
    return f"{name} ({item.get('permissionName') or item['permission']})"


def settle(grafana: Grafana) -> list[str]:
    """Teams and all permissions, once; what was done, in words. Raises NotYet and PermissionsError."""
    teams = {name: grafana.team(name) for name in TEAMS}
    folders = grafana.folders()
    missing = [title for title in FOLDERS if title not in folders]
    if missing:
        raise NotYet(f"Grafana has no folder {', '.join(missing)}; it has {', '.join(sorted(folders)) or 'none'}")
    said = []
    for title, names in FOLDERS.items():
        uid = urllib.parse.quote(folders[title], safe="")
        grafana.permit(f"/api/folders/{uid}", f"the folder {title}", {name: teams[name] for name in names})
        said.append(f"{title} is seen by {', '.join(names)}")
    for board, names in BOARDS.items():
        grafana.permit(f"/api/dashboards/uid/{board}", f"the board {board}", {name: teams[name] for name in names})
        said.append(f"{board} also by {', '.join(names)}")
    return said


def settle_within(grafana: Grafana, wait_s: float, every_s: float = 2.0) -> list[str]:
    """`settle`, tried again for so long while Grafana or a folder is not there yet."""
    until = time.monotonic() + wait_s
    while True:
        try:
            return settle(grafana)
        except NotYet as error:
            if time.monotonic() + every_s > until:
                raise PermissionsError(f"{error} (waited {wait_s:g} s)") from error
            time.sleep(every_s)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of Grafana")
    parser.add_argument("password_file", type=Path, help="holds the administrator's password")
    parser.add_argument("--user", default="admin", help="the administrator (admin)")
    parser.add_argument("--wait", type=float, default=120.0, metavar="SECONDS", help="for a Grafana that starts (120)")
    args = parser.parse_args(arguments)
    if urllib.parse.urlsplit(args.url).scheme not in ("http", "https"):
        parser.error(f"{args.url} is no http or https address")
    try:
        password = args.password_file.read_text(encoding="utf-8").strip()
        said = settle_within(Grafana(args.url, args.user, password), args.wait)
    except (OSError, UnicodeDecodeError, PermissionsError) as error:
        print(f"permissions: {error}", file=sys.stderr)
        return 1
    print("\n".join(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
