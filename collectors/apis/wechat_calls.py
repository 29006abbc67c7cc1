"""Calls of WeChat and what its codes mean: a token in the query, a JSON body, `errcode` in the answer."""

import json
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from ..open_api import Answer, Call, Caller, Judged, Verdict
from ..verdicts import by_status, code_text, codes

BY_CODE: dict[int, Verdict] = {
    0: "ok",
    40001: "token", 40014: "token", 41001: "token", 42001: "token",
    # A ticket that is over: the next one comes within ten minutes, and all that was granted before stays good.
    61005: "token", 61006: "token",
    61003: "revoked", 61023: "revoked", 42002: "revoked",
    45009: "rate", 45011: "rate",
    40164: "address", 61004: "address", 45035: "address", 89503: "address", 89506: "address", 89507: "address",
    40013: "app", 40125: "app", 41002: "app", 41004: "app", 41018: "app", 40243: "app", 61011: "app",
    48001: "forbidden", 48004: "forbidden", 50002: "forbidden", 61007: "forbidden",
    100002: "missing",
}  # fmt: skip


class Codes(msgspec.Struct, frozen=True):
    """Answers that bring tokens and codes have no errcode when all is well."""

    errcode: int | None = None
    access_token: object = None
    authorizer_access_token: object = None
    authorization_info: object = None
    authorizer_info: object = None
    component_access_token: object = None
    pre_auth_code: object = None


def judged(answer: Answer) -> Judged:
    told = codes(answer, Codes)
    if told is None or answer.status != 200:
        return by_status(answer)
    if told.errcode is not None:
        return Judged(BY_CODE.get(told.errcode, "broken"), code_text(told.errcode))
    brought = any(part is not None for part in msgspec.structs.astuple(told))
    return Judged("ok") if brought else by_status(answer)


def in_shop(caller: Caller, path: str, asked: Mapping[str, object]) -> Call:
    """In the name of a shop, by whichever way its token came."""
    return call(caller, path, asked, {"access_token": caller.access})


def of_component(caller: Caller, name: str, asked: Mapping[str, object]) -> Call:
    """In the name of the third-party platform, whose own token it carries."""
    token = caller.app_tokens.access if caller.app_tokens is not None else ""
    named = {"component_appid": caller.app.key, **asked}
    return call(caller, f"/cgi-bin/component/{name}", named, {"component_access_token": token})


def call(caller: Caller, path: str, asked: Mapping[str, object], query: Mapping[str, str]) -> Call:
    url = f"{caller.base}{path}" + (f"?{urlencode(query)}" if query else "")
    return Call(path, url, json.dumps(asked).encode(), {"content-type": "application/json"})
