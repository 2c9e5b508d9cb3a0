"""What a state file may say, checked whole at start: a mistake names key and line, a secret is never inline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from assistant.errors import ConfigurationError
from assistant.state.sources.expressions import Expression
from assistant.state.sources.secrets import SecretRef
from assistant.state.sources.select import check_select
from assistant.yaml_lines import Document, read

PROFILE = "profile"
SQL_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_CREDENTIAL_HEADER = re.compile(r"authorization|cookie|token|secret|password|api[-_]?key|signature", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _expression(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a column's name or a JMESPath expression, as text")
    return Expression(value)


_Expr = Annotated[Expression, BeforeValidator(_expression)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]


class Labels(_Part):
    """What replies call the source: 暂时查不到「zh」信息."""

    zh: Annotated[str, Field(min_length=1, max_length=40)]
    en: Annotated[str, Field(min_length=1, max_length=40)]


class EntityMap(_Part):
    """How one row or item becomes one entity (or, for ``kind: profile``, the profile)."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
    user_id: _Expr = Expression("user_id")
    id: _Expr | None = None
    status: _Expr | None = None
    statuses: dict[str, str] = Field(default_factory=dict)
    title: _Expr | None = None
    amount: _Expr | None = None
    amount_divisor: Literal[1, 10, 100, 1000] = 1
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    currency_from: _Expr | None = None
    occurred_at: _Expr | None = None
    due_at: _Expr | None = None
    timezone: str | None = None
    attributes: dict[str, _Expr] = Field(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                raise ValueError(f"{value!r} is no time zone; write one like Asia/Shanghai") from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> EntityMap:
        if self.kind != PROFILE and self.id is None:
            raise ValueError("id is missing: it names the column or expression that holds the entity's id")
        if self.currency is not None and self.currency_from is not None:
            raise ValueError("give currency or currency_from, not both")
        return self


class Query(EntityMap):
    """One SELECT with ``:user_id`` as its only parameter."""

    sql: str

    @field_validator("sql")
    @classmethod
    def _one_select(cls, value: str) -> str:
        return check_select(value)


class Paging(_Part):
    """How the next page is found: a link or cursor in the body, the ``Link`` header, or a page's number."""

    style: Literal["next_link", "link_header", "cursor", "page"]
    next: _Expr | None = None
    param: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\[\]-]{1,40}$")] | None = None
    first_page: Annotated[int, Field(ge=0, le=1)] = 1
    max_pages: Annotated[int, Field(ge=1, le=20)] = 5

    @model_validator(mode="after")
    def _needs(self) -> Paging:
        if self.style in ("next_link", "cursor") and self.next is None:
            raise ValueError(f"next is missing: where the body holds the {self.style.replace('_', ' ')}")
        if self.style in ("cursor", "page") and self.param is None:
            raise ValueError("param is missing: the query parameter that asks for a page")
        return self


class Request(EntityMap):
    """One GET; ``items`` says where the list is in the body, ``response_user_id`` whose it is where items do not."""

    path: str
    items: _Expr = Expression("@")
    response_user_id: _Expr | None = None
    paging: Paging | None = None
    not_found: Literal["error", "empty"] = "error"

    @field_validator("path")
    @classmethod
    def _template(cls, value: str) -> str:
        if not value.startswith("/") or value.startswith("//") or any(c.isspace() for c in value):
            raise ValueError("must start with one / and hold no spaces; the host stands in base_url")
        if _PLACEHOLDER.findall(value) != ["user_id"] or value.count("{") != 1 or value.count("}") != 1:
            raise ValueError("must hold {user_id} once and no other placeholder")
        return value


class Auth(SecretRef):
    """A secret sent in a header: ``header: prefix + secret``."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] = "Authorization"
    prefix: Annotated[str, Field(max_length=40)] = "Bearer "


class _Source(_Part):
    name: _Name
    labels: Labels | None = None
    budget_ms: Annotated[float, Field(gt=0, le=10_000)] = 250.0
    cache_s: Annotated[float, Field(ge=0, le=86_400)] = 15.0
    stale_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 600.0
    cache_users: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    row_limit: Annotated[int, Field(ge=1, le=2_000)] = 200

    @property
    def words(self) -> dict[str, str]:
        """Its names in replies by language; empty where none are given."""
        return {} if self.labels is None else {"zh": self.labels.zh, "en": self.labels.en}


class SqlConfig(_Source):
    """A database that is only read: SQLite or PostgreSQL."""

    type: Literal["sql"]
    url: str | SecretRef
    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=20)]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it tells of."""
        return tuple(dict.fromkeys(query.kind for query in self.queries))

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str | SecretRef) -> str | SecretRef:
        if isinstance(value, str):
            sql_url(value, inline=True)
        return value


class HttpConfig(_Source):
    """A service that answers GET with JSON."""

    type: Literal["http"]
    base_url: str
    auth: Auth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    ca_file: Path | None = None
    max_bytes: Annotated[int, Field(ge=1_000, le=20_000_000)] = 1_000_000
    requests: Annotated[tuple[Request, ...], Field(min_length=1, max_length=20)]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it tells of."""
        return tuple(dict.fromkeys(request.kind for request in self.requests))

    @field_validator("base_url")
    @classmethod
    def _plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http(s)://host, perhaps with a port and a path")
        if parts.username or parts.password:
            raise ValueError("must hold no user or password; use auth with a secret reference")
        if parts.query or parts.fragment or "{" in value:
            raise ValueError("must hold no query, fragment or placeholder; they belong into path")
        return value.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if _CREDENTIAL_HEADER.search(name):
                raise ValueError(f"{name} carries a secret; use auth with a secret reference")
            if "{" in text or any(ord(c) < 32 for c in name + text):
                raise ValueError(f"{name}: only plain text is allowed, no placeholder")
        return value


class StateConfig(_Part):
    """The whole file."""

    sources: Annotated[
        tuple[Annotated[SqlConfig | HttpConfig, Field(discriminator="type")], ...], Field(min_length=1, max_length=20)
    ]

    @field_validator("sources")
    @classmethod
    def _apart(cls, value: tuple[SqlConfig | HttpConfig, ...]) -> tuple[SqlConfig | HttpConfig, ...]:
        names = [source.name for source in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}")
        return value


def sql_url(raw: str, *, inline: bool = False) -> str:
    """The SQLAlchemy URL with the driver this product brings. Raises ValueError, which never holds the URL."""
    try:
        url = make_url(raw)
    except ArgumentError:
        raise ValueError("is no database URL; write one like sqlite:///shop.db or use a secret reference") from None
    backend = url.get_backend_name()
    if backend not in SQL_DRIVERS:
        raise ValueError(f"{backend} is not supported: only sqlite and postgresql can be held to reading")
    if inline and (url.password or {"password", "sslpassword"} & set(url.query)):
        raise ValueError("holds a password; put the URL into an environment variable and write url: {secret: NAME}")
    if backend == "sqlite" and (url.query or not url.database or url.database == ":memory:"):
        raise ValueError("a SQLite URL is sqlite:/// and the path of a file, nothing more")
    return url.set(drivername=SQL_DRIVERS[backend]).render_as_string(hide_password=False)


def load_config(path: Path) -> StateConfig:
    """The checked file; relative paths in it start from its folder. Raises ConfigurationError with line and key."""
    document = read(path)
    try:
        config = StateConfig.model_validate(document.data)
    except ValidationError as exc:
        raise ConfigurationError(_said(document, exc)) from None  # the cause would hold what was written
    folder = path.absolute().parent
    return config.model_copy(update={"sources": tuple(_placed(source, folder) for source in config.sources)})


def _placed(source: SqlConfig | HttpConfig, folder: Path) -> SqlConfig | HttpConfig:
    def beside(ref: SecretRef) -> SecretRef:
        return ref.model_copy(update={"secret_file": folder / ref.secret_file}) if ref.secret_file else ref

    changed: dict[str, Any] = {}
    if isinstance(source, SqlConfig):
        if isinstance(source.url, SecretRef):
            changed["url"] = beside(source.url)
        elif (url := make_url(source.url)).get_backend_name() == "sqlite":
            changed["url"] = url.set(database=str(folder / str(url.database))).render_as_string(hide_password=False)
    else:
        if source.auth is not None:
            changed["auth"] = beside(source.auth)
        if source.ca_file is not None:
            changed["ca_file"] = folder / source.ca_file
    return source.model_copy(update=changed)


def _in_file(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path as it stands in the file: pydantic adds the branch of a union, the source's type and what it tried."""
    if len(location) > 2 and location[0] == "sources" and location[2] in ("sql", "http"):
        location = (*location[:2], *location[3:])
    return tuple(step for step in location if step != "str" and "SecretRef" not in str(step))


def _said(document: Document, exc: ValidationError) -> str:
    errors = exc.errors(include_url=False, include_input=False, include_context=False)
    # what follows from another mistake only confuses: the branch of a union not meant, the list that lost its items
    plain = [e for e in errors if e["type"] not in ("string_type", "too_short")]
    lines = []
    for error in (plain or errors)[:5]:
        location = _in_file(error["loc"])
        key = ".".join(map(str, location)) or "the file"
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = "unknown key; see docs/state-sources.md for those there are"
        elif error["type"] == "missing":
            message = "is missing"
        elif location[-1:] == ("secret",):
            message = "must be the name of an environment variable, never the secret itself"
        lines.append(f"{document.source}:{document.line(location)}: {key}: {message}")
    return "\n".join(lines)
