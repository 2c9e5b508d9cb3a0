"""Secrets by reference: the name of an environment variable or of a file, never the secret itself."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from assistant.errors import ConfigurationError


class SecretRef(BaseModel):
    """Where a secret is kept: ``secret`` names an environment variable, ``secret_file`` a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if (self.secret is None) == (self.secret_file is None):
            raise ValueError("give either secret (the name of an environment variable) or secret_file")
        return self

    def read(self) -> SecretStr:
        """The secret. Raises ConfigurationError, without its value, where it is absent or empty."""
        if self.secret is not None:
            value = os.environ.get(self.secret, "").strip()
            if not value:
                raise ConfigurationError(f"the environment variable {self.secret} is not set; it must hold the secret")
            return SecretStr(value)
        assert self.secret_file is not None
        try:
            value = self.secret_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"the secret file {self.secret_file} cannot be read: {exc}") from exc
        if not value:
            raise ConfigurationError(f"the secret file {self.secret_file} is empty")
        return SecretStr(value)
