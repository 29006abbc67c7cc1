"""Whether those who only read are bounded: what a board's login may take of the server that the writer needs."""

from collections.abc import Sequence

from monitor.doctor.finding import Finding, fine, note, wrong

ROLES_SQL = "let an administrator run `psql -d livemon -f sql/roles.sql` again"
Missing = tuple[str, str, bool]
"""The role, what should bound it, and whether only a superuser can see to it."""


def judge_readers(missing: Sequence[Missing], cuts: Sequence[str]) -> list[Finding]:
    """`cuts`: the readers whose sessions the service can end."""
    findings = []
    if plain := [(role, what) for role, what, super_only in missing if not super_only]:
        findings.append(wrong("readers", f"nothing bounds {_words(plain)}", ROLES_SQL))
    if unmendable := [(role, what) for role, what, super_only in missing if super_only]:
        # A hosted PostgreSQL gives nobody a superuser: this is then how it stays.
        todo = f"{ROLES_SQL}, as a superuser; where there is none, give these logins to people you trust"
        findings.append(note("readers", f"nothing bounds {_words(unmendable)}", todo))
    if endless := [role for role in ("livemon_reader", "livemon_hall") if role not in cuts]:
        what = f"the service cannot end what {' and '.join(endless)} does for too long"
        findings.append(wrong("readers", what, ROLES_SQL))
    return findings or [fine("readers", "their logins are bounded in time, connections and disk")]


def _words(missing: Sequence[tuple[str, str]]) -> str:
    """`livemon_hall (lock_timeout, temp_file_limit) and livemon_reader (...)`."""
    roles = sorted({role for role, _ in missing})
    return " and ".join(f"{role} ({', '.join(what for of, what in missing if of == role)})" for role in roles)
