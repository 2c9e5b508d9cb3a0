"""Who may call: API keys of a workspace, kept as hashes, and short-lived signed tokens for its end users."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, cast, get_args

import jwt
from jwt.types import Options
from sqlalchemy import Engine, Row, insert, select, update

from assistant.errors import ConfigurationError, NotFound, NotPermitted
from assistant.store.tables import api_keys

KeyRole = Literal["service", "agent", "manager"]
KEY_PREFIX = "tbk_"
MIN_SECRET_BYTES = 32
_AUDIENCE = "teachback"
_ALGORITHM = "HS256"
_CLOCK_SKEW = timedelta(seconds=60)
_KEY_SHAPE = re.compile(r"tbk_([0-9a-f]{16})_([0-9a-f]{64})")
_NO_HASH = "0" * 64


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is stored of a key; never its secret."""

    id: str
    workspace: str
    role: KeyRole
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with the text that its owner must keep: it cannot be shown again."""

    key: ApiKey
    text: str = field(repr=False)


class KeyStore:
    """API keys over the records database. Every method is blocking and one transaction.

    A secret has 256 random bits, so one SHA-256 is enough: there is nothing to guess that a slow hash would slow down.
    """

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._engine = engine
        self._now = now

    def issue(self, workspace: str, role: KeyRole, label: str = "") -> IssuedKey:
        """A new key of this workspace. Raises ConfigurationError for an unknown role."""
        if role not in get_args(KeyRole):
            raise ConfigurationError(f"no key role {role!r}; there are {', '.join(get_args(KeyRole))}")
        secret = secrets.token_hex(32)
        key = ApiKey(secrets.token_hex(8), workspace, role, label, self._now())
        with self._engine.begin() as connection:
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    workspace=workspace,
                    secret_sha256=_sha256(secret),
                    role=role,
                    label=label,
                    created_at=key.created_at,
                    revoked_at=None,
                )
            )
        return IssuedKey(key, f"{KEY_PREFIX}{key.id}_{secret}")

    def verify(self, text: str) -> ApiKey:
        """The key that this text proves.

        Raises NotPermitted without saying whether the id exists, the secret is wrong or the key was revoked.
        """
        shape = _KEY_SHAPE.fullmatch(text)
        key_id, secret = shape.groups() if shape else ("", "")
        with self._engine.connect() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        matches = hmac.compare_digest(_sha256(secret), _NO_HASH if row is None else str(row.secret_sha256))
        if row is None or not matches or row.revoked_at is not None:
            raise NotPermitted("the API key is not valid")
        return _key(row)

    def keys(self, workspace: str) -> list[ApiKey]:
        """All keys of this workspace, revoked ones too, oldest first."""
        query = select(api_keys).where(api_keys.c.workspace == workspace)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(api_keys.c.created_at, api_keys.c.id)).all()
        return [_key(row) for row in rows]

    def revoke(self, workspace: str, key_id: str) -> None:
        """Make this key useless from now on; revoking twice keeps the first moment. Raises NotFound."""
        mine = (api_keys.c.workspace == workspace) & (api_keys.c.id == key_id)
        with self._engine.begin() as connection:
            if connection.execute(select(api_keys.c.id).where(mine)).one_or_none() is None:
                raise NotFound(f"no API key {key_id} in workspace {workspace}")
            connection.execute(
                update(api_keys).where(mine & api_keys.c.revoked_at.is_(None)).values(revoked_at=self._now())
            )


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a valid token says. ``user_id`` None is a visitor, who may hold one conversation: ``conversation_id``."""

    workspace: str
    user_id: str | None
    expires_at: datetime
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed token and what it says."""

    claims: TokenClaims
    text: str = field(repr=False)


class TokenIssuer:
    """Signs and checks the tokens of end users (JWT, HS256; claims sub, ws, cid, exp, iat, aud)."""

    def __init__(self, secret: bytes | str, *, ttl_s: int = 3600, now: Callable[[], datetime] = _utc_now) -> None:
        """``ttl_s`` is the longest and the usual life. Raises ConfigurationError for a secret under 32 bytes."""
        self._secret = secret.encode() if isinstance(secret, str) else secret
        if len(self._secret) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"the token secret has {len(self._secret)} bytes; "
                f"set TEACHBACK_TOKEN_SECRET to {MIN_SECRET_BYTES} or more"
            )
        self._ttl = timedelta(seconds=ttl_s)
        self._now = now

    def issue(
        self,
        workspace: str,
        user_id: str | None,
        *,
        ttl_s: int | None = None,
        conversation_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> IssuedToken:
        """A token for this user, or for a visitor where ``user_id`` is None; never longer than the usual life."""
        now = self._now().replace(microsecond=0)
        wanted = now + (self._ttl if ttl_s is None else timedelta(seconds=ttl_s)) if expires_at is None else expires_at
        claims = TokenClaims(workspace, user_id, min(wanted, now + self._ttl), conversation_id)
        payload: dict[str, object] = {"ws": workspace, "aud": _AUDIENCE, "iat": now, "exp": claims.expires_at}
        if user_id is not None:
            payload["sub"] = user_id
        if conversation_id is not None:
            payload["cid"] = conversation_id
        return IssuedToken(claims, jwt.encode(payload, self._secret, algorithm=_ALGORITHM))

    def verify(self, text: str) -> TokenClaims:
        """The claims of a token that we signed and that has not expired. Raises NotPermitted."""
        options: Options = {"require": ["ws", "exp", "iat", "aud"], "verify_exp": False, "verify_iat": False}
        try:
            payload = jwt.decode(text, self._secret, algorithms=[_ALGORITHM], audience=_AUDIENCE, options=options)
            expires = datetime.fromtimestamp(int(payload["exp"]), UTC)
            issued = datetime.fromtimestamp(int(payload["iat"]), UTC)
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as exc:
            raise NotPermitted("the token is not valid") from exc
        now = self._now()
        if expires <= now:
            raise NotPermitted("the token has expired")
        workspace, user_id, conversation = payload["ws"], payload.get("sub"), payload.get("cid")
        well_formed = isinstance(workspace, str) and all(
            v is None or isinstance(v, str) for v in (user_id, conversation)
        )
        if not well_formed or not workspace or user_id == "" or issued > now + _CLOCK_SKEW:
            raise NotPermitted("the token is not valid")
        return TokenClaims(workspace, user_id, expires, conversation)


def kept_token_secret(path: Path) -> bytes:
    """The random signing secret kept in this file, made on first use and readable by its owner only."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(32).encode())
        # A link, not a rename: of two processes that start at once, the second must take the first one's secret.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes().strip()


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(row.id, row.workspace, cast(KeyRole, row.role), row.label, row.created_at, row.revoked_at)
