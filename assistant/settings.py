"""The one reader of the environment. Nothing is built here; ``bootstrap.build`` does that."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.errors import ConfigurationError

WorkspaceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")]


def default_data_dir() -> Path:
    """The platform's user data folder for Teachback."""
    from platformdirs import user_data_path

    return user_data_path("teachback", appauthor=False)


def default_cache_dir() -> Path:
    """The platform's user cache folder: unpacked model weights, safe to delete."""
    from platformdirs import user_cache_path

    return user_cache_path("teachback", appauthor=False)


def named_secret(name: str) -> SecretStr:
    """The value of the environment variable that a file refers to by name. Raises ConfigurationError."""
    value = os.environ.get(name)
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set; a file names it as a secret")
    return SecretStr(value)


class Settings(BaseSettings):
    """Every setting, read from ``TEACHBACK_*`` (and ``OPENAI_*`` for the model endpoint).

    Secrets are masked in ``repr``. ``docs/settings.md`` lists them all; a test keeps it so.
    """

    model_config = SettingsConfigDict(env_prefix="TEACHBACK_", extra="ignore", frozen=True, populate_by_name=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Where records and indexes are kept.")
    cache_dir: Path = Field(default_factory=default_cache_dir, description="Unpacked model weights; safe to delete.")
    workspace: WorkspaceName = Field(default="default", description="The tenant whose data is read and written.")
    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL of the records; SQLite in the data folder when unset."
    )
    chroma_url: str | None = Field(
        default=None, description="http(s)://host:port of a Chroma server; embedded in the data folder when unset."
    )

    embedder: str = Field(
        default="bundled",
        description="`bundled`, `sentence-transformers:NAME_OR_FOLDER` or `openai:MODEL`.",
    )
    embedder_query_prefix: str = Field(default="", description="Put before questions (not for `bundled`).")
    embedder_passage_prefix: str = Field(default="", description="Put before stored texts (not for `bundled`).")
    embedder_allow_download: bool = Field(
        default=False, description="Let sentence-transformers fetch the named models from a hub."
    )

    reranker: str | None = Field(
        default=None,
        description="`sentence-transformers:NAME_OR_FOLDER`: a cross-encoder that reads the best 20 passages again.",
    )

    openai_base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_BASE_URL", "openai_base_url"),
        description="OpenAI-compatible endpoint that writes replies.",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY", "openai_api_key"),
        description="Key for that endpoint.",
    )
    model: str = Field(default="gpt-4o-mini", description="The chat model's name at the endpoint.")
    model_timeout_s: float = Field(default=20.0, gt=0, description="Longest wait for a whole generated reply.")
    model_first_token_s: float = Field(default=10.0, gt=0, description="Longest wait for its first token.")
    model_max_tokens: int = Field(default=600, gt=0, description="Longest generated reply, in tokens.")
    llm_price_in: float | None = Field(
        default=None, ge=0, description="Price of a million tokens sent to the chat model, for the cost of replies."
    )
    llm_price_out: float | None = Field(default=None, ge=0, description="Price of a million tokens that it writes.")
    rewrite_questions: bool = Field(
        default=False,
        description="Let the chat model rewrite a follow-up as a standalone question to search for: one more call.",
    )
    rewrite_timeout_s: float = Field(default=3.0, gt=0, description="Longest wait for a rewritten question.")
    answer_cache: int = Field(
        default=1000,
        ge=0,
        description="Generated answers remembered for the same question again, in memory of each process; 0 is off.",
    )

    judge_model: str | None = Field(
        default=None, description="The model that judges replies in `eval transfers --judge`; not the one under test."
    )
    judge_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint of the judge; the client's default one when unset."
    )
    judge_api_key: SecretStr | None = Field(default=None, description="Key for the judge's endpoint.")
    judge_concurrency: int = Field(default=4, ge=1, le=64, description="Requests to the judge at a time.")
    judge_requests_per_minute: int | None = Field(
        default=None, ge=1, description="Most requests to the judge in a minute; unlimited when unset."
    )
    judge_timeout_s: float = Field(default=60.0, gt=0, description="Longest wait for one verdict.")
    judge_max_tokens: int = Field(default=2000, gt=0, description="Longest verdict, in tokens.")
    judge_price_in: float | None = Field(
        default=None, ge=0, description="Price of a million tokens sent to the judge, for the cost of a run."
    )
    judge_price_out: float | None = Field(
        default=None, ge=0, description="Price of a million tokens that the judge writes."
    )

    state_sources: str | None = Field(
        default=None,
        description="YAML file that connects your own systems (state-sources.md); "
        "with `{workspace}` in its path one a workspace, else for `TEACHBACK_WORKSPACE` only.",
    )
    state_budget_ms: float = Field(default=300.0, gt=0, description="Time budget of the live state sources.")
    answer_threshold: float = Field(default=0.3, ge=0, le=1, description="Confidence from which an answer is given.")
    clarify_threshold: float = Field(
        default=0.15, ge=0, le=1, description="Confidence from which a question is asked back instead of a handoff."
    )
    costs: Path | None = Field(
        default=None,
        description="YAML file of what a wrong answer, a question back and a handoff cost (docs/confidence.md): both "
        "thresholds follow from it where they are not set; {workspace} in it is filled in.",
    )
    suggestion_rules: Path | None = Field(
        default=None, description="YAML file of the suggested questions' rules; the packaged ones when unset."
    )
    handoff_rules: Path | None = Field(
        default=None, description="YAML file of handoff rules over the packaged ones (docs/handoff.md)."
    )
    tasks: Path | None = Field(
        default=None,
        description="YAML file that declares the tasks the assistant may do; {workspace} in it is filled in.",
    )
    token_ttl_s: int = Field(default=3600, gt=0, description="Life of an end user's signed token.")
    token_secret: SecretStr | None = Field(
        default=None, description="Signs end-user tokens; a random one is kept in the data folder when unset."
    )
    allowed_origins: list[str] = Field(default_factory=list, description="Web origins that may call the API.")

    @cached_property
    def records_url(self) -> str:
        """The SQLAlchemy URL in use."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / 'teachback.db'}"

    @property
    def has_model(self) -> bool:
        """Whether a chat model endpoint is configured."""
        return self.openai_base_url is not None or self.openai_api_key is not None

    @property
    def judge_is_tested(self) -> bool:
        """Whether the judge is the very model that writes the replies: same name, same endpoint."""
        if not (self.has_model and self.has_judge) or self.judge_model != self.model:
            return False
        judge, tested = ((url or "").rstrip("/").casefold() for url in (self.judge_base_url, self.openai_base_url))
        return judge == tested

    @property
    def has_judge(self) -> bool:
        """Whether a judge is configured: its name, and where it is or the key to the default endpoint."""
        return self.judge_model is not None and (self.judge_base_url is not None or self.judge_api_key is not None)
