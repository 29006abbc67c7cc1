"""Reads a query string in which each name stands once: two readers must not take two different values from it."""

from urllib.parse import parse_qsl

FIELDS_MAX = 32


def query_params(query: str) -> dict[str, str] | None:
    """Names and values, unescaped; None where it is broken or a name stands twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        return None
    params = dict(pairs)
    return params if len(params) == len(pairs) else None
