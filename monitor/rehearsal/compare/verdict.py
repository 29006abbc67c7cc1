"""The verdict of a rehearsal: what was compared, how far truth and database differ, and rows to look up."""

from collections.abc import Sequence

import msgspec

EXAMPLES_MAX = 20
HEADINGS = ("compared", "truth", "found", "difference", "")


class Check(msgspec.Struct, frozen=True):
    """One line of the report. `ok` None: it only informs. `examples`: at most EXAMPLES_MAX, to be looked up."""

    what: str
    truth: str
    found: str
    difference: str = "0"
    ok: bool | None = None
    examples: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True):
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.ok is not False for check in self.checks)

    @property
    def failed(self) -> list[str]:
        """What does not hold, by its name in the report."""
        return [check.what for check in self.checks if check.ok is False]

    def lines(self) -> list[str]:
        """The report as it is printed: a table, and below it what to look up."""
        marks = {None: "", True: "ok", False: "DIFFERS"}
        rows = [HEADINGS]
        rows += [(check.what, check.truth, check.found, check.difference, marks[check.ok]) for check in self.checks]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        lines = [
            "  ".join(
                cell.ljust(width) if column in (0, 4) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines.insert(1, "-" * len(lines[0]))
        for check in self.checks:
            lines += [f"{check.what}: {example}" for example in check.examples]
        failed = len(self.failed)
        lines.append(
            "truth and PostgreSQL agree" if self.holds else f"truth and PostgreSQL differ in {failed} respects"
        )
        return lines


def counted(what: str, truth: int, found: int, examples: Sequence[str] = (), wrong: int | None = None) -> Check:
    """A line that holds when nothing is wrong: `wrong` things, or else those by which the numbers differ."""
    off = abs(truth - found) if wrong is None else wrong
    return Check(what, f"{truth:,}", f"{found:,}", f"{off:,}", off == 0, tuple(examples[:EXAMPLES_MAX]))


def told(what: str, truth: str, found: str = "", difference: str = "") -> Check:
    """A line that only informs."""
    return Check(what, truth, found, difference)
