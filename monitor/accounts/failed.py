"""How a call of a platform can fail, for those that asked it."""

from collections.abc import Awaitable, Callable

from collectors.collector import BadFrame
from collectors.open_api import Answer, Call, Verdict


class CallFailed(Exception):
    """It brought nothing. `verdict` is the platform's (open_api.Verdict), or `broken` and `rate` where it was not even
    asked; `detail` is a code or a word of ours, never free text; not before `wait_s` is it worth another try."""

    def __init__(self, verdict: Verdict, detail: str = "", wait_s: float = 0.0) -> None:
        self.verdict, self.detail, self.wait_s = verdict, detail, wait_s
        super().__init__(f"{verdict}: {detail}" if detail else verdict)


class AccountRefused(Exception):
    """The account will not have us, or was never linked: until that changes nothing is called. Says why."""


class NotAnswered(Exception):
    """The transport has no answer: `reason` is one of few fixed words. `sent` is False if certainly nothing left us."""

    def __init__(self, reason: str, sent: bool = True) -> None:
        self.reason, self.sent = reason, sent
        super().__init__(reason)


class NotUnderstood(Exception):
    """The rules could not read what a platform wrote: one word of why, since more may hold a piece of the answer."""


def understood[T](read: Callable[[], T]) -> T:
    """What the rules read in an answer. Raises NotUnderstood and nothing else."""
    try:
        return read()
    except BadFrame as error:
        raise NotUnderstood(str(error).partition(":")[0]) from None
    except Exception as error:  # noqa: BLE001  they read what a foreign server wrote, and may trip over anything
        raise NotUnderstood(type(error).__name__) from None


Transport = Callable[[Call], Awaitable[Answer]]
"""Sends one call and brings its answer, whole. Raises NotAnswered and nothing else."""
