"""The SQL we send, read once from sql/: a statement is named by its file."""

from functools import cache
from pathlib import Path

SQL = Path(__file__).resolve().parent.parent.parent / "sql"


@cache
def statement(name: str) -> str:
    """The text of sql/<name>.sql, for example `writer/claim_batch`."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
