"""How many files and sockets this process may have open at once: as many as its user may, not the few of a login."""

import resource

MAX = 65_536
"""Beyond what 20,000 sockets and all callers of both listeners take; some systems allow a billion, and children that
walk through all of them would never begin."""


def raise_limit() -> int:
    """Raise the soft limit to the hard one, at most to MAX; a higher one stays. What may be open from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = raised(soft, hard)
    if wanted != soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except ValueError:  # macOS says that there is no limit, and then has one
            return soft
    return wanted


def raised(soft: int, hard: int) -> int:
    """Pure: what the soft limit is to be. RLIM_INFINITY, of either, is beyond every number."""
    if soft == resource.RLIM_INFINITY or soft >= MAX:
        return soft
    return MAX if hard == resource.RLIM_INFINITY else min(hard, MAX)
