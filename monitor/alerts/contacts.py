"""The people whom messages mention and shifts call, as their CSV lists them, with every error at its `file:line`."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from monitor.problem import ConfigError, Problem, quoted
from monitor.table_file import Row, read_bytes, read_table, text_of

COLUMNS = ("id", "name", "mobile", "dingtalk_id", "wecom_id", "feishu_id")
HEADINGS = {column: column for column in COLUMNS} | {
    "编号": "id", "工号": "id", "姓名": "name", "名字": "name", "手机": "mobile", "手机号": "mobile", "电话": "mobile",
    "钉钉": "dingtalk_id", "钉钉id": "dingtalk_id", "企业微信": "wecom_id", "企业微信id": "wecom_id",
    "企微": "wecom_id", "飞书": "feishu_id", "飞书id": "feishu_id",
}  # fmt: skip
ROWS_MAX = 10_000
TEXT_CHARS_MAX = 128
ID = re.compile(r"[\w.-]{1,64}")
MOBILE = re.compile(r"\+?[0-9]{5,20}")
CHAT_ID = re.compile(r"(?!all$)[A-Za-z0-9][\w.@:+/=-]{0,127}", re.ASCII | re.IGNORECASE)
"""What stands inside <@...> of a message: nothing that ends it, and never "all", which calls everybody."""


class Contact(msgspec.Struct, frozen=True):
    """One person; an empty text is what was not given."""

    id: str
    name: str = ""
    mobile: str = ""
    dingtalk_id: str = ""
    wecom_id: str = ""
    feishu_id: str = ""


def read(path: Path) -> dict[str, Contact]:
    """The contacts of a file by their ids; ConfigError with all that is wrong in it."""
    table = read_table(read_bytes(path), str(path), HEADINGS, ("id",), ROWS_MAX)
    contacts: dict[str, Contact] = {}
    problems = list(table.problems)
    lines: dict[str, int] = {}
    for row in table.rows:
        contact = _contact(row)
        problems += [Problem(str(path), row.line, what, todo) for what, todo in _wrong(contact)]
        if contact.id in contacts:
            what = f"id {quoted(contact.id)} stands at line {lines[contact.id]} already"
            problems.append(Problem(str(path), row.line, what, "give each person an id of their own"))
        lines.setdefault(contact.id, row.line)
        contacts.setdefault(contact.id, contact)
    if problems:
        raise ConfigError(problems)
    return contacts


def called(contacts: Mapping[str, Contact], text: str) -> Contact:
    """The contact whom a roster or a shift names by id, or by a name that only one person has; else a bare name."""
    if text in contacts:
        return contacts[text]
    namesakes = [contact for contact in contacts.values() if contact.name == text]
    return namesakes[0] if len(namesakes) == 1 else Contact("", text)


def _contact(row: Row) -> Contact:
    texts = {column: text_of(cell) for column, cell in row.cells.items()}
    texts["mobile"] = re.sub(r"[\s()-]", "", texts.get("mobile", ""))
    return msgspec.convert(texts, Contact)


def _wrong(contact: Contact) -> list[tuple[str, str]]:
    wrong = []
    if not ID.fullmatch(contact.id):
        wrong.append((f"id {quoted(contact.id)} cannot name a person", "give 1 to 64 letters, digits, . - or _"))
    if len(contact.name) > TEXT_CHARS_MAX or not contact.name.isprintable():
        wrong.append((f"name {quoted(contact.name)} cannot stand in a message", "give a short name on one line"))
    if contact.mobile and not MOBILE.fullmatch(contact.mobile):
        wrong.append((f"mobile {quoted(contact.mobile)} is no number", "give digits, with + before a country's code"))
    for column in ("dingtalk_id", "wecom_id", "feishu_id"):
        if (text := getattr(contact, column)) and not CHAT_ID.fullmatch(text):
            wrong.append((f"{column} {quoted(text)} is no id of a chat", "copy it from the chat's list of members"))
    return wrong
