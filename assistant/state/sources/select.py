"""Holds a configured query to one SELECT with one parameter, before a database ever sees it."""

from __future__ import annotations

import re

from sqlalchemy import text

PARAMETER = "user_id"
_SPOKEN = re.compile(r"'(?:''|[^'])*'|\"(?:\"\"|[^\"])*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITES = re.compile(
    r"\b(?:insert|update|delete|merge|replace\s+into|create|alter|drop|truncate|grant|revoke|copy|call|do|execute|"
    r"attach|detach|pragma|vacuum|into|lock|listen|notify|set_config|nextval|setval|pg_sleep|load_extension|"
    r"dblink\w*|lo_\w+|pg_read_\w+|pg_terminate_backend|for\s+(?:no\s+key\s+)?(?:update|share))\b",
    re.IGNORECASE,
)


def check_select(sql: str) -> str:
    """The query without its last semicolon. Raises ValueError unless it is one SELECT with just ``:user_id``."""
    query = sql.strip().rstrip(";").rstrip()
    bare = _SPOKEN.sub(" ", query)
    if ";" in bare:
        raise ValueError("must be one statement")
    if not re.match(r"(?:select|with)\b", bare.strip(), re.IGNORECASE):
        raise ValueError("must be a SELECT")
    if "$$" in bare or re.search(r"\$\w+\$", bare):
        raise ValueError("must hold no dollar-quoted text")
    found = _WRITES.search(bare)
    if found:
        raise ValueError(f"must only read; it holds {found.group().upper()}")
    parameters = set(text(query)._bindparams)
    if parameters != {PARAMETER} or ":user_id" not in bare:
        others = ", ".join(sorted(parameters - {PARAMETER}))
        raise ValueError(f"must hold :user_id and no other parameter{f' (it holds {others})' if others else ''}")
    return query
