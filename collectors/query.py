"""Reads the fields of queries and forms, so that two readers never take two different values from one."""

from urllib.parse import parse_qsl

from .collector import BadFrame

FIELDS_MAX = 32
FORM_FIELDS_MAX = 64


def query_params(query: str) -> dict[str, str] | None:
    """Names and values, unescaped; None where it is broken or a name stands twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        return None
    params = dict(pairs)
    return params if len(params) == len(pairs) else None


def first_fields(form: bytes) -> dict[str, str]:
    """Of a form at whose end a stranger may add: the first of a name counts. Raises BadFrame."""
    try:
        pairs = parse_qsl(form.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise BadFrame("bad_form: broken, not UTF-8, or of too many fields") from error
    return dict(reversed(pairs))
