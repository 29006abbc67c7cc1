"""DingTalk's group robot: markdown with a signature in the query; too fast once means deaf for ten minutes.

Documented by open.dingtalk.com of custom robots: 20 messages a minute, then blocked for 10 minutes; a signature is good
for an hour. Not documented but seen: more than 20,000 bytes are refused with 460101.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote_plus

import msgspec

from monitor.alerts.contacts import Contact
from monitor.alerts.notice import Notice, cut
from monitor.alerts.pace import Limit
from monitor.alerts.robots import answer
from monitor.alerts.robots.answer import JSON_HEADERS, Codes, Post, Verdict
from monitor.alerts.robots.text import markdown_link, one_line, quiet, rows, with_keyword
from monitor.config_alerts import Robot
from monitor.secret import Secret

BYTES_MAX = 20_000
PER_MINUTE_MAX = 20
LIMITS = (Limit(18, 60.0, reserved=6),)  # below its own: one more is ten minutes of silence
BLOCKED_S = 600.0
CODES = Codes(
    ("errcode",), ("errmsg",), frozenset((130101, 410100, 660026)),
    frozenset(
        (40035, 43004, 300001, 310000, 400013, 400101, 400102, 400105, 400106, 430101, 430102, 430103, 430104, 460101)
    ),
    BLOCKED_S,
)  # fmt: skip


def post(notice: Notice, robot: Robot, url: Secret, secret: Secret | None, now: datetime) -> Post:
    """The notice, cut to what fits."""
    fitting = cut(notice, lambda told: size(told, robot), BYTES_MAX, robot.language)
    return Post(
        url if secret is None else Secret(signed(url.reveal(), secret, now)), JSON_HEADERS, _body(fitting, robot)
    )


def size(notice: Notice, robot: Robot) -> int:
    """As the robot counts."""
    return len(_body(notice, robot))


def signed(url: str, secret: Secret, now: datetime) -> str:
    """The URL with the time and the signature of it."""
    stamp = int(now.timestamp() * 1000)
    text = f"{stamp}\n{secret.reveal()}".encode()
    sign = base64.b64encode(hmac.digest(secret.reveal().encode(), text, hashlib.sha256))
    return f"{url}{'&' if '?' in url else '?'}timestamp={stamp}&sign={quote_plus(sign)}"


def verdict(status: int, body: bytes) -> Verdict:
    return answer.verdict(status, body, CODES)


def _body(notice: Notice, robot: Robot) -> bytes:
    people = [contact for contact in notice.mentions if contact.dingtalk_id or contact.mobile]
    parts = rows(notice, robot.language, quiet, markdown_link)
    if people:  # who is only in `at` and not in the text is not called
        parts.append(" ".join(f"@{contact.dingtalk_id or _mobile(contact)}" for contact in people))
    body = {
        "msgtype": "markdown",
        "markdown": {"title": one_line(notice.title), "text": "\n\n".join(with_keyword(parts, robot.keyword))},
        "at": {
            "atMobiles": [_mobile(contact) for contact in people if not contact.dingtalk_id],
            "atUserIds": [contact.dingtalk_id for contact in people if contact.dingtalk_id],
            "isAtAll": False,
        },
    }
    return msgspec.json.encode(body)


def _mobile(contact: Contact) -> str:
    return contact.mobile.removeprefix("+86")
