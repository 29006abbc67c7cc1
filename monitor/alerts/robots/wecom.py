"""WeCom's group robot: markdown of 4,096 bytes, or a text of 2,048 where somebody is known by a mobile number alone.

Documented by developer.work.weixin.qq.com, path 99110: 20 messages a minute (45009); in markdown people are called by
`<@userid>`, by mobile number only in a text.
"""

from datetime import datetime
from typing import Any

import msgspec

from monitor.alerts.notice import Notice, cut
from monitor.alerts.pace import Limit
from monitor.alerts.robots import answer
from monitor.alerts.robots.answer import JSON_HEADERS, Codes, Post, Verdict
from monitor.alerts.robots.text import markdown_link, one_line, plain_link, quiet, rows, with_keyword
from monitor.config_alerts import Robot
from monitor.secret import Secret

BYTES_MAX = 4_096
TEXT_BYTES_MAX = 2_048
PER_MINUTE_MAX = 20
LIMITS = (Limit(18, 60.0, reserved=6),)
REST_S = 60.0
REFUSALS = frozenset((40008, 40058, 44004, 45002, 93000, 93008))
CODES = Codes(("errcode",), ("errmsg",), frozenset((45009, 45033)), REFUSALS, REST_S)


def post(notice: Notice, robot: Robot, url: Secret, secret: Secret | None, now: datetime) -> Post:
    """The notice, cut to what fits; this robot has no signature."""
    if (text := _text(notice, robot)) is not None:
        return Post(url, JSON_HEADERS, msgspec.json.encode(text))
    fitting = cut(notice, lambda told: size(told, robot), BYTES_MAX, robot.language)
    content = _markdown(fitting, robot)
    return Post(url, JSON_HEADERS, msgspec.json.encode({"msgtype": "markdown", "markdown": {"content": content}}))


def size(notice: Notice, robot: Robot) -> int:
    """As the robot counts: the bytes of the content alone."""
    return len(_markdown(notice, robot).encode())


def verdict(status: int, body: bytes) -> Verdict:
    return answer.verdict(status, body, CODES)


def _markdown(notice: Notice, robot: Robot) -> str:
    parts = rows(notice, robot.language, quiet, markdown_link)
    if called := " ".join(f"<@{contact.wecom_id}>" for contact in notice.mentions if contact.wecom_id):
        parts.append(called)
    return "\n".join(with_keyword(parts, robot.keyword))


def _text(notice: Notice, robot: Robot) -> dict[str, Any] | None:
    """The only way to call somebody by mobile; None where nobody needs it, or where it would have to be cut."""
    if all(contact.wecom_id or not contact.mobile for contact in notice.mentions):
        return None
    content = "\n".join(with_keyword(rows(notice, robot.language, one_line, plain_link), robot.keyword))
    if len(content.encode()) > TEXT_BYTES_MAX:
        return None
    ids = [contact.wecom_id for contact in notice.mentions if contact.wecom_id]
    mobiles = [contact.mobile.removeprefix("+86") for contact in notice.mentions if not contact.wecom_id]
    called = {"mentioned_list": ids, "mentioned_mobile_list": [mobile for mobile in mobiles if mobile]}
    return {"msgtype": "text", "text": {"content": content} | called}
