"""The composition root: settings in, a working service out. Adapters are constructed here, models in ``models``."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from assistant import models
from assistant.costs import Thresholds, thresholds_in_force
from assistant.desk import Desk
from assistant.errors import ConfigurationError, TeachbackError
from assistant.fitted import Fitted, load_fitted
from assistant.fusion import Fusion
from assistant.handoff import HandoffRules
from assistant.handoff import load_rules as load_handoff_rules
from assistant.indexing import IndexKeeper
from assistant.keys import KeyStore, TokenIssuer, kept_token_secret
from assistant.live_file import LiveFile
from assistant.llm.micro_batch import MicroBatchingEmbedder
from assistant.ports import ChatModel, Embedder, JudgeModel, Reranker, StateSource, ToolModel
from assistant.query import Query
from assistant.retrieval import Retriever
from assistant.settings import Settings, named_secret
from assistant.store.chroma import ChromaStore
from assistant.store.conversations import ConversationRecords
from assistant.store.database import open_database
from assistant.store.drafts import DraftRecords
from assistant.store.handoff_queue import HandoffQueue
from assistant.store.records import KnowledgeRecords
from assistant.store.reviews import ReviewRecords
from assistant.store.snapshot import Snapshot
from assistant.store.task_records import TaskRecords, workspaces_in_doubt
from assistant.store.usage import UsageRecords
from assistant.suggesting import RuleBook, Suggester, load_rules
from assistant.suggesting.live_model import LiveModel
from assistant.tasks.backend import TaskBackend
from assistant.tasks.declaration import demo_tasks, load_tasks
from assistant.tasks.dialog import TaskDesk
from assistant.tasks.execution import TaskRunner
from assistant.tasks.proposal import Proposer
from assistant.tasks.recognition import Recogniser
from assistant.text import Segmenter

if TYPE_CHECKING:
    from assistant.demo_shop import ShopStore
    from assistant.domain.task import TaskSet

RECOVER_EVERY_S = 20.0
_log = logging.getLogger(__name__)


class SystemClock:
    """The machine's time in UTC."""

    def now(self) -> datetime:
        """Now, aware."""
        return datetime.now(UTC)


class Service:
    """Everything one process shares between workspaces; parts are built when first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self._desks: dict[str, Desk] = {}
        self._lock = threading.RLock()
        self._closing: list[Callable[[], None]] = []

    @cached_property
    def engine(self) -> Engine:
        """The records database, schema current."""
        if self.settings.database_url is None:
            _make_folder(self.settings)
        return open_database(self.settings.records_url)

    @cached_property
    def chroma(self) -> ChromaStore:
        """Chroma, embedded in the data folder or on a server."""
        if self.settings.chroma_url is not None:
            return ChromaStore(url=self.settings.chroma_url)
        _make_folder(self.settings)
        return ChromaStore(folder=self.settings.data_dir / "chroma")

    @cached_property
    def embedder(self) -> Embedder:
        """The configured embedder; its model loads on first use."""
        return models.make_embedder(self.settings)

    @cached_property
    def live_embedder(self) -> Embedder:
        """The same embedder for live requests, which share batches and a memory of texts met lately."""
        return MicroBatchingEmbedder(self.embedder)

    @cached_property
    def reranker(self) -> Reranker | None:
        """The configured cross-encoder, or None. Raises ConfigurationError."""
        return models.make_reranker(self.settings)

    @property
    def embeds_aside(self) -> bool:
        """Whether evaluations embed in a process of their own: the bundled embedder, and a core for each of the two."""
        return models.embeds_aside(self.settings)

    @cached_property
    def batch_embedder(self) -> Embedder:
        """The same embedder for evaluations: a text's vector does not depend on how many are asked for with it.

        Where there is a second core the bundled one works in a process of its own, which loads from here on.
        """
        if self.settings.embedder != "bundled":
            return self.embedder
        return models.make_batch_embedder(self.settings, self._closing)

    @cached_property
    def chat_model(self) -> ChatModel | None:
        """The configured chat model, or None: then replies are extractive."""
        return models.make_chat_model(self.settings)

    def paced_chat_model(self, requests_per_minute: float | None = None) -> ChatModel | None:
        """The configured chat model for batch work: it waits where the server asks to slow down."""
        return models.make_paced_chat_model(self.settings, requests_per_minute)

    def judge_model(self) -> JudgeModel:
        """A new judge, to be closed by its user. Raises ConfigurationError where none is configured."""
        return models.make_judge(self.settings)

    @cached_property
    def handoff_rules(self) -> HandoffRules:
        """Which turns go to a person. Raises ConfigurationError naming file, line and key of each mistake."""
        return load_handoff_rules(self.settings.handoff_rules)

    @cached_property
    def tokens(self) -> TokenIssuer:
        """Signs and checks end users' tokens, with the secret of the settings or one kept in the data folder."""
        given = self.settings.token_secret
        if given is not None:
            return TokenIssuer(given.get_secret_value(), ttl_s=self.settings.token_ttl_s)
        _make_folder(self.settings)
        secret = kept_token_secret(self.settings.data_dir / "token.key")
        return TokenIssuer(secret, ttl_s=self.settings.token_ttl_s)

    @cached_property
    def keys(self) -> KeyStore:
        """The API keys of servers and staff."""
        return KeyStore(self.engine, now=self.clock.now)

    def records(self, workspace: str) -> KnowledgeRecords:
        """The knowledge records of a workspace, which exists from here on."""
        return KnowledgeRecords(self.engine, workspace)

    def reviews(self, workspace: str) -> ReviewRecords:
        """The drafted articles under review and the flags of a workspace."""
        return ReviewRecords(self.engine, workspace)

    def usage(self, workspace: str) -> UsageRecords:
        """What the workspace's stored replies were made from."""
        return UsageRecords(self.engine, workspace)

    def keeper(self, workspace: str) -> IndexKeeper:
        """What keeps the workspace's indexes equal to its records."""
        return IndexKeeper(
            self.records(workspace), lambda: self.chroma, self.embedder, self.settings.data_dir / "lexical"
        )

    def retriever(self, workspace: str) -> Retriever:
        """A retriever over the workspace's live indexes. Raises EmbedderMismatch."""
        records, keeper = self.records(workspace), self.keeper(workspace)
        snapshot = keeper.snapshot()
        served = keeper.generation()

        def newer() -> Snapshot | None:
            nonlocal served
            later = keeper.newer_than(served)
            if later is None:
                return None
            served = later[0]
            return later[1]

        return Retriever(
            snapshot,
            keeper.vector_index(),
            self.live_embedder,
            Segmenter(),
            records.chunks,
            Fusion(),
            newer,
            self.fitted(workspace),
            self.reranker,
        )

    def fit_file(self, workspace: str) -> Path:
        """Where what was fitted to the workspace is kept; derived, fitted again by `teachback fit`."""
        return self.settings.data_dir / "fits" / f"{workspace}.npz"

    def fitted(self, workspace: str) -> LiveFile[Fitted]:
        """Calling it gives what was fitted to the workspace with the present embedder, as it is now, or None."""
        return LiveFile(self.fit_file(workspace), lambda path: load_fitted(path, self.embedder.fingerprint))

    def thresholds(self, workspace: str) -> Thresholds:
        """The thresholds in force. Raises ConfigurationError."""
        return thresholds_in_force(self.settings, workspace)

    def settings_for(self, workspace: str) -> Settings:
        """The settings with the workspace's own thresholds. Raises ConfigurationError."""
        found = self.thresholds(workspace)
        own = {"answer_threshold": found.answer, "clarify_threshold": found.clarify}
        return self.settings.model_copy(update=own)

    def demo_folder(self, workspace: str) -> Path:
        """Where the demo store's rendered files are kept."""
        return self.settings.data_dir / "demo" / workspace

    @cached_property
    def suggestion_rules(self) -> RuleBook:
        """The rules of suggested questions. Raises ConfigurationError, naming the line."""
        return load_rules(self.settings.suggestion_rules)

    def suggestions_file(self, workspace: str) -> Path:
        """Where what was learnt from transcripts for suggestions is kept; derived, learnt again by `ingest`."""
        return self.settings.data_dir / "suggestions" / f"{workspace}.json"

    def suggester(self, workspace: str, retriever: Retriever) -> Suggester:
        """Suggestions from the rules and from what was last learnt."""

        threshold = self.thresholds(workspace).answer

        def supports(text: str) -> bool:
            best = retriever.search(Query(text, k=1), now=self.clock.now()).best
            return best is not None and best.score >= threshold

        return Suggester(self.suggestion_rules, LiveModel(self.suggestions_file(workspace)), supports)

    def state_file(self, workspace: str) -> Path | None:
        """The workspace's file of state sources; a path without ``{workspace}`` is for the settings' workspace only."""
        named = self.settings.state_sources
        if not named or ("{workspace}" not in named and workspace != self.settings.workspace):
            return None
        path = Path(named.replace("{workspace}", workspace)).expanduser()
        return path if "{workspace}" not in named or path.exists() else None

    def state_source(self, workspace: str) -> StateSource | None:
        """Live user state of the workspace: its configured sources, else the demo store's, where it has one.

        Raises ConfigurationError where the configuration is wrong.
        """
        configured = self.state_file(workspace)
        if configured is not None:
            from assistant.state.sources.build import build_sources

            return build_sources(configured, self.settings.state_budget_ms / 1000)
        users = self.demo_folder(workspace) / "users.json"
        if not users.exists():
            return None
        from assistant.state.demo import HistoryStateSource

        return HistoryStateSource(users, self.clock.now, self.demo_shop_store(workspace).overlay)

    def demo_shop_store(self, workspace: str) -> ShopStore:
        """What was changed at the demo shop of this workspace."""
        from assistant.demo_shop import ShopStore

        return ShopStore(self.demo_folder(workspace) / "shop.db", self.clock.now)

    def task_set(self, workspace: str) -> TaskSet | None:
        """The tasks of TEACHBACK_TASKS, else the demo shop's in a demo workspace. Raises ConfigurationError.

        A path with ``{workspace}`` in it may lead to no file: that workspace then has none.
        """
        named = self.settings.tasks
        if named is not None:
            path = Path(str(named).replace("{workspace}", workspace)).expanduser()
            if path == named.expanduser() or path.exists():
                return load_tasks(path)
        return demo_tasks() if (self.demo_folder(workspace) / "users.json").exists() else None

    def recogniser(self, tasks: TaskSet) -> Recogniser:
        """Finds out which of the tasks a customer asks for."""
        return Recogniser(tasks, self.live_embedder, self.settings.data_dir / "tasks")

    def task_desk(self, workspace: str, state_source: StateSource | None) -> TaskDesk | None:
        """The tasks of the workspace, or None where none are declared or no live state could show that they are done.

        Raises ConfigurationError.
        """
        tasks = self.task_set(workspace)
        if tasks is None:
            return None
        if state_source is None:
            _log.warning("workspace %s has no live state to read back from, so its assistant does no tasks", workspace)
            return None
        records = TaskRecords(self.engine, workspace)
        backend = self._task_backend(tasks, workspace)
        model = self.chat_model
        return TaskDesk(
            tasks=tasks,
            records=records,
            recogniser=self.recogniser(tasks),
            runner=TaskRunner(tasks, records, backend, state_source, self.clock),
            backend=backend,
            state_source=state_source,
            proposer=Proposer(model) if model is not None and isinstance(model, ToolModel) else None,
            clock=self.clock,
        )

    def _task_backend(self, tasks: TaskSet, workspace: str) -> TaskBackend:
        import httpx

        backend = tasks.backend
        transport: httpx.AsyncBaseTransport | None = None
        if backend.base_url == "demo":
            users = self.demo_folder(workspace) / "users.json"
            if not users.exists():
                raise ConfigurationError('backend.base_url "demo" works in a demo workspace only')
            from assistant.demo_shop import create_shop
            from assistant.state.demo import HistoryStateSource

            shop = create_shop(self.demo_shop_store(workspace), HistoryStateSource(users, self.clock.now))
            transport = httpx.ASGITransport(shop)
        secrets = {header: named_secret(name).get_secret_value() for header, name in backend.secrets.items()}
        client = httpx.AsyncClient(timeout=backend.timeout_s, transport=transport, follow_redirects=False)
        return TaskBackend(backend, client, secrets)

    async def recover_tasks(self) -> None:
        """Drive on, in every workspace, the task runs that a crash or a silent shop left in doubt, until cancelled."""
        while True:
            for workspace in await asyncio.to_thread(self._workspaces_in_doubt):
                try:
                    desk = await asyncio.to_thread(self.desk, workspace)
                    await desk.recover_tasks()
                except TeachbackError as exc:  # one workspace's trouble must not leave the others in doubt
                    _log.warning("task runs of workspace %s could not be driven on: %s", workspace, exc)
            await asyncio.sleep(RECOVER_EVERY_S)

    def _workspaces_in_doubt(self) -> list[str]:
        return workspaces_in_doubt(self.engine, self.clock.now())

    def desk(self, workspace: str) -> Desk:
        """The use cases of a workspace; one desk a workspace and process."""
        with self._lock:
            if workspace not in self._desks:
                retriever = self.retriever(workspace)
                state_source = self.state_source(workspace)
                self._desks[workspace] = Desk(
                    workspace=workspace,
                    retriever=retriever,
                    suggester=self.suggester(workspace, retriever),
                    embedder=self.live_embedder,
                    conversations=ConversationRecords(self.engine, workspace),
                    drafts=DraftRecords(self.engine, workspace),
                    queue=HandoffQueue(self.engine, workspace),
                    state_source=state_source,
                    chat_model=self.chat_model,
                    settings=self.settings_for(workspace),
                    clock=self.clock,
                    handoff_rules=self.handoff_rules,
                    tasks=self.task_desk(workspace, state_source),
                )
            return self._desks[workspace]

    def close(self) -> None:
        """Release the data folder and the database, and end what works beside this process."""
        for close in self._closing:
            close()
        if "chroma" in self.__dict__:
            self.chroma.close()
        if "engine" in self.__dict__:
            self.engine.dispose()


def build(settings: Settings) -> Service:
    """A service for these settings. Nothing is opened before it is needed."""
    return Service(settings)


def _make_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(f"the data folder {settings.data_dir} cannot be made: {exc.strerror}") from exc
