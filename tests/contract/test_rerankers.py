"""What every Reranker keeps: the test double, and a real cross-encoder small enough to be made here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.errors import ConfigurationError, RerankingFailed
from assistant.llm.cross_encoder import CrossEncoderReranker
from assistant.llm.e5_weights import unpacked_model
from assistant.ports import Reranker
from tests.rerankers import SharedLetters

PASSAGES = ["退款一般三天到账。", "", "Refunds take three days. " * 400, "会员积分不会过期。", "退款一般三天到账。"]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained cross-encoder of one layer, with the bundled embedder's tokenizer."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("reranker")
    tokenizer = AutoTokenizer.from_pretrained(str(unpacked_model(tmp_path_factory.mktemp("models"))))
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=512, num_labels=1, initializer_range=0.5,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder / "one")
    tokenizer.save_pretrained(folder / "one")
    config.num_labels = 3
    BertForSequenceClassification(config).save_pretrained(folder / "three")
    tokenizer.save_pretrained(folder / "three")
    return folder


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.model)])
def reranker(request: pytest.FixtureRequest) -> Reranker:
    if request.param == "fake":
        return SharedLetters()
    return CrossEncoderReranker(str(request.getfixturevalue("small_model") / "one"))


def test_one_finite_figure_a_passage_whatever_the_passage(reranker: Reranker) -> None:
    scores = reranker.scores("退款多久\ud800到账", PASSAGES)
    assert scores.shape == (5,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert scores[0] == pytest.approx(scores[4], abs=1e-5)
    assert len(set(scores.round(4).tolist())) > 1, "it tells passages apart"
    assert reranker.scores("退款多久到账", []).shape == (0,)
    assert reranker.name


def test_figures_do_not_depend_on_what_else_is_asked(reranker: Reranker) -> None:
    together = reranker.scores("退款多久到账", PASSAGES)
    alone = np.concatenate([reranker.scores("退款多久到账", [passage]) for passage in PASSAGES])
    assert together == pytest.approx(alone, abs=1e-4)


@pytest.mark.model
def test_a_model_that_cannot_serve_is_refused_at_once(small_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="allow the download"):
        CrossEncoderReranker("nobody/no-such-model")
    with pytest.raises(ConfigurationError, match="gives 3 figures"):
        CrossEncoderReranker(str(small_model / "three"))


@pytest.mark.model
def test_a_model_that_breaks_says_so(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reranker = CrossEncoderReranker(str(small_model / "one"))

    def not_a_number(pairs: Sequence[tuple[str, str]], **_: object) -> NDArray[np.float32]:
        return np.full(len(pairs), np.nan, dtype=np.float32)

    monkeypatch.setattr(reranker._model, "predict", not_a_number)
    with pytest.raises(RerankingFailed, match="no finite figure"):
        reranker.scores("退款", ["退款"])
