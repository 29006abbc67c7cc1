"""What the owner of a shop reads after an authorisation, in Chinese and in English."""

from typing import Literal

from monitor.accounts.door import Why

LEAD = ("店铺授权", "Link your shop")
LEAD_WHAT = (
    "活动的监控服务请求读取这家店铺的订单。点击按钮，用这家店铺的账号登录平台并同意。",
    "The event's monitor asks to read the orders of this shop. Press the button, sign in to the platform with this "
    "shop's account, and agree.",
)
LEAD_BUTTON = ("去平台授权", "Go to the platform")

TITLES = {True: ("授权成功", "Linked"), False: ("授权没有完成", "Not linked")}

WHAT: dict[Why | Literal["linked"], tuple[str, str]] = {
    "linked": ("可以关闭此页面了。", "You can close this page."),
    "unknown_app": (
        "这里没有这个应用。请向发链接给您的人要一个新链接。",
        "There is no such app here. Ask for a new link.",
    ),
    "bad_link": (
        "链接不完整或已损坏。请整段复制链接，或向发链接给您的人要一个新链接。",
        "The link is not whole. Copy all of it, or ask for a new one.",
    ),
    "expired_link": (
        "链接已过期。请向发链接给您的人要一个新链接。",
        "The link is too old. Ask for a new one.",
    ),
    "used_link": (
        "这个链接已经用过，授权已经生效，无需再次操作。",
        "This link was used before: you are linked already.",
    ),
    "declined": (
        "平台没有返回授权码：授权被取消了。想授权时请再次打开链接。",
        "The platform sent no code: it was cancelled. Open the link again to link your shop.",
    ),
    "other_shop": (
        "授权的是另一家店铺。请用链接对应的店铺账号登录后再次打开链接。",
        "That is another shop. Sign in with the account of the shop that the link is for, and open it again.",
    ),
    "platform": (
        "平台拒绝了这次授权。请再次打开链接；仍不行时请把下面的代码告诉发链接给您的人。",
        "The platform refused. Open the link again; if that fails, too, tell the code above to who sent the link.",
    ),
    "busy": ("平台现在很忙。请一分钟后再次打开链接。", "The platform is busy. Open the link again in a minute."),
}
