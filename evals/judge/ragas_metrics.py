"""The one module that imports ragas: its metrics, asked in the case's language, with every half-answer caught.

The import takes seconds, so it happens when a panel is made. ragas's telemetry is off by then, whatever the
environment says.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from typing import Any

from evals.judge import chinese
from evals.judge.asking import Bench, Unjudged
from evals.judge.panel import OF_THE_REPLY, JudgeInput, Verdict


class _Asked(str):
    """A prompt that remembers what it asks about, so that an answer can be held against the question."""

    statements: int | None = None


class RagasPanel:
    """A Panel of ragas's collections metrics (0.4.3) over any judge."""

    def __init__(self, bench: Bench) -> None:
        """Imports ragas; seconds."""
        self._bench = bench
        self._kit = _kit()
        self._prompts = {
            f"judge/{name}/{language}": _digest(prompt)
            for language in ("zh", "en")
            for name, prompt in self._kit.prompts(language).items()
        }

    @property
    def prompts(self) -> Mapping[str, str]:
        """``judge/<prompt>/<language>`` → SHA-256 of instruction, examples and form."""
        return self._prompts

    async def judge(self, metric: str, given: JudgeInput) -> Verdict:
        """One metric of one reply. Raises KeyError for a metric that there is not."""
        passages = list(given.passages)
        if not given.reference.strip() and metric != "faithfulness":
            return Verdict(None, "no_reference")
        if metric in OF_THE_REPLY and not given.reply.strip():
            # an answer of nothing is wrong, but there is nothing in it that could be unfaithful
            return Verdict(None, "no_statements") if metric == "faithfulness" else Verdict(0.0)
        rests_on = [*passages, *([given.state] if given.state else [])]
        every: dict[str, dict[str, Any]] = {
            "answer_accuracy": {
                "user_input": given.question,
                "response": given.reply,
                "reference": given.reference,
            },
            "factual_correctness": {"response": given.reply, "reference": given.reference},
            "faithfulness": {
                "user_input": given.question,
                "response": given.reply,
                "retrieved_contexts": rests_on,
            },
            "context_precision": {
                "user_input": given.question,
                "reference": given.reference,
                "retrieved_contexts": passages,
            },
            "context_recall": {
                "user_input": given.question,
                "reference": given.reference,
                "retrieved_contexts": rests_on,
            },
        }
        arguments = every[metric]
        if "retrieved_contexts" in arguments and not arguments["retrieved_contexts"]:
            return Verdict(None, "no_contexts")
        if "user_input" in arguments and not given.question.strip():
            arguments["user_input"] = "?"
        return await self._score(metric, arguments, "en" if given.locale.lower().startswith("en") else "zh")

    async def _score(self, metric: str, arguments: Mapping[str, Any], language: str) -> Verdict:
        asked = self._kit.judge(self._bench)
        try:
            result = await self._kit.metric(metric, asked, language).ascore(**arguments)
            value = float(result.value)
        except Exception as exc:  # noqa: BLE001  # whatever a metric dies of is a case unscored, with its reason
            reason = exc.reason if isinstance(exc, Unjudged) else asked.failure
            return Verdict(None, reason or f"failed: {type(exc).__name__}")
        if asked.failure is not None:
            # ragas goes on with half of the verdicts; half a measurement is another measure, so it is none
            return Verdict(None, asked.failure)
        if metric == "factual_correctness" and asked.counts[-1:] == [0]:
            return Verdict(None, "no_claims")
        if not math.isfinite(value):
            return Verdict(None, "no_statements" if metric == "faithfulness" else "not_finite")
        return Verdict(min(1.0, max(0.0, value)))


def _digest(prompt: Any) -> str:
    said = prompt.to_string(prompt.examples[0][0])
    return hashlib.sha256(said.encode()).hexdigest()


def _kit() -> Any:
    """ragas's parts, put to our use. Built here because its classes must exist to be derived from."""
    # Not a default: a person's own "False" would have a library report on what their customers' cases are judged by.
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    from ragas import _analytics
    from ragas.llms.base import InstructorBaseRagasLLM
    from ragas.metrics.collections.answer_accuracy import AnswerAccuracy
    from ragas.metrics.collections.answer_accuracy import util as accuracy
    from ragas.metrics.collections.context_precision import ContextPrecision
    from ragas.metrics.collections.context_precision import util as precision
    from ragas.metrics.collections.context_recall import ContextRecall
    from ragas.metrics.collections.context_recall import util as recall
    from ragas.metrics.collections.factual_correctness import FactualCorrectness
    from ragas.metrics.collections.factual_correctness import util as factual
    from ragas.metrics.collections.faithfulness import Faithfulness
    from ragas.metrics.collections.faithfulness import util as faithful

    _analytics.do_not_track.cache_clear()  # it may have been asked before the variable was set

    class Judge(InstructorBaseRagasLLM):
        """Answers one metric's questions about one case; remembers the first that failed, for ragas may not."""

        def __init__(self, bench: Bench) -> None:
            self._bench = bench
            self.failure: str | None = None
            self.counts: list[int] = []  # claims found by each decomposition, in order

        def generate(self, prompt: str, response_model: Any) -> Any:
            raise NotImplementedError("the evaluation is asynchronous")

        async def agenerate(self, prompt: str, response_model: Any) -> Any:
            try:
                answer = await self._bench.ask(
                    str(prompt), response_model, lambda found: _fault(found, getattr(prompt, "statements", None))
                )
            except Unjudged as exc:
                self.failure = self.failure or exc.reason
                raise
            if hasattr(answer, "claims"):
                self.counts.append(len(answer.claims))
            return answer

    def told(parent: Any, words: chinese.Told | None) -> Any:
        """A prompt class of ragas's with our Chinese words, or its own English ones; it knows what it asks about."""

        class Prompt(parent):  # type: ignore[misc]
            if words is not None:
                language = "chinese"
                instruction = words.instruction
                examples = [
                    (parent.input_model(**given), parent.output_model(**wanted)) for given, wanted in words.examples
                ]

            def to_string(self, data: Any) -> str:
                said = _Asked(super().to_string(data) if words is None else _in_chinese(self, data))
                said.statements = len(data.statements) if hasattr(data, "statements") else None
                return said

        return Prompt()

    kinds = {
        "claims": (factual.ClaimDecompositionPrompt, chinese.CLAIMS),
        "claims_entailed": (factual.NLIStatementPrompt, chinese.ENTAILMENT),
        "statements": (faithful.StatementGeneratorPrompt, chinese.STATEMENTS),
        "statements_entailed": (faithful.NLIStatementPrompt, chinese.ENTAILMENT),
        "accuracy_1": (accuracy.AnswerAccuracyJudge1Prompt, chinese.ACCURACY_1),
        "accuracy_2": (accuracy.AnswerAccuracyJudge2Prompt, chinese.ACCURACY_2),
        "precision": (precision.ContextPrecisionPrompt, chinese.PRECISION),
        "recall": (recall.ContextRecallPrompt, chinese.RECALL),
    }
    made = {
        language: {name: told(kind, words if language == "zh" else None) for name, (kind, words) in kinds.items()}
        for language in ("zh", "en")
    }

    class Kit:
        """What ``RagasPanel`` uses."""

        judge = Judge

        def prompts(self, language: str) -> dict[str, Any]:
            return made[language]

        def metric(self, name: str, llm: Any, language: str) -> Any:
            said = made[language]
            metric: Any
            if name == "answer_accuracy":
                # one try: asking again is the bench's business, which knows what is worth asking again
                metric = AnswerAccuracy(llm=llm, max_retries=1)
                metric.judge1_prompt, metric.judge2_prompt = said["accuracy_1"], said["accuracy_2"]
            elif name == "factual_correctness":
                metric = FactualCorrectness(llm=llm)
                metric.prompt, metric.nli_prompt = said["claims"], said["claims_entailed"]
            elif name == "faithfulness":
                metric = Faithfulness(llm=llm)
                metric.statement_generator_prompt = said["statements"]
                metric.nli_statement_prompt = said["statements_entailed"]
            elif name == "context_precision":
                metric = ContextPrecision(llm=llm)
                metric.prompt = said["precision"]
            else:
                metric = ContextRecall(llm=llm)
                metric.prompt = said["recall"]
            return metric

    return Kit()


def _in_chinese(prompt: Any, data: Any) -> str:
    examples = "\n\n".join(
        chinese.EXAMPLE.format(number=number, given=_json(given), wanted=_json(wanted))
        for number, (given, wanted) in enumerate(prompt.examples, 1)
    )
    schema = json.dumps(prompt.output_model.model_json_schema(), ensure_ascii=False)
    return chinese.FRAME.format(instruction=prompt.instruction, schema=schema, examples=examples, given=_json(data))


def _json(model: Any) -> str:
    return json.dumps(model.model_dump(exclude_none=True), ensure_ascii=False, indent=2)


def _fault(answer: Any, statements: int | None) -> str | None:
    """What makes an answer of the right form unusable; ragas itself would count it as it is."""
    rated = getattr(answer, "rating", None)
    if rated is not None and rated not in (0, 2, 4):
        return "off_scale"
    verdicts = [getattr(answer, "verdict", None)]
    verdicts += [
        getattr(each, "verdict", None) for each in getattr(answer, "statements", []) if not isinstance(each, str)
    ]
    verdicts += [each.attributed for each in getattr(answer, "classifications", [])]
    if any(verdict not in (None, 0, 1) for verdict in verdicts):
        return "off_scale"
    if statements is not None and len(answer.statements) != statements:
        return "verdicts_missing"
    return None
