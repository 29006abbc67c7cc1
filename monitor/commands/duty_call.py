"""How a command of duty asks the running monitor, and says what became of it."""

import http.client
from datetime import tzinfo

import msgspec

from monitor.alerts.duty_order import KEY, PATH, Answer, Order, bearer
from monitor.commands import CommandError
from monitor.config import Config

ANSWER_S_MAX = 40.0  # Alertmanager is asked a few times, 5 s each; a handover waits 10 s for PostgreSQL
BYTES_MAX = 4 * 1024 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is asked on this machine, not bound
OUTCOMES = {
    "held": "{by} holds it for as long as it fires",
    "held_by_other": "{by} has it already",
    "ended": "taken as signed off",
    "on_air": "nothing was done: livemon sees the room on air",
    "not_stopped": "nothing was done: the room has not stopped",
    "unknown_room": "nothing was done: the roster has no such room",
    "no_episode": "there is no alert of this number",
    "over": "nothing was done: the alert is over",
    "unreachable": "nothing was done: {detail}",
    "no_alertmanager": "nothing was done: set alertmanager_url in the config",
    "unnamed": "nothing was done: {detail}",
}


def ask(configured: Config, order: Order) -> Answer:
    """Raises CommandError where no monitor answers, or it will not have us."""
    host, port = configured.address
    connection = http.client.HTTPConnection(EVERYWHERE.get(host, host), port, timeout=ANSWER_S_MAX)
    try:
        headers = {"Authorization": bearer(_key(configured)), "Content-Type": "application/json"}
        connection.request("POST", PATH, msgspec.json.encode(order), headers)
        answer = connection.getresponse()
        body = answer.read(BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise CommandError(
            f"livemon: no monitor answers on {host}:{port} ({why}); start it with `livemon run`"
        ) from error
    finally:
        connection.close()
    if answer.status == 401:
        raise CommandError(f"livemon: the monitor on {host}:{port} runs on another data_dir; check --config")
    if answer.status != 200:
        raise CommandError(f"livemon: {host}:{port} answers {answer.status} to {PATH}; is it livemon of this release?")
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"livemon: {host}:{port} answers, but not as this release of livemon does") from error


def told(answer: Answer, zone: tzinfo) -> int:
    """Print what became of it; the exit code."""
    text = OUTCOMES.get(answer.word, answer.word).format(by=answer.by, detail=answer.detail or answer.word)
    if answer.until is not None:
        text += f" (until {answer.until.astimezone(zone):%H:%M:%S}, renewed while it fires)"
    if not answer.done:
        raise CommandError(f"livemon: {text}")
    print(text)
    return 0


def _key(configured: Config) -> bytes:
    path = configured.data_dir / KEY
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise CommandError(f"livemon: {path} is not there: no monitor has run on this data_dir") from error
