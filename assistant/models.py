"""The models that the settings name: embedders, reranker, chat model, judge. Called by the composition root alone."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr

from assistant.errors import ConfigurationError
from assistant.llm.e5_batches import cores
from assistant.ports import ChatModel, Embedder, JudgeModel, Reranker
from assistant.settings import Settings


def make_embedder(settings: Settings) -> Embedder:
    """The configured embedder; its model loads on first use. Raises ConfigurationError."""
    from assistant.llm.embedders import HashEmbedder, OpenAIEmbedder, SentenceTransformersEmbedder

    kind, _, name = settings.embedder.partition(":")
    if kind == "bundled" and not name:
        from assistant.llm.bundled_e5 import BundledE5

        return BundledE5(settings.cache_dir)
    if kind == "sentence-transformers" and name:
        return SentenceTransformersEmbedder(
            name,
            query_prefix=settings.embedder_query_prefix,
            passage_prefix=settings.embedder_passage_prefix,
            allow_download=settings.embedder_allow_download,
        )
    if kind == "openai" and name:
        from assistant.llm.openai_client import make_sync_client

        return OpenAIEmbedder(
            make_sync_client(settings.openai_base_url, _shown(settings.openai_api_key), settings.model_timeout_s),
            model=name,
            query_prefix=settings.embedder_query_prefix,
            passage_prefix=settings.embedder_passage_prefix,
        )
    if kind == "hash":
        return HashEmbedder()
    raise ConfigurationError(
        f"TEACHBACK_EMBEDDER is {settings.embedder!r}; it must be `bundled`, "
        "`sentence-transformers:NAME_OR_FOLDER` or `openai:MODEL`"
    )


def embeds_aside(settings: Settings) -> bool:
    """Whether evaluations embed in a process of their own: the bundled embedder, and a core for each of the two."""
    return settings.embedder == "bundled" and cores() > 1


def make_batch_embedder(settings: Settings, closing: list[Callable[[], None]]) -> Embedder:
    """The bundled embedder for batches, working aside where ``embeds_aside``; what ends it is added to ``closing``."""
    if not embeds_aside(settings):
        from assistant.llm.bundled_e5 import BundledE5

        return BundledE5(settings.cache_dir, batches_only=True)
    from assistant.llm.embedding_process import EmbeddingProcess

    aside = EmbeddingProcess(settings.cache_dir)
    aside.start()
    closing.append(aside.close)
    return aside


def make_reranker(settings: Settings) -> Reranker | None:
    """The configured cross-encoder, or None. Raises ConfigurationError."""
    named = settings.reranker
    if not named:
        return None
    kind, _, name = named.partition(":")
    if kind != "sentence-transformers" or not name:
        raise ConfigurationError(f"TEACHBACK_RERANKER is {named!r}; it must be `sentence-transformers:NAME_OR_FOLDER`")
    from assistant.llm.cross_encoder import CrossEncoderReranker

    return CrossEncoderReranker(name, allow_download=settings.embedder_allow_download)


def make_chat_model(settings: Settings) -> ChatModel | None:
    """The configured chat model, or None."""
    return _chat_model(settings, retries=1)


def make_paced_chat_model(settings: Settings, requests_per_minute: float | None) -> ChatModel | None:
    """The configured chat model for batch work, or None: it waits where the server asks to slow down."""
    from assistant.llm.paced_chat import PacedChat

    model = _chat_model(settings, retries=0)  # the client's own retry would wait within the first token's time limit
    return None if model is None else PacedChat(model, requests_per_minute)


def _chat_model(settings: Settings, *, retries: int) -> ChatModel | None:
    if not settings.has_model:
        return None
    from assistant.llm.openai_chat import OpenAIChat
    from assistant.llm.openai_client import make_client

    key = _shown(settings.openai_api_key)
    return OpenAIChat(
        make_client(settings.openai_base_url, key, settings.model_timeout_s, retries=retries),
        settings.model,
        first_token_s=settings.model_first_token_s,
        timeout_s=settings.model_timeout_s,
        max_tokens=settings.model_max_tokens,
    )


def make_judge(settings: Settings) -> JudgeModel:
    """A new judge, to be closed by its user. Raises ConfigurationError where none is configured."""
    if not settings.has_judge or settings.judge_model is None:
        raise ConfigurationError(
            "no judge is configured: set TEACHBACK_JUDGE_MODEL to a model other than the one under test, and "
            "TEACHBACK_JUDGE_BASE_URL to its OpenAI-compatible endpoint (or TEACHBACK_JUDGE_API_KEY for OpenAI's)"
        )
    from assistant.llm.openai_client import make_client
    from assistant.llm.openai_judge import OpenAIJudge

    key = _shown(settings.judge_api_key)
    return OpenAIJudge(
        make_client(settings.judge_base_url, key, settings.judge_timeout_s, retries=2),
        settings.judge_model,
        timeout_s=settings.judge_timeout_s,
        max_tokens=settings.judge_max_tokens,
        concurrency=settings.judge_concurrency,
        requests_per_minute=settings.judge_requests_per_minute,
    )


def _shown(key: SecretStr | None) -> str | None:
    return key.get_secret_value() if key is not None else None
