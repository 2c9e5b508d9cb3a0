"""What `teachback doctor` finds: each part, whether it works, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assistant.bootstrap import Service
from assistant.domain.knowledge import EntryField
from assistant.errors import TeachbackError

REACH_S = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One part's state; ``remedy`` is empty where nothing need be done."""

    part: str
    ok: bool
    detail: str
    remedy: str = ""


def diagnose(service: Service, workspace: str) -> list[Finding]:
    """Findings in the order in which parts rest on each other; a later part is skipped when an earlier one fails."""
    settings = service.settings
    findings = [Finding("data folder", True, str(settings.data_dir))]
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("records", lambda: _records(service, workspace)),
        ("embedder", lambda: _embedder(service)),
        *([("reranker", lambda: _reranker(service))] if settings.reranker else []),
        ("vector index", lambda: _index(service, workspace)),
        ("confidence", lambda: _confidence(service, workspace)),
        ("chat model", lambda: _model(service)),
        ("judge", lambda: _judge(service)),
        ("live state", lambda: _state(service, workspace)),
    ]
    for part, check in checks:
        try:
            findings.append(check())
        except TeachbackError as exc:
            findings.append(Finding(part, False, str(exc), _remedy(part)))
    return findings


def _records(service: Service, workspace: str) -> Finding:
    counts = service.records(workspace).counts()
    detail = ", ".join(f"{value} {name}" for name, value in counts.items())
    empty = counts["articles"] == 0 and counts["transcripts"] == 0
    return Finding("records", True, detail, "nothing is ingested yet: `teachback ingest PATH`" if empty else "")


def _embedder(service: Service) -> Finding:
    vector = service.embedder.embed_queries(["你好"])
    return Finding("embedder", vector.shape == (1, service.embedder.dimensions), service.embedder.fingerprint)


def _reranker(service: Service) -> Finding:
    reranker = service.reranker
    if reranker is None:
        return Finding("reranker", True, "none")
    scores = reranker.scores("退款多久到账", ["退款 3 天到账。", "会员积分不会过期。"])
    return Finding("reranker", True, f"{reranker.name}: {scores[0]:.2f} against {scores[1]:.2f} on two samples")


def _index(service: Service, workspace: str) -> Finding:
    service.chroma.heartbeat()
    keeper, records = service.keeper(workspace), service.records(workspace)
    keeper.check_embedder()
    state = records.index_state()
    if state.fingerprint is None:
        return Finding("vector index", True, "empty")
    held, wanted = keeper.vector_index().ids(), {entry.id for entry in records.all_entries()}
    if state.dirty or held != wanted:
        return Finding(
            "vector index",
            False,
            f"{len(wanted - held)} entries missing, {len(held - wanted)} left over",
            "an ingestion was cut off: run it again, or `teachback reindex`",
        )
    asked = (EntryField.QUESTION, EntryField.TITLE)
    questions = sum(entry.field in asked for entry in records.all_entries())
    return Finding("vector index", True, f"{len(held)} entries ({questions} questions and titles), as the records say")


def _confidence(service: Service, workspace: str) -> Finding:
    found = service.thresholds(workspace)
    detail = f"answers from {found.answer:g}, names articles in a question back from {found.clarify:g}"
    fitted = service.fitted(workspace)()
    fit = (
        "defaults"
        if fitted is None
        else f"{fitted.record.get('kept')} fitted {fitted.record.get('fitted_at', '')[:10]}"
    )
    return Finding("confidence", True, f"{detail} (by {found.chosen_by}); retrieval by {fit}")


def _model(service: Service) -> Finding:
    settings = service.settings
    if not settings.has_model:
        return Finding("chat model", True, "none configured: replies are extracted from the knowledge")
    return _endpoint(
        "chat model", settings.model, settings.openai_base_url, "OPENAI_BASE_URL", "; replies are extracted meanwhile"
    )


def _judge(service: Service) -> Finding:
    settings = service.settings
    if settings.judge_model is None:
        return Finding("judge", True, "none configured: evaluations use the model-free measures only")
    if not settings.has_judge:
        return Finding(
            "judge",
            False,
            f"{settings.judge_model} is named, but neither its endpoint nor a key is set",
            "set TEACHBACK_JUDGE_BASE_URL or TEACHBACK_JUDGE_API_KEY",
        )
    found = _endpoint("judge", settings.judge_model, settings.judge_base_url, "TEACHBACK_JUDGE_BASE_URL")
    if found.ok and settings.judge_is_tested:
        return Finding("judge", True, found.detail, "it is the model under test too: a model favours its own replies")
    return found


def _endpoint(part: str, model: str, base_url: str | None, variable: str, meanwhile: str = "") -> Finding:
    if base_url is None:
        return Finding(part, True, f"{model} at the client's default endpoint (not called by this check)")
    import httpx

    from assistant.llm.openai_client import shown

    try:
        # any answer will do, a refusal too: the key and the model's name show on the first reply
        httpx.get(base_url.rstrip("/") + "/models", timeout=REACH_S)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        return Finding(
            part,
            False,
            f"{shown(base_url)} does not answer within {REACH_S:g} s ({type(exc).__name__}){meanwhile}",
            f"start the server, or correct or unset {variable}",
        )
    return Finding(part, True, f"{model} at {shown(base_url)}, which answers")


def _state(service: Service, workspace: str) -> Finding:
    path = service.state_file(workspace)
    if path is not None:
        from assistant.state.sources.probe import probe

        results = probe(path)
        failed = [f"{name}: {problem}" for name, problem, _ in results if problem]
        if failed:
            remedy = "see docs/state-sources.md; replies name what is missing meanwhile"
            return Finding("live state", False, f"{path}: " + "; ".join(failed), remedy)
        notes = "".join(f"; {name}, asked for a user who does not exist: {note}" for name, _, note in results if note)
        return Finding("live state", True, f"{path}: {', '.join(name for name, _, _ in results)} answer{notes}")
    source = service.state_source(workspace)
    if source is not None:
        return Finding("live state", True, "the demo store's")
    if service.task_set(workspace) is not None:
        remedy = "set TEACHBACK_STATE_SOURCES, or put {workspace} into the path of TEACHBACK_TASKS"
        return Finding("live state", False, "none, so the tasks that are declared are not done", remedy)
    return Finding("live state", True, "none: replies use knowledge only")


def _remedy(part: str) -> str:
    return {
        "records": "check TEACHBACK_DATABASE_URL or the data folder's permissions",
        "live state": "correct the file that TEACHBACK_STATE_SOURCES names; see docs/state-sources.md",
        "embedder": "check TEACHBACK_EMBEDDER",
        "confidence": "correct the file that TEACHBACK_COSTS names; see docs/confidence.md",
        "vector index": "see the message; `teachback reindex` rebuilds the index from the records",
        "chat model": "check OPENAI_BASE_URL and OPENAI_API_KEY",
    }.get(part, "")
