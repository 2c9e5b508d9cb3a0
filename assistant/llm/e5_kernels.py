"""BERT's layers as machine code: 4-bit weights times 8-bit activations, and all that lies between the products.

No library at hand multiplies 4-bit blocks faster than floats on a processor without VNNI; this does, 2.6 times
(docs/decisions/0029). One call runs all layers: the interpreter's lock is asked for once a batch.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial

from llvmlite import ir

from assistant.llm.machine_code import BYTES, F32, FLOATS, I8, I16, I32, I64, INTS, POINTER, SHORTS, Code, Module, Value

BLOCK = 32  # values that share a scale, in weights and in activations
COLUMNS = 16  # outputs whose weights lie together: two registers of eight
WIDTH, INNER, HEADS = 384, 1536, 12
HEAD = WIDTH // HEADS
PRODUCTS = {"qkv": (3 * WIDTH, WIDTH), "out": (WIDTH, WIDTH), "up": (INNER, WIDTH), "down": (WIDTH, INNER)}
PARTS = ("codes", "starts", "scales", "bias")  # of a product, each an address in the layer's row of the table
NORMS = ("norm1", "norm2")
TABLE = (*((name, part) for name in PRODUCTS for part in PARTS), *((n, p) for n in NORMS for p in ("weight", "bias")))

_ROWS = 3  # rows in one pass over a column group: six sums, two weights and an activation fit the sixteen registers
_QUERIES, _KEYS = 4, 16  # rows of attention that share what is read of keys, and keys that are read together
_MASKED = -1e30
# erf(x) = x P(x^2) / Q(x^2) for |x| <= 4, to 1e-6: the rational fit of Eigen and XLA
_ERF_P = (
    *(-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05),
    *(-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02),
)
_ERF_Q = (
    *(-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03),
    -1.42647390514189e-02,
)
# e^r on half an octave either side, Cephes' expf: 1 + r + r^2 P(r)
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_LN2_HIGH, _LN2_LOW, _LOG2_E = 0.693359375, -2.12194440e-4, 1.44269504088896341


class Kernels:
    """The compiled layers. Several threads may run them at once, each on its own room."""

    def __init__(self) -> None:
        self._engine = _module().compiled()
        kinds = [ctypes.c_void_p] * 8 + [ctypes.c_int64] * 3
        self._encode = ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address("encode"))

    def encode(self, addresses: Sequence[int], tokens: int, texts: int, layers: int) -> None:
        """Turn the (tokens, 384) floats at the first address into those after the last layer, in place.

        Then come room for (tokens, 1152) floats, (tokens, 1536) floats, (tokens, 1536) bytes, (tokens, 48) floats and
        36 floats for each token of the longest text and 16 more; the texts' first tokens and the end, 64-bit; the table
        of layers.
        """
        self._encode(*addresses, tokens, texts, layers)


def _module() -> Module:
    module = Module()
    p, n = POINTER, I64
    quantise = module.function("quantise", [p, p, p, n], partial(_quantise, same))
    gelu = module.function("gelu_quantise", [p, p, p, n], partial(_quantise, _gelu))
    tiles = [module.function(f"tile{rows}", [p] * 7 + [n] * 2, partial(_tile, rows)) for rows in range(1, _ROWS + 1)]
    product = module.function("product", [p] * 7 + [n] * 3, partial(_product, tiles))
    attend = module.function("attend", [p, p, p, n], _attend)
    norm = module.function("add_norm", [p, p, p, p, n], _add_norm)
    module.function("encode", [p] * 8 + [n] * 3, partial(_encode, quantise, gelu, product, attend, norm), public=True)
    return module


def _encode(
    quantise: Value, gelu: Value, product: Value, attend: Value, norm: Value, code: Code, *arguments: Value
) -> None:
    hidden, qkv, wide, codes, scales, scratch, starts, table, tokens, texts, layers = arguments
    narrow_blocks, wide_blocks = code.times(tokens, WIDTH // BLOCK), code.times(tokens, INNER // BLOCK)

    def layer(number: Value) -> None:
        row = code.at(table, code.times(number, len(TABLE)), I64)
        held = {name: code.load(row, place, POINTER, step=I64) for place, name in enumerate(TABLE)}

        def multiply(name: str, to: Value) -> None:
            outputs, inputs = PRODUCTS[name]
            sizes = tokens, code.number(inputs // BLOCK), code.number(outputs // COLUMNS)
            code.builder.call(product, [codes, scales, *(held[name, part] for part in PARTS), to, *sizes])

        def text(which: Value) -> None:
            first, end = code.load(starts, which, I64), code.load(starts, code.add(which, 1), I64)
            rows = code.at(qkv, code.times(first, 3 * WIDTH))
            to = code.at(wide, code.times(first, WIDTH))
            code.builder.call(attend, [rows, to, scratch, code.builder.sub(end, first)])

        code.builder.call(quantise, [hidden, codes, scales, narrow_blocks])
        multiply("qkv", qkv)
        code.loop(texts, text)
        code.builder.call(quantise, [wide, codes, scales, narrow_blocks])
        multiply("out", qkv)
        code.builder.call(norm, [hidden, qkv, held["norm1", "weight"], held["norm1", "bias"], tokens])
        code.builder.call(quantise, [hidden, codes, scales, narrow_blocks])
        multiply("up", wide)
        code.builder.call(gelu, [wide, codes, scales, wide_blocks])
        multiply("down", qkv)
        code.builder.call(norm, [hidden, qkv, held["norm2", "weight"], held["norm2", "bias"], tokens])

    code.loop(layers, layer)


def same(code: Code, values: Value) -> Value:
    """The values as they are."""
    return values


def _gelu(code: Code, x: Value) -> Value:
    builder = code.builder
    scaled = builder.fmul(x, code.vector(0.5**0.5))
    scaled = code.maximum(code.minimum(scaled, code.vector(4.0)), code.vector(-4.0))
    square = builder.fmul(scaled, scaled)
    erf = builder.fdiv(code.polynomial(square, _ERF_P), code.polynomial(square, _ERF_Q))
    half = builder.fmul(x, code.vector(0.5))
    return code.fma(half, builder.fmul(scaled, erf), half)


def _quantise(
    change: Callable[[Code, Value], Value], code: Code, values: Value, codes: Value, scales: Value, blocks: Value
) -> None:
    """Each block of floats becomes bytes about 128 and a scale: the largest is 127 away from it."""
    builder = code.builder

    def block(number: Value) -> None:
        parts = [change(code, code.load(values, code.add(code.times(number, 4), part))) for part in range(4)]
        sizes = [code.instruction("llvm.fabs.v8f32", FLOATS, part) for part in parts]
        most = code.maximum(code.maximum(sizes[0], sizes[1]), code.maximum(sizes[2], sizes[3]))
        most = code.across(code.maximum, most)
        inverse = builder.fdiv(code.vector(127.0), code.maximum(most, code.vector(1e-30)))
        scale = builder.fmul(most, code.vector(1 / 127))
        code.store(builder.extract_element(scale, ir.Constant(I32, 0)), scales, number)
        for place, part in enumerate(parts):
            whole = builder.add(code.nearest(builder.fmul(part, inverse)), code.integers(128))
            small = builder.trunc(whole, ir.VectorType(I8, 8))
            code.store(small, codes, code.add(code.times(number, 4), place))

    code.loop(blocks, block)


def _product(tiles: Sequence[Value], code: Code, *arguments: Value) -> None:
    """Y = X W^T + bias for all rows: each column group's weights stay in the nearest cache while the rows pass."""
    inputs, sizes, weights, starts, scales, bias, to, rows, blocks, groups = arguments
    builder, width = code.builder, code.times(groups, COLUMNS)

    def group(number: Value) -> None:
        before = code.times(number, blocks)
        held = (
            code.at(weights, code.times(before, COLUMNS * BLOCK), I8),
            code.at(starts, code.times(before, 2 * COLUMNS), I16),
            code.at(scales, code.times(before, COLUMNS), F32),
            code.at(bias, code.times(number, COLUMNS), F32),
        )

        def some(row: Value) -> None:
            here = (
                code.at(inputs, code.times(row, blocks, BLOCK), I8),
                code.at(sizes, code.times(row, blocks), F32),
                *held,
                code.at(to, code.add(code.times(row, width), code.times(number, COLUMNS)), F32),
                blocks,
                width,
            )
            left, after = builder.sub(rows, row), builder.append_basic_block()
            cases = [builder.append_basic_block() for _ in tiles]
            choice = builder.switch(left, cases[-1])  # as many as a pass holds, or more
            for count, case in enumerate(cases, start=1):
                if count < len(cases):
                    choice.add_case(code.number(count), case)
                builder.position_at_end(case)
                builder.call(tiles[count - 1], here)
                builder.branch(after)
            builder.position_at_end(after)

        code.loop(rows, some, step=_ROWS)

    code.loop(groups, group)


def _tile(rows: int, code: Code, *arguments: Value) -> None:
    """``rows`` times sixteen outputs.

    Inputs are bytes about 128, weights -8 to 7: 16 products of a block add up in 16 bits without overflow, started
    from -128 times the weights' sum, which takes the 128 back. Then they are widened and get both scales.
    """
    inputs, sizes, weights, starts, scales, bias, to, blocks, width = arguments
    builder, sides = code.builder, range(COLUMNS // 8)
    places = [(row, side) for row in range(rows) for side in sides]
    lines = [code.at(inputs, code.times(blocks, BLOCK * row), I8) for row in range(rows)]
    ones = ir.Constant(SHORTS, [1] * 16)

    def block(number: Value, *sums: Value) -> list[Value]:
        first = [code.load(starts, code.add(code.times(number, len(sides)), side), SHORTS) for side in sides]
        here = [code.at(line, code.times(number, BLOCK), I8) for line in lines]
        words = code.times(number, 8 * len(sides))

        def quad(word: Value, *partial_sums: Value) -> list[Value]:
            held = [code.load(weights, code.add(words, code.times(word, len(sides)), side), BYTES) for side in sides]
            after = []
            for row in range(rows):
                four = code.splat(code.load(here[row], word, I32), INTS)
                four = builder.bitcast(four, BYTES)
                for side in sides:
                    pairs = code.instruction("llvm.x86.avx2.pmadd.ub.sw", SHORTS, four, held[side])
                    after.append(builder.add(partial_sums[row * len(sides) + side], pairs))
            return after

        # a real loop: unrolled, LLVM would reorder it row by row and spill the weights
        short = code.loop(BLOCK // 4, quad, *(first[side] for _, side in places))
        factor = [code.load(scales, code.add(code.times(number, len(sides)), side)) for side in sides]
        size = [code.splat(code.load(sizes, code.add(code.times(blocks, row), number), F32)) for row in range(rows)]
        after = []
        for (row, side), partial_sum, before in zip(places, short, sums, strict=True):
            whole = code.instruction("llvm.x86.avx2.pmadd.wd", INTS, partial_sum, ones)
            scaled = builder.fmul(builder.sitofp(whole, FLOATS), factor[side])
            after.append(code.fma(scaled, size[row], before))
        return after

    for (row, side), total in zip(places, code.loop(blocks, block, *(code.vector(0.0) for _ in places)), strict=True):
        line = code.at(to, code.times(width, row))
        code.store(builder.fadd(total, code.load(bias, side)), line, side)


def _attend(code: Code, qkv: Value, to: Value, scratch: Value, length: Value) -> None:
    """Softmax attention of one text, four rows at a time, sixteen keys at a time.

    Scratch holds a head's keys, of sixteen the first numbers, then the second ones and so on, and the rows' scores.
    """
    builder = code.builder
    steps = builder.lshr(code.add(length, _KEYS - 1), code.number(_KEYS.bit_length() - 1))
    padded, sides = code.times(steps, _KEYS), range(_KEYS // 8)
    scores = [code.at(scratch, code.times(padded, HEAD + row)) for row in range(_QUERIES)]
    last = builder.sub(length, code.number(1))
    short_length = code.splat(builder.trunc(length, I32), INTS)
    nothing, lowest = [code.vector(0.0)] * _QUERIES, [code.vector(_MASKED)] * _QUERIES

    def head(number: Value) -> None:
        offset = code.times(number, HEAD)

        def turn(key: Value) -> None:
            row = code.at(qkv, code.add(code.times(key, 3 * WIDTH), offset, WIDTH))
            step, place = builder.udiv(key, code.number(_KEYS)), builder.urem(key, code.number(_KEYS))
            to_here = code.at(scratch, code.add(code.times(step, _KEYS * HEAD), place))
            for part in range(HEAD):
                code.store(code.load(row, part, F32), to_here, part * _KEYS)

        code.loop(length, turn)

        def queries(first: Value) -> None:
            rows = []
            for ahead in range(_QUERIES):  # at a text's end the last row is done again
                row = code.add(first, ahead)
                rows.append(builder.select(builder.icmp_unsigned(">", row, last), last, row))
            asked = [code.at(qkv, code.add(code.times(row, 3 * WIDTH), offset)) for row in rows]

            def score(step: Value, *most: Value) -> list[Value]:
                keys = code.at(scratch, code.times(step, _KEYS * HEAD))

                def one(part: Value, *sums: Value) -> list[Value]:
                    held = [code.load(keys, code.add(code.times(part, len(sides)), side)) for side in sides]
                    after = []
                    for row, query in enumerate(asked):
                        value = code.splat(code.load(query, part, F32))
                        after += [code.fma(value, held[side], sums[row * len(sides) + side]) for side in sides]
                    return after

                found = code.loop(HEAD, one, *nothing * len(sides))
                after = list(most)
                for side in sides:
                    counting = ir.Constant(INTS, [8 * side + place for place in range(8)])
                    here = code.splat(builder.trunc(code.times(step, _KEYS), I32), INTS)
                    inside = builder.icmp_unsigned("<", builder.add(here, counting), short_length)
                    for row, place in enumerate(scores):
                        value = builder.fmul(found[row * len(sides) + side], code.vector(HEAD**-0.5))
                        value = builder.select(inside, value, code.vector(_MASKED))
                        code.store(value, place, code.add(code.times(step, len(sides)), side))
                        after[row] = code.maximum(value, after[row])
                return after

            most = [code.across(code.maximum, each) for each in code.loop(steps, score, *lowest)]

            def weigh(chunk: Value, *totals: Value) -> list[Value]:
                after = []
                for place, top, total in zip(scores, most, totals, strict=True):
                    weight = _exp(code, builder.fsub(code.load(place, chunk), top))
                    code.store(weight, place, chunk)
                    after.append(builder.fadd(total, weight))
                return after

            totals = [
                code.across(builder.fadd, each) for each in code.loop(code.times(steps, len(sides)), weigh, *nothing)
            ]

            for half in range(0, HEAD // 8, 2):  # half a head's values, so that the sums fit the registers

                def gather(key: Value, *sums: Value, half: int = half) -> list[Value]:
                    row = code.at(qkv, code.add(code.times(key, 3 * WIDTH), offset, 2 * WIDTH))
                    values = [code.load(row, half), code.load(row, half + 1)]
                    after = []
                    for which, place in enumerate(scores):
                        weight = code.splat(code.load(place, key, F32))
                        after += [code.fma(weight, value, sums[2 * which + n]) for n, value in enumerate(values)]
                    return after

                found = code.loop(length, gather, *nothing * 2)
                for which, row in enumerate(rows):
                    line = code.at(to, code.add(code.times(row, WIDTH), offset))
                    for n in range(2):
                        code.store(builder.fdiv(found[2 * which + n], totals[which]), line, half + n)

        code.loop(length, queries, step=_QUERIES)

    code.loop(HEADS, head)


def _exp(code: Code, x: Value) -> Value:
    """e^x for x <= 0."""
    builder = code.builder
    x = code.maximum(x, code.vector(-87.0))
    power = code.nearest(builder.fmul(x, code.vector(_LOG2_E)))
    whole = builder.sitofp(power, FLOATS)
    rest = code.fma(whole, code.vector(-_LN2_LOW), code.fma(whole, code.vector(-_LN2_HIGH), x))
    square = builder.fmul(rest, rest)
    value = builder.fadd(code.fma(square, code.polynomial(rest, _EXP), rest), code.vector(1.0))
    exponent = builder.shl(builder.add(power, code.integers(127)), code.integers(23))
    return builder.fmul(value, builder.bitcast(exponent, FLOATS))


def _add_norm(code: Code, hidden: Value, added: Value, weight: Value, bias: Value, rows: Value) -> None:
    """hidden = LayerNorm(hidden + added), epsilon 1e-12."""
    builder, parts, share = code.builder, WIDTH // 8, code.vector(1 / WIDTH)

    def row(number: Value) -> None:
        line, other = (code.at(each, code.times(number, WIDTH)) for each in (hidden, added))

        def total(part: Value, before: Value) -> list[Value]:
            value = builder.fadd(code.load(line, part), code.load(other, part))
            code.store(value, line, part)
            return [builder.fadd(before, value)]

        mean = builder.fmul(code.across(builder.fadd, *code.loop(parts, total, code.vector(0.0))), share)

        def spread(part: Value, before: Value) -> list[Value]:
            away = builder.fsub(code.load(line, part), mean)
            return [code.fma(away, away, before)]

        squares = code.across(builder.fadd, *code.loop(parts, spread, code.vector(0.0)))
        deviation = code.instruction("llvm.sqrt.v8f32", FLOATS, code.fma(squares, share, code.vector(1e-12)))
        inverse = builder.fdiv(code.vector(1.0), deviation)

        def scale(part: Value) -> None:
            value = builder.fmul(builder.fsub(code.load(line, part), mean), inverse)
            code.store(code.fma(value, code.load(weight, part), code.load(bias, part)), line, part)

        code.loop(parts, scale)

    code.loop(rows, row)
