"""Every user of two public shops, in a real database and behind a real HTTP server: order, amount, status, parcel."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.ports import StateSource
from assistant.state.answers import answer_from_state
from assistant.state.sources.build import build_sources
from tests.integration.shop_questions import Asking, ecom_questions, retail_questions
from tests.integration.shop_servers import ECOM_YAML, RETAIL_YAML, TOKEN, EcomShop, make_sqlite, retail_rows, serving

pytestmark = pytest.mark.data
NOW = datetime(2025, 6, 1, tzinfo=UTC)
BUDGET_S = 10.0  # these tests ask whether it is right; whether it is quick is asked elsewhere


async def wrong_answers(source: StateSource, questions: Iterable[Asking]) -> tuple[Counter[str], list[str]]:
    """How many were asked, by what they are about, and each that is wrong with its reply."""
    asked: Counter[str] = Counter()
    wrong: list[str] = []
    states = {}
    for question in questions:
        if question.user_id not in states:
            states[question.user_id] = await source.fetch(question.user_id)
        state = states[question.user_id]
        assert not state.unavailable, state.sources
        answer = answer_from_state(question.text, state, locale=question.locale, now=NOW)  # type: ignore[arg-type]
        asked[question.about] += 1
        text = "" if answer is None else answer.text
        right = (
            answer is not None
            and answer.decision == question.decision
            and all(part in text for part in question.all_of)
            and (not question.any_of or any(part in text for part in question.any_of))
            and not any(part in text for part in question.none_of)
        )
        if not right:
            wrong.append(f"{question.about}: {question.text} → {text!r}; wanted {question.all_of} {question.any_of}")
    return asked, wrong


@pytest.fixture
async def retail(shared_data: Path, tmp_path: Path) -> AsyncIterator[StateSource]:
    make_sqlite(tmp_path / "shop.db", retail_rows(shared_data))
    (tmp_path / "state.yaml").write_text(RETAIL_YAML.format(url="sqlite:///shop.db"), "utf-8")
    source = build_sources(tmp_path / "state.yaml", BUDGET_S)
    yield source
    await source.close()


@pytest.fixture
async def ecom(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[StateSource, EcomShop]]:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    shop = EcomShop(shared_data)
    with serving(shop) as base:
        (tmp_path / "state.yaml").write_text(ECOM_YAML.format(base=base), "utf-8")
        source = build_sources(tmp_path / "state.yaml", BUDGET_S)
        yield source, shop
        await source.close()


async def test_every_retail_user_in_sqlite(retail: StateSource, shared_data: Path) -> None:
    asked, wrong = await wrong_answers(retail, retail_questions(shared_data))
    print(f"retail: {asked.total() - len(wrong)} of {asked.total()} right; {dict(asked)}")
    assert asked.total() > 4_000
    assert not wrong, "\n".join(wrong[:10])


async def test_every_ecom_user_over_http(ecom: tuple[StateSource, EcomShop]) -> None:
    source, shop = ecom
    asked, wrong = await wrong_answers(source, ecom_questions(shop))
    print(f"ecom: {asked.total() - len(wrong)} of {asked.total()} right; {dict(asked)}")
    assert asked.total() > 180
    assert not wrong, "\n".join(wrong[:10])


async def test_an_account_that_nobody_knows_is_said_to_be_unknown(
    retail: StateSource, ecom: tuple[StateSource, EcomShop]
) -> None:
    for source, locale, question, words in (
        (retail, "en", "Where is my order?", "can't find the account"),
        (ecom[0], "zh", "我的订单到哪了", "找不到您当前登录的账户"),
    ):
        state = await source.fetch("nobody_0000")
        assert not state.known
        answer = answer_from_state(question, state, locale=locale, now=NOW)  # type: ignore[arg-type]
        assert answer is not None
        assert words in answer.text
