"""Feishu's and Lark's group robot: a post of text, links and mentions, with a signature in the body.

Documented by open.feishu.cn of custom bots: 100 messages a minute, 5 a second (11232), 20 KB. Its post is no markup: a
text in it says what it says.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

import msgspec

from monitor.alerts.notice import Link, Notice, cut
from monitor.alerts.pace import Limit
from monitor.alerts.robots import answer
from monitor.alerts.robots.answer import JSON_HEADERS, Codes, Post, Verdict
from monitor.alerts.robots.text import BETWEEN, BETWEEN_LINKS, is_sentence, one_line
from monitor.config_alerts import Robot
from monitor.secret import Secret

BYTES_MAX = 20_000
PER_MINUTE_MAX = 100
LIMITS = (Limit(90, 60.0, reserved=20), Limit(4, 1.0))
REST_S = 10.0
STAMP_AND_SIGN_BYTES = 100  # what a signature adds to the body
REFUSALS = frozenset((9499, 19001, 19002, 19021, 19022, 19024, 19036))
CODES = Codes(  # it has answered both ways
    ("code", "StatusCode"), ("msg", "StatusMessage"), frozenset((11232, 99991400)), REFUSALS, REST_S
)
LOCALES = {"zh": "zh_cn", "en": "en_us"}


def post(notice: Notice, robot: Robot, url: Secret, secret: Secret | None, now: datetime) -> Post:
    """The notice, cut to what fits."""
    fitting = cut(notice, lambda told: size(told, robot), BYTES_MAX, robot.language)
    proof = {}
    if secret is not None:
        stamp = int(now.timestamp())
        proof = {"timestamp": str(stamp), "sign": sign(stamp, secret)}
    return Post(url, JSON_HEADERS, msgspec.json.encode(proof | _message(fitting, robot)))


def size(notice: Notice, robot: Robot) -> int:
    """As the robot counts, signature included."""
    return len(msgspec.json.encode(_message(notice, robot))) + STAMP_AND_SIGN_BYTES


def sign(stamp: int, secret: Secret) -> str:
    """The secret is part of the key, and nothing is signed: so it is documented."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret.reveal()}".encode(), b"", hashlib.sha256)).decode()


def verdict(status: int, body: bytes) -> Verdict:
    return answer.verdict(status, body, CODES)


def _message(notice: Notice, robot: Robot) -> dict[str, Any]:
    if not is_sentence(notice):
        content = [[_text(line)] for line in notice.lines]
        content += [_links(notice.links)] if notice.links else []
    else:
        between = BETWEEN[robot.language]
        said = between.join(map(one_line, notice.lines))
        gap = [_text(between)] if said and notice.links else []
        content = [[*([_text(said)] if said else []), *gap, *_links(notice.links)]]
    people = [contact for contact in notice.mentions if contact.feishu_id]
    content += [[{"tag": "at", "user_id": contact.feishu_id} for contact in people]] if people else []
    if robot.keyword and robot.keyword not in notice.title + "".join(notice.lines):
        content.append([_text(robot.keyword)])
    locale = {"title": one_line(notice.title), "content": [row for row in content if row]}
    return {"msg_type": "post", "content": {"post": {LOCALES[robot.language]: locale}}}


def _text(text: str) -> dict[str, str]:
    return {"tag": "text", "text": one_line(text) if text.strip() else text}


def _links(links: tuple[Link, ...]) -> list[dict[str, str]]:
    written: list[dict[str, str]] = []
    for link in links:
        written += [{"tag": "text", "text": BETWEEN_LINKS}] if written else []
        written.append({"tag": "a", "text": one_line(link.text), "href": link.url})
    return written
