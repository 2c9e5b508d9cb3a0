"""API keys and end-user tokens."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from sqlalchemy import Engine, create_engine, select

from assistant.errors import ConfigurationError, NotFound, NotPermitted
from assistant.keys import KeyStore, TokenIssuer, kept_token_secret
from assistant.store.tables import api_keys, metadata

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = "k" * 32


@pytest.fixture
def engine() -> Engine:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


@pytest.fixture
def store(engine: Engine) -> KeyStore:
    return KeyStore(engine, now=lambda: NOW)


def test_an_issued_key_verifies_and_its_secret_is_not_stored(store: KeyStore, engine: Engine) -> None:
    issued = store.issue("red", "agent", "desk of Li")
    assert store.verify(issued.text) == issued.key
    assert (issued.key.workspace, issued.key.role, issued.key.label) == ("red", "agent", "desk of Li")
    secret = issued.text.rsplit("_", 1)[1]
    with engine.connect() as connection:
        stored = str(connection.execute(select(api_keys)).all())
    assert secret not in stored
    assert secret not in repr(issued)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text.replace("tbk_", "tbx_"),
        lambda text: "tbk_" + "0" * 16 + text[20:],
        lambda text: text + "0",
        lambda text: text + "\n",
        lambda text: "",
        lambda text: "tbk__",
    ],
)
def test_a_spoilt_key_is_refused(store: KeyStore, spoil: object) -> None:
    text = store.issue("red", "service").text
    with pytest.raises(NotPermitted):
        store.verify(spoil(text))  # type: ignore[operator]


def test_the_secret_of_one_key_does_not_open_another(store: KeyStore) -> None:
    first, second = store.issue("red", "agent"), store.issue("blue", "agent")
    mixed = f"tbk_{first.key.id}_{second.text.rsplit('_', 1)[1]}"
    with pytest.raises(NotPermitted):
        store.verify(mixed)


def test_a_revoked_key_is_refused_and_keeps_its_first_moment(engine: Engine) -> None:
    clock = [NOW]
    store = KeyStore(engine, now=lambda: clock[0])
    issued = store.issue("red", "manager")
    store.revoke("red", issued.key.id)
    clock[0] = NOW + timedelta(days=1)
    store.revoke("red", issued.key.id)
    with pytest.raises(NotPermitted):
        store.verify(issued.text)
    assert [key.revoked_at for key in store.keys("red")] == [NOW]


def test_a_workspace_neither_sees_nor_revokes_the_keys_of_another(store: KeyStore) -> None:
    issued = store.issue("red", "agent")
    assert store.keys("blue") == []
    with pytest.raises(NotFound):
        store.revoke("blue", issued.key.id)
    assert store.verify(issued.text).workspace == "red"


def test_an_unknown_role_is_refused(store: KeyStore) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        store.issue("red", "owner")  # type: ignore[arg-type]


def _issuer(now: datetime = NOW, secret: str = SECRET) -> TokenIssuer:
    return TokenIssuer(secret, ttl_s=3600, now=lambda: now)


def test_a_token_carries_user_and_workspace() -> None:
    issued = _issuer().issue("red", "u-1")
    claims = _issuer().verify(issued.text)
    assert claims == issued.claims
    assert (claims.workspace, claims.user_id, claims.expires_at) == ("red", "u-1", NOW + timedelta(hours=1))
    assert issued.text not in repr(issued)
    payload = jwt.decode(issued.text, options={"verify_signature": False})
    assert set(payload) == {"sub", "ws", "exp", "iat", "aud"}


def test_a_visitors_token_has_no_sub_and_may_name_its_conversation() -> None:
    text = _issuer().issue("red", None, conversation_id="c-1").text
    assert "sub" not in jwt.decode(text, options={"verify_signature": False})
    claims = _issuer().verify(text)
    assert (claims.user_id, claims.conversation_id) == (None, "c-1")


def test_a_token_never_lives_longer_than_the_service_allows() -> None:
    assert _issuer().issue("red", "u-1", ttl_s=86_400).claims.expires_at == NOW + timedelta(hours=1)
    assert _issuer().issue("red", "u-1", ttl_s=60).claims.expires_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=2)])
def test_an_expired_token_is_refused(later: timedelta) -> None:
    text = _issuer().issue("red", "u-1").text
    with pytest.raises(NotPermitted, match="expired"):
        _issuer(NOW + later).verify(text)


def test_a_token_signed_by_another_secret_is_refused() -> None:
    with pytest.raises(NotPermitted):
        _issuer().verify(_issuer(secret="x" * 32).issue("red", "u-1").text)


@pytest.mark.parametrize(
    "payload",
    [
        {"sub": "u-1", "ws": "red", "iat": NOW, "exp": NOW + timedelta(hours=1)},
        {"sub": "u-1", "ws": "red", "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "other"},
        {"sub": "u-1", "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "teachback"},
        {"sub": "u-1", "ws": "red", "iat": NOW, "aud": "teachback"},
        {"sub": "u-1", "ws": 7, "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "teachback"},
        {"sub": 7, "ws": "red", "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "teachback"},
        {"sub": "", "ws": "red", "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "teachback"},
        {"sub": "u-1", "ws": "red", "iat": NOW, "exp": "soon", "aud": "teachback"},
        {"sub": "u-1", "ws": "red", "iat": NOW, "exp": 10**20, "aud": "teachback"},
        {
            "sub": "u-1",
            "ws": "red",
            "iat": NOW + timedelta(hours=1),
            "exp": NOW + timedelta(hours=2),
            "aud": "teachback",
        },
    ],
)
def test_a_token_with_wrong_claims_is_refused_even_when_signed(payload: dict[str, object]) -> None:
    with pytest.raises(NotPermitted):
        _issuer().verify(jwt.encode(payload, SECRET, algorithm="HS256"))


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    payload = {"sub": "u-1", "ws": "red", "iat": NOW, "exp": NOW + timedelta(hours=1), "aud": "teachback"}
    text = jwt.encode(payload, "" if algorithm == "none" else SECRET, algorithm=algorithm)
    with pytest.raises(NotPermitted):
        _issuer().verify(text)


def test_a_short_secret_is_a_configuration_error_that_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="TEACHBACK_TOKEN_SECRET"):
        TokenIssuer("short")


def test_the_kept_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "token_secret"
    secret = kept_token_secret(path)
    assert kept_token_secret(path) == secret
    assert len(secret) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["token_secret"]
