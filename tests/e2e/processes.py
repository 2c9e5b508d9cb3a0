"""Ends the servers that the end-to-end tests start."""

from __future__ import annotations

import os
import signal
import subprocess


def ended(process: subprocess.Popen[str] | subprocess.Popen[bytes], patience_s: float) -> None:
    """End it politely, by force where that takes longer, and release its pipes."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def killed(process: subprocess.Popen[str] | subprocess.Popen[bytes] | None) -> None:
    """SIGKILL, as a crash or the kernel would."""
    if process is not None and process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
