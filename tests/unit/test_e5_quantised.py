"""The bundled model in machine code beside the plain way of computing the same."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.llm.bundled_e5 import quantised_fits
from assistant.llm.e5_batches import batches
from assistant.llm.e5_tokens import E5Tokens
from assistant.llm.e5_torch import PackedEncoder
from assistant.llm.e5_weights import WeightFile, build_tokenizer, bundled_weights, read_weights, unpacked_model
from assistant.settings import default_cache_dir

needs_avx2 = pytest.mark.skipif(not quantised_fits(), reason="this processor has no AVX2, or llvmlite is missing")

if quantised_fits():
    from assistant.llm.e5_quantised import QuantisedEncoder

ODD = [
    "",
    " ",
    "\n\t",
    "a\u2581b",
    "\ufdfa",
    "😀🤯👩‍👩‍👧",
    "e\u0301",
    "</s><pad>",
    "<unk>",
    "\u200b a",
    "龘靐齉爩 𠀀𠀁",
    "ＡＢＣ１２３",
    "x" * 99,
]
ALPHABET = [*"ab c退款 \u200b\ufdfa龘😀é\u0301ｱ1２\t</s><pad>▁", "refund", "运费", " the "]


@pytest.fixture(scope="module")
def weights() -> WeightFile:
    return read_weights(bundled_weights())


@pytest.fixture(scope="module")
def encoder() -> QuantisedEncoder:
    return QuantisedEncoder()


@pytest.mark.model
def test_tokens_are_those_of_the_library(weights: WeightFile) -> None:
    ours, library = E5Tokens(weights), build_tokenizer(weights)
    library.encode_special_tokens = True
    library.enable_truncation(512)
    rng = random.Random(1)
    made = ["".join(rng.choices(ALPHABET, k=rng.randrange(60))) for _ in range(1_000)]
    for text in [*ODD, *made, "退货地址与运费由卖家承担，" * 60, "word soup " * 600]:
        assert ours.encode("query: " + text) == library.encode("query: " + text).ids


@needs_avx2
@pytest.mark.model
def test_vectors_are_those_of_the_plain_pass_at_every_length(encoder: QuantisedEncoder) -> None:
    plain = PackedEncoder(unpacked_model(default_cache_dir()))
    words = [
        "refund",
        "退款",
        "shipping",
        "运费",
        "coupon",
        "优惠券",
        "invoice",
        "发票",
        "the",
        "的",
        "order",
        "订单",
        "please",
        "请",
    ]
    rng = random.Random(2)
    texts = ["query: " + " ".join(rng.choices(words, k=size)) for size in (*range(1, 40), 120, 300)]
    cosines = (encoder.embed(texts) * plain.embed(texts)).sum(axis=1)
    assert cosines.min() > 0.999


@needs_avx2
@pytest.mark.model
def test_a_vector_is_the_same_alone_in_a_batch_and_in_eight_threads(encoder: QuantisedEncoder) -> None:
    texts = [f"query: {number} 天内可以退款吗 " + "really " * (number % 9) for number in range(64)]
    together = encoder.embed(texts)
    with ThreadPoolExecutor(8) as pool:
        alone = np.concatenate(list(pool.map(lambda text: encoder.embed([text]), texts)))
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


@needs_avx2
@pytest.mark.model
def test_neither_torch_nor_a_folder_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from assistant.llm.bundled_e5 import BundledE5\n"
        "embedder = BundledE5(Path(sys.argv[1]) / 'none')\n"
        "assert embedder.embed_queries(['a']).shape == (1, 384)\n"
        "assert embedder.embed_passages(['b'] * 40).shape == (40, 384)\n"
        "print('torch' in sys.modules, list(Path(sys.argv[1]).iterdir()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"


@pytest.mark.parametrize("lengths", [[5], [5, 9, 600, 7, 7], list(range(1, 200))])
def test_passes_hold_each_text_once_and_no_more_than_they_may(lengths: list[int]) -> None:
    made = batches(lengths, 2, 64, 512)
    assert sorted(row for rows in made for row in rows) == list(range(len(lengths)))
    assert all(len(rows) == 1 or sum(lengths[row] for row in rows) <= 512 for rows in made)
