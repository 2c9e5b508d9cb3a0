"""A small vocabulary for vector code on top of llvmlite: loops, eight-float vectors, and their compilation."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import binding, ir

F32, I8, I16, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
FLOATS, INTS = ir.VectorType(F32, 8), ir.VectorType(I32, 8)
SHORTS, BYTES = ir.VectorType(I16, 16), ir.VectorType(I8, 32)
POINTER = ir.PointerType()
Value = Any  # llvmlite has no type hints; a value of the generated code

_SIZES = {F32: 4, I8: 1, I16: 2, I32: 4, I64: 8, POINTER: 8}  # bytes


def processor_fits() -> bool:
    """Whether this one has the instructions used here: x86-64 with AVX2 and FMA."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:  # LLVM does not know this system's way to tell
        return False
    return bool(features.get("avx2") and features.get("fma"))


class Module:
    """Functions to be compiled together."""

    def __init__(self) -> None:
        self.ir = ir.Module()
        self._intrinsics: dict[str, Value] = {}

    def function(
        self, name: str, arguments: Sequence[Any], write: Callable[..., None], *, public: bool = False
    ) -> Value:
        """``write(code, *arguments)`` writes the body; what comes back can be called by functions written later."""
        made = ir.Function(self.ir, ir.FunctionType(ir.VoidType(), arguments), name)
        if not public:
            made.linkage = "internal"
            made.attributes.add("noinline")
        code = Code(self, ir.IRBuilder(made.append_basic_block()))
        write(code, *made.args)
        code.builder.ret_void()
        return made

    def intrinsic(self, name: str, result: Any, arguments: Sequence[Any]) -> Value:
        """An instruction that LLVM knows by name."""
        if name not in self._intrinsics:
            self._intrinsics[name] = ir.Function(self.ir, ir.FunctionType(result, arguments), name)
        return self._intrinsics[name]

    def compiled(self) -> Any:
        """The execution engine; code lives as long as it does."""
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        parsed = binding.parse_assembly(str(self.ir))
        parsed.verify()
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=3
        )
        engine = binding.create_mcjit_compiler(parsed, machine)
        engine.finalize_object()
        return engine


class Code:
    """Writes one function. Offsets count elements of the type that is read or written, unless said otherwise."""

    def __init__(self, module: Module, builder: Any) -> None:
        self.module, self.builder = module, builder

    def number(self, value: int) -> Value:
        return ir.Constant(I64, value)

    def vector(self, value: float) -> Value:
        return ir.Constant(FLOATS, [value] * 8)

    def integers(self, value: int) -> Value:
        return ir.Constant(INTS, [value] * 8)

    def add(self, *values: Value | int) -> Value:
        return self._chain(self.builder.add, values)

    def times(self, *values: Value | int) -> Value:
        return self._chain(self.builder.mul, values)

    def _chain(self, operation: Callable[[Value, Value], Value], values: Sequence[Value | int]) -> Value:
        first, *rest = (self.number(each) if isinstance(each, int) else each for each in values)
        for each in rest:
            first = operation(first, each)
        return first

    def at(self, base: Value, offset: Value | int, kind: Any = F32) -> Value:
        """The address ``offset`` elements of ``kind`` after ``base``."""
        where = self.number(offset) if isinstance(offset, int) else offset
        return self.builder.gep(base, [where], source_etype=kind)

    def load(self, base: Value, offset: Value | int = 0, kind: Any = FLOATS, *, step: Any = None) -> Value:
        """What stands there, aligned or not; ``step`` is the element that ``offset`` counts, else ``kind``."""
        element = kind.element if isinstance(kind, ir.VectorType) else kind
        return self.builder.load(self.at(base, offset, step or kind), typ=kind, align=_SIZES[element])

    def store(self, value: Value, base: Value, offset: Value | int = 0, *, step: Any = None) -> None:
        element = value.type.element if isinstance(value.type, ir.VectorType) else value.type
        self.builder.store(value, self.at(base, offset, step or value.type), align=_SIZES[element])

    def splat(self, value: Value, kind: Any = FLOATS) -> Value:
        """The value in all eight places."""
        one = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(I32, 0))
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(INTS, [0] * 8))

    def fma(self, left: Value, right: Value, added: Value) -> Value:
        return self.instruction("llvm.fma.v8f32", FLOATS, left, right, added)

    def instruction(self, name: str, result: Any, *values: Value) -> Value:
        return self.builder.call(self.module.intrinsic(name, result, [value.type for value in values]), values)

    def maximum(self, left: Value, right: Value) -> Value:
        return self.builder.select(self.builder.fcmp_ordered(">", left, right), left, right)

    def minimum(self, left: Value, right: Value) -> Value:
        return self.builder.select(self.builder.fcmp_ordered("<", left, right), left, right)

    def across(self, operation: Callable[[Value, Value], Value], vector: Value) -> Value:
        """The eight places reduced to one value that stands in all of them."""
        for step in (4, 2, 1):
            turned = ir.Constant(INTS, [(place + step) % 8 for place in range(8)])
            vector = operation(vector, self.builder.shuffle_vector(vector, vector, turned))
        return vector

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Value:
        """Horner's rule, highest power first."""
        value = self.vector(coefficients[0])
        for each in coefficients[1:]:
            value = self.fma(value, x, self.vector(each))
        return value

    def nearest(self, vector: Value) -> Value:
        """Eight integers, rounded to the nearest."""
        return self.instruction("llvm.x86.avx.cvt.ps2dq.256", INTS, vector)

    def loop(
        self, count: Value | int, body: Callable[..., Sequence[Value] | None], *initial: Value, step: int = 1
    ) -> list[Value]:
        """``body(index, *state)`` gives the next state; index runs from 0 below ``count``, which must be above 0."""
        builder = self.builder
        end = self.number(count) if isinstance(count, int) else count
        before, head = builder.block, builder.append_basic_block()
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(I64)
        index.add_incoming(self.number(0), before)
        state = [builder.phi(value.type) for value in initial]
        for phi, value in zip(state, initial, strict=True):
            phi.add_incoming(value, before)
        after = list(body(index, *state) or ())
        following = builder.add(index, self.number(step))
        index.add_incoming(following, builder.block)
        for phi, value in zip(state, after, strict=True):
            phi.add_incoming(value, builder.block)
        last, done = builder.icmp_unsigned("<", following, end), builder.append_basic_block()
        builder.cbranch(last, head, done)
        builder.position_at_end(done)
        return after
