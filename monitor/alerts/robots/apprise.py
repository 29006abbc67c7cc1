"""Whatever chat the `apprise` library knows: the URL in the file is one of its own."""

import importlib

from monitor.alerts.notice import Notice, cut
from monitor.alerts.pace import Limit
from monitor.alerts.robots.answer import SENT, Verdict
from monitor.alerts.robots.text import one_line, plain_link, rows, with_keyword
from monitor.config_alerts import Robot
from monitor.secret import Secret

BYTES_MAX = 3_500  # the smallest of the usual limits is Telegram's, with 4,096 signs
PER_MINUTE_MAX = 20
LIMITS = (Limit(18, 60.0, reserved=6),)
TYPES = {"critical": "failure", "warning": "warning"}


def size(notice: Notice, robot: Robot) -> int:
    return len(_text(notice, robot).encode())


def tell(notice: Notice, robot: Robot, url: Secret, timeout_s: float) -> Verdict:
    """Blocks: for a thread. The library says yes or no, and not why: a no may pass."""
    try:
        library = importlib.import_module("apprise")
    except ModuleNotFoundError:
        return Verdict("refused", 'the library is not installed: pip install "livemon[apprise]"')
    told = library.Apprise()
    if not told.add(url.reveal()):
        return Verdict("refused", "apprise does not know what this URL is")
    fitting = cut(notice, lambda each: size(each, robot), BYTES_MAX, robot.language)
    ended = notice.kind in ("recovered", "test")
    type_ = "success" if ended else TYPES.get(notice.severity, "info")
    text = _text(fitting, robot)
    if told.notify(body=text, notify_type=type_, body_format="text", timeout=timeout_s):
        return SENT
    return Verdict("again", "apprise could not deliver it")


def _text(notice: Notice, robot: Robot) -> str:
    return "\n".join(with_keyword(rows(notice, robot.language, one_line, plain_link), robot.keyword))
