"""Who may see which boards: grafana/permissions.py against Grafana's wire format as it is documented."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grafana import permissions
from grafana.boards.every import BOARDS
from grafana.boards.words import speaking
from tests.fake_grafana import PASSWORD, FakeGrafana, serving

ROOT = Path(__file__).resolve().parents[1]
ROOM = "/api/dashboards/uid/livemon-room/permissions"
SEEN = {
    "Leaders": {"leaders 1", "duty 1"}, "Duty": {"duty 1"}, "Halls": {"halls 1", "duty 1"}, "Analysts": {"analysts 1"},
}  # fmt: skip


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with serving() as server:
        yield server


def run(grafana: FakeGrafana, password: str = PASSWORD, wait_s: float = 0.0) -> list[str]:
    return permissions.settle_within(permissions.Grafana(grafana.url + "/", "admin", password), wait_s, every_s=0.02)


def seen(grafana: FakeGrafana) -> dict[str, set[str]]:
    return {title: grafana.seen_by(title) for title in SEEN}


def test_each_folder_is_seen_by_its_teams_and_by_nobody_else(grafana: FakeGrafana):
    said = run(grafana)
    assert seen(grafana) == SEEN
    assert grafana.names(ROOM) == {"leaders 1", "analysts 1"}
    assert grafana.seen_by("别的") == {"Viewer 1", "Editor 2"}, "what is not ours stays as it is"
    assert "Duty is seen by duty" in said


def test_it_knows_every_folder_that_boards_are_in_and_no_other():
    assert {board.folder for board in BOARDS} == set(permissions.FOLDERS)
    assert set(permissions.BOARDS) <= {board.make(speaking("en"))["uid"] for board in BOARDS}
    assert {team for teams in permissions.FOLDERS.values() for team in teams} == set(permissions.TEAMS)


def test_the_second_run_makes_no_team_and_takes_back_what_somebody_clicked(grafana: FakeGrafana):
    run(grafana)
    teams = dict(grafana.teams)
    path = next(path for path in grafana.permissions if path.startswith("/api/folders"))
    grafana.permissions[path].append({"role": "Viewer", "permission": 1})
    grafana.asked.clear()
    run(grafana)
    assert (grafana.teams, seen(grafana)) == (teams, SEEN)
    assert "POST /api/teams" not in grafana.asked


def test_a_team_that_somebody_makes_at_the_same_moment_is_taken(grafana: FakeGrafana):
    grafana.teams["duty"] = 99
    grafana.hidden.add("duty")
    run(grafana)
    assert grafana.teams["duty"] == 99
    assert grafana.seen_by("Duty") == {"duty 1"}


def test_a_wrong_password_is_said_at_once_and_not_tried_again(grafana: FakeGrafana):
    """After five of them Grafana shuts the door for a while."""
    with pytest.raises(permissions.PermissionsError, match="does not take the password of 'admin'"):
        run(grafana, "decaf", wait_s=60.0)
    assert len(grafana.asked) == 1


def test_a_folder_that_grafana_has_not_read_yet_is_waited_for(grafana: FakeGrafana):
    grafana.comes_later = ["Duty", "Halls"]
    run(grafana, wait_s=30.0)
    assert seen(grafana) == SEEN


@pytest.mark.parametrize("what", ["folder", "board"])
def test_what_never_comes_is_named(grafana: FakeGrafana, what: str):
    if what == "folder":
        grafana.titles = {uid: title for uid, title in grafana.titles.items() if title != "Duty"}
    else:
        del grafana.permissions[ROOM]
    with pytest.raises(permissions.PermissionsError, match="no folder Duty; it has .*Halls" if what == "folder" else
                       "board livemon-room is not in Grafana"):  # fmt: skip
        run(grafana, wait_s=0.1)


def test_a_folder_that_stays_open_is_an_error(grafana: FakeGrafana):
    grafana.deaf = True
    with pytest.raises(permissions.PermissionsError, match=r"shows it to: Editor \(Edit\), Viewer \(View\)"):
        run(grafana)


def test_more_folders_than_one_answer_holds_are_all_read(grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(permissions, "PAGE", 2)
    run(grafana)
    assert seen(grafana) == SEEN


def test_a_grafana_that_starts_is_waited_for(grafana: FakeGrafana):
    grafana.not_yet = 3
    run(grafana, wait_s=30.0)
    assert seen(grafana) == SEEN


def test_one_that_does_not_listen_yet_is_waited_for_and_for_no_longer_than_said():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and refusing: nobody listens
        port = held.getsockname()[1]
        away = permissions.Grafana(f"http://127.0.0.1:{port}", "admin", PASSWORD)
        with pytest.raises(permissions.PermissionsError, match=r"does not answer: .*refused.* \(waited 0.1 s\)"):
            permissions.settle_within(away, 0.1, every_s=0.02)
    tried = threading.Event()
    ask = away.ask

    def noted(*words: Any, **more: Any) -> permissions.Answer:
        try:
            return ask(*words, **more)
        finally:
            tried.set()

    away.ask = noted  # type: ignore[method-assign]
    said: list[str] = []
    waiting = threading.Thread(target=lambda: said.extend(permissions.settle_within(away, 30.0, every_s=0.02)))
    waiting.start()
    assert tried.wait(10)
    with serving(port) as late:
        waiting.join(30)
        assert seen(late) == SEEN
    assert said


def test_as_a_program_it_reads_the_password_from_its_file(grafana: FakeGrafana, tmp_path: Path):
    secret = tmp_path / "grafana_admin"
    secret.write_text(PASSWORD + "\n")
    # -S: the standard library, and nothing else
    command = [sys.executable, "-S", "grafana/permissions.py", "--wait", "0", grafana.url]
    environment = {"http_proxy": "http://127.0.0.1:9"}  # the password is for Grafana alone
    done = subprocess.run([*command, secret], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Halls is seen by halls, duty" in done.stdout
    gone = subprocess.run([*command, tmp_path / "gone"], cwd=ROOT, capture_output=True, text=True)
    assert gone.returncode == 1
    assert "No such file" in gone.stderr
    assert PASSWORD not in done.stdout + gone.stdout + gone.stderr
