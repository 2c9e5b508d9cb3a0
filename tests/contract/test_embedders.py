"""What every embedder promises, whatever computes its vectors."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.errors import ConfigurationError, EmbeddingFailed
from assistant.llm import bundled_e5
from assistant.llm.bundled_e5 import BundledE5, Engine, quantised_fits
from assistant.llm.e5_torch import PackedEncoder
from assistant.llm.e5_weights import unpacked_model
from assistant.llm.embedders import HashEmbedder, OpenAIEmbedder, SentenceTransformersEmbedder
from assistant.llm.micro_batch import MicroBatchingEmbedder
from assistant.ports import Embedder

TEXTS = [
    "怎么申请退款？我上周买的耳机左边没有声音。",
    "How do I reset my password?",
    "订单 TB-2041 的 tracking number 显示 delivered，但我没收到",
    "支付失败",
    "Annual fee waivers apply to accounts with a monthly balance above $1,500. " * 4,
    "运费险的赔付规则是什么？" * 8,
]
ODD = [
    "",
    " ",
    "\n\t",
    "\0",
    "a\0b",
    "\ud800",
    "\ufdfa" * 60,
    "😀🤯👩‍👩‍👧",
    "e\u0301",
    "</s><pad>",
    "\u200b",
    "龘𠀀",
    "ＡＢＣ１２３",
]


@dataclass
class FakeEndpoint:
    """Answers as a server does, in any order, with vectors that are not normalised."""

    sent: list[tuple[str, ...]]

    def create(self, *, model: str, input: list[str], encoding_format: str) -> SimpleNamespace:
        assert (model, encoding_format) == ("m", "float")
        assert all(input), "servers reject empty strings"
        self.sent.append(tuple(input))
        rows = HashEmbedder(32).embed_passages(input) * 3
        return SimpleNamespace(
            data=[SimpleNamespace(index=i, embedding=row.tolist()) for i, row in reversed(list(enumerate(rows)))]
        )


def _openai() -> tuple[OpenAIEmbedder, FakeEndpoint]:
    endpoint = FakeEndpoint([])
    client = SimpleNamespace(embeddings=endpoint)
    return OpenAIEmbedder(client, "m", query_prefix="q: ", passage_prefix="p: "), endpoint


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def e5(model_cache: Path) -> BundledE5:
    return BundledE5(model_cache)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine()


@pytest.fixture
def in_torch(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> BundledE5:
    """As on a processor without AVX2."""
    monkeypatch.setattr(bundled_e5, "quantised_fits", lambda: False)
    return BundledE5(model_cache)


@pytest.fixture(scope="session")
def reference(model_cache: Path) -> SentenceTransformersEmbedder:
    folder = unpacked_model(model_cache)
    return SentenceTransformersEmbedder(str(folder), query_prefix="query: ", passage_prefix="passage: ")


@pytest.fixture(scope="session")
def shallow(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> SentenceTransformersEmbedder:
    """A sentence-transformers model that is quick for being cut to its first layer."""
    whole, folder = unpacked_model(model_cache), tmp_path_factory.mktemp("shallow") / "model"
    shutil.copytree(whole, folder, copy_function=os.symlink)
    config = json.loads((whole / "config.json").read_bytes())
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))
    return SentenceTransformersEmbedder(str(folder), passage_prefix="passage: ")


@pytest.fixture(
    params=[
        "hash",
        "openai",
        "micro",
        pytest.param("e5", marks=pytest.mark.model),
        pytest.param("shallow", marks=pytest.mark.model),
    ]
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hash":
        return HashEmbedder()
    if request.param == "openai":
        return _openai()[0]
    if request.param == "micro":
        return MicroBatchingEmbedder(_openai()[0])
    found: Embedder = request.getfixturevalue(request.param)
    return found


def test_rows_are_unit_vectors_of_the_stated_length(embedder: Embedder) -> None:
    for embed in (embedder.embed_queries, embedder.embed_passages):
        vectors = embed(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimensions)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_queries([]).shape == (0, embedder.dimensions)
    assert embedder.embed_passages([]).shape == (0, embedder.dimensions)


def test_the_same_text_gives_the_same_vector(embedder: Embedder) -> None:
    np.testing.assert_allclose(embedder.embed_passages(TEXTS), embedder.embed_passages(TEXTS), atol=1e-5)
    assert embedder.fingerprint == embedder.fingerprint != ""


def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    together = embedder.embed_passages(TEXTS)
    backwards = embedder.embed_passages([*TEXTS[::-1], *ODD])[: len(TEXTS)][::-1]
    assert _cosines(together, backwards).min() > 0.9999
    alone = np.concatenate([embedder.embed_passages([text]) for text in TEXTS])
    # where torch computes the bundled embedder's batches, few texts go to its engine, near but not equal
    assert _cosines(together, alone).min() > (0.995 if isinstance(embedder, BundledE5) else 0.9999)


@pytest.mark.parametrize("together", [True, False])
def test_odd_texts_get_sound_vectors(embedder: Embedder, together: bool) -> None:
    batches = [ODD] if together else [[text] for text in ODD]
    vectors = np.concatenate([embedder.embed_queries(batch) for batch in batches])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_very_long_text_is_taken(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(["退款政策 refund policy " * 5_000, "短"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_four_threads_get_what_one_gets(embedder: Embedder) -> None:
    jobs: list[Sequence[str]] = [TEXTS, TEXTS[1:2], TEXTS[::-1], TEXTS[:3]]
    alone = [embedder.embed_passages(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(alone, pool.map(embedder.embed_passages, jobs), strict=True):
            assert _cosines(ours, theirs).min() > 0.9999


@pytest.mark.model
@pytest.mark.parametrize("way", ["e5", "in_torch"])
def test_all_ways_cut_long_texts_alike(way: str, engine: Engine, request: pytest.FixtureRequest) -> None:
    embedder: BundledE5 = request.getfixturevalue(way)
    for text in ("退货地址与运费由卖家承担，" * 60, "word soup " * 600):
        assert _cosines(engine.embed("passage: ", [text]), embedder.embed_passages([text] * 5)).min() > 0.99


@pytest.mark.model
@pytest.mark.parametrize("way", ["e5", "in_torch"])
def test_all_ways_agree_on_each_kind_of_text(way: str, engine: Engine, request: pytest.FixtureRequest) -> None:
    embedder: BundledE5 = request.getfixturevalue(way)
    texts = [text[at:] for text in TEXTS for at in range(3)]
    for prefix, embed in (("query: ", embedder.embed_queries), ("passage: ", embedder.embed_passages)):
        cosines = _cosines(embed(texts), engine.embed(prefix, texts))
        assert cosines.min() > 0.99
        assert cosines.mean() > 0.999


@pytest.mark.model
def test_the_first_question_is_the_engines_and_the_second_is_not(model_cache: Path, engine: Engine) -> None:
    if not quantised_fits():
        pytest.skip("this processor has no AVX2: the engine answers all questions")
    embedder = BundledE5(model_cache)
    np.testing.assert_array_equal(embedder.embed_queries(TEXTS[:1]), engine.embed("query: ", TEXTS[:1]))
    second = embedder.embed_queries(TEXTS[:1])
    np.testing.assert_array_equal(second, embedder.embed_queries(TEXTS)[:1])
    assert _cosines(second, engine.embed("query: ", TEXTS[:1])).min() > 0.999


@pytest.mark.model
@pytest.mark.parametrize("wrong", ["not made", "other vectors"])
def test_where_our_code_goes_wrong_torch_embeds_and_it_is_said(
    wrong: str, model_cache: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if not quantised_fits():
        pytest.skip("this processor has no AVX2: there is no such code")

    class Wrong:
        def __init__(self) -> None:
            if wrong == "not made":
                raise RuntimeError("memory may not be executable")

        def embed(self, texts: Sequence[str]) -> np.ndarray:
            return HashEmbedder(384).embed_queries(texts)

    monkeypatch.setattr("assistant.llm.e5_quantised.QuantisedEncoder", Wrong)
    monkeypatch.setattr(bundled_e5, "_unfit", False)
    embedder = BundledE5(model_cache)
    assert _cosines(embedder.embed_queries(TEXTS), engine.embed("query: ", TEXTS)).min() > 0.99
    assert "torch embeds" in caplog.text


@pytest.mark.model
def test_the_packed_forward_pass_equals_sentence_transformers(
    model_cache: Path, reference: SentenceTransformersEmbedder
) -> None:
    encoder = PackedEncoder(unpacked_model(model_cache))
    ours = encoder.embed(["passage: " + text for text in TEXTS])
    assert _cosines(ours, reference.embed_passages(TEXTS)).min() > 0.9999


@pytest.mark.model
def test_a_question_finds_its_answer_across_languages(e5: BundledE5) -> None:
    passages = e5.embed_passages(["退款会在三个工作日内原路退回", "请在设置中更改登录密码", "发票可以在订单页下载"])
    questions = e5.embed_queries(["How long does a refund take?", "change my password", "在哪里开发票"])
    assert (questions @ passages.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_the_server_gets_prefixes_and_bounded_requests() -> None:
    embedder, endpoint = _openai()
    embedder.embed_passages(["x"] * 130)
    assert [len(texts) for texts in endpoint.sent] == [64, 64, 2]
    assert set(endpoint.sent[0]) == {"p: x"}
    embedder.embed_queries(["x"])
    assert endpoint.sent[-1] == ("q: x",)


@pytest.mark.parametrize("answer", [[], [[float("nan")]], [[1.0], [2.0]]])
def test_a_server_that_answers_wrongly_fails_clearly(answer: list[list[float]]) -> None:
    data = [SimpleNamespace(index=i, embedding=row) for i, row in enumerate(answer)]
    endpoint = SimpleNamespace(create=lambda **_: SimpleNamespace(data=data))
    with pytest.raises(EmbeddingFailed):
        OpenAIEmbedder(SimpleNamespace(embeddings=endpoint), "m").embed_queries(["x"])


def test_prefixes_and_model_are_in_the_fingerprint() -> None:
    client = SimpleNamespace(embeddings=FakeEndpoint([]))
    variants = [
        OpenAIEmbedder(client, "a"),
        OpenAIEmbedder(client, "b"),
        OpenAIEmbedder(client, "a", query_prefix="q: "),
    ]
    assert len({embedder.fingerprint for embedder in variants}) == 3


@pytest.mark.model
def test_a_model_that_is_not_here_is_not_downloaded() -> None:
    with pytest.raises(ConfigurationError, match="allow the download"):
        SentenceTransformersEmbedder("nobody/no-such-model")


def _cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left * right).sum(axis=1)
