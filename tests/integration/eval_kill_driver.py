"""Run by ``test_eval_resume``: the command line in a process of its own, which kills itself at a given point."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from evals.run_journal import RunJournal


def _dying(keep: Callable[..., Any], after: int, *, torn: bool) -> Callable[..., Any]:
    count = 0

    def kept(self: RunJournal, *given: Any) -> None:
        nonlocal count
        keep(self, *given)
        count += 1
        if count == after:
            if torn:
                self._stream.write('{"case_id": "cut in the mid')
                self._stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    return kept


if __name__ == "__main__":
    method, after, *arguments = sys.argv[1:]
    torn = method == "keep_reply"
    setattr(RunJournal, method, _dying(getattr(RunJournal, method), int(after), torn=torn))
    from api.cli import main

    sys.argv = ["teachback", *arguments]
    main()
