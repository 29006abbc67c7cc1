"""Our applications on the platforms: can their secrets be read, and is a rotation under way?"""

from collections.abc import Sequence

from collectors.hook import App
from monitor.apps import AppTable, read_apps
from monitor.doctor.finding import Finding, fine, note, wrong
from monitor.secret import SecretError


def check_apps(tables: Sequence[AppTable]) -> tuple[list[Finding], dict[str, App]]:
    """A finding for each, and those whose secrets can be read."""
    findings: list[Finding] = []
    apps: dict[str, App] = {}
    for table in tables:
        name = f"app {table.name}"
        try:
            read = read_apps([table])
        except SecretError as error:
            findings.append(wrong(name, str(error).removesuffix(f"; {error.todo}"), error.todo))
            continue
        apps |= read
        if len(table.secret_file) > 1:
            findings.append(note(name, "two secrets are believed", "take the old one out when its rotation is done"))
        else:
            findings.append(fine(name, f"its secret for {table.platform} can be read"))
    return findings, apps
