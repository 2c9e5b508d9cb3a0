"""The command line. Only light imports here: `teachback --help` must answer at once."""

from __future__ import annotations

import sys

from api.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run a command; exit 0 done, 1 some input rejected, 2 wrong usage or configuration."""
    from assistant.errors import TeachbackError

    try:
        app()
    except TeachbackError as exc:
        print(f"teachback: {exc}", file=sys.stderr)  # noqa: T201  # the command line's own voice
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
