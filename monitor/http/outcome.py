"""What becomes of a request at a hook: few fixed words, each with its one answer."""

from typing import Literal, get_args

from collectors.hook import Refusal

Outcome = (
    Literal[
        "accepted",  # kept on disk, then answered; of an own server, held in memory
        "duplicate",  # the same delivery again: answered like the first, not kept again
        "probe",  # the platform's test: answered, not kept
        "check",  # the platform looked whether the URL is ours
        "replayed",  # a delivery's id with another body
        "rate_limited",
        "too_large",
        "unsupported",  # a content type or an encoding that the kind does not take
        "slow",  # the body did not come in time
        "busy",  # this client, or all together, have too many bodies under way
        "full",  # the disk takes no more
        "shed",  # an own server calls for speed alone, and more of that waits than is good: its poll will tell
        "bad_request",
        "not_found",
        "wrong_method",
        "gone",  # the client left before its body had come
        "failed",  # our fault
    ]
    | Refusal
)
REFUSALS: tuple[Refusal, ...] = get_args(Refusal)
OUTCOMES: tuple[Outcome, ...] = (*get_args(get_args(Outcome)[0]), *REFUSALS)
STATUS_OF: dict[Outcome, int] = {
    "bad_request": 400,
    "replayed": 401,
    "not_found": 404,
    "wrong_method": 405,
    "slow": 408,
    "too_large": 413,
    "unsupported": 415,
    "rate_limited": 429,
    "busy": 429,
    "full": 503,
    "shed": 503,
    **dict.fromkeys(REFUSALS, 401),
}
RETRY_AFTER_S = 5


class Turned(Exception):
    """The request goes no further; the caller gets the status of this outcome and nothing else."""

    def __init__(self, outcome: Outcome, method: str = "POST") -> None:
        """`method`: the one that the kind takes."""
        self.outcome, self.method = outcome, method
        super().__init__(outcome)

    @property
    def status(self) -> int:
        return STATUS_OF[self.outcome]

    @property
    def headers(self) -> dict[str, str]:
        if self.status in (429, 503):
            return {"Retry-After": str(RETRY_AFTER_S)}
        return {"Allow": self.method} if self.status == 405 else {}
