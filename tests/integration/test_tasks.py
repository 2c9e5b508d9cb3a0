"""Tasks end to end without a model: four tasks in two languages, an explicit yes, only one's own, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from assistant.bootstrap import Service
from assistant.domain.reply import Reply
from tests.integration.task_shop import ADDRESS, Chat, effects, task_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = task_service(tmp_path)
    yield service
    service.close()


def chat(service: Service, user: str | None) -> Chat:
    return Chat(service.desk("shop"), user)


def status(reply: Reply) -> str | None:
    return None if reply.task is None else reply.task.status


async def test_change_address_in_chinese(service: Service) -> None:
    talk = chat(service, "u1001")
    first = await talk.say("帮我改一下收货地址")
    assert (first.decision, status(first)) == ("act", "collecting")
    assert first.task is not None
    assert first.task.missing == ("order", "address")
    assert "1. 晨光电热水壶" in first.text
    assert status(await talk.say("第一个")) == "collecting"
    shown = await talk.say(ADDRESS)
    assert status(shown) == "awaiting_confirmation"
    assert ADDRESS in shown.text
    assert "SQ21080551" in shown.text
    assert effects(service) == []
    done = await talk.say("好的，改吧")
    assert (done.decision, status(done)) == ("act", "done")
    assert ADDRESS in done.text
    assert effects(service) == [("u1001", "address", "SQ21080551")]
    source = service.state_source("shop")
    assert source is not None
    order = (await source.fetch("u1001")).find("SQ21080551")
    assert order is not None
    assert order.attribute("address") == ADDRESS


async def test_everything_at_once_is_still_shown_before_it_is_done(service: Service) -> None:
    talk = chat(service, "u1019")
    shown = await talk.say("Please change the address of order SQ20332018 to 88 Zhangjiang Road, Pudong, Shanghai")
    assert status(shown) == "awaiting_confirmation"
    assert "88 Zhangjiang Road, Pudong, Shanghai" in shown.text
    assert effects(service) == []
    assert status(await talk.say("yes, do it")) == "done"
    assert effects(service) == [("u1019", "address", "SQ20332018")]


async def test_cancel_the_order_meant_by_its_product(service: Service) -> None:
    talk = chat(service, "u1010")
    assert status(await talk.say("我想取消订单")) == "collecting"
    assert status(await talk.say("水壶那个")) == "awaiting_confirmation"
    assert status(await talk.say("取消")) == "awaiting_confirmation"  # a yes or a no? asked again
    assert status(await talk.say("确认取消")) == "done"
    assert effects(service) == [("u1010", "cancelled", "SQ20877640")]
    again = await talk.say("帮我取消订单 SQ20877640")
    assert status(again) == "refused"
    assert "已经取消" in again.text


async def test_an_invoice_needs_a_tax_number_only_for_a_company(service: Service) -> None:
    company = chat(service, "u1003")
    first = await company.say("I need an invoice for the projector")
    assert first.task is not None
    assert first.task.missing == ("title", "tax_number")
    second = await company.say("Blue Sky Trading Ltd")
    assert second.task is not None
    assert second.task.missing == ("tax_number",)
    shown = await company.say("91310000MA1FL4QX2K, send it to a.b@example.com")
    assert status(shown) == "awaiting_confirmation"
    assert "a.b@example.com" in shown.text
    assert status(await company.say("confirm")) == "done"
    person = chat(service, "u1001")
    assert status(await person.say("给羽绒服那单开发票，抬头个人")) == "awaiting_confirmation"
    assert status(await person.say("确认")) == "done"
    assert [kind for _, kind, _ in effects(service)] == ["invoice", "invoice"]
    second_time = await chat(service, "u1001").say("给羽绒服那单开发票，抬头个人")
    assert status(second_time) == "handed_over"
    assert second_time.handoff is not None
    assert second_time.handoff.task is not None
    assert second_time.handoff.task.permission == "invoice.reissue"


async def test_claim_the_coupon_that_is_named(service: Service) -> None:
    talk = chat(service, "u1002")
    assert status(await talk.say("帮我领一张优惠券")) == "collecting"
    assert status(await talk.say("满500减40那张")) == "awaiting_confirmation"
    assert status(await talk.say("确认")) == "done"
    assert effects(service) == [("u1002", "coupon", "OF1002")]
    listed = await chat(service, "u1002").say("帮我领一张优惠券")
    assert "OF1002" not in listed.text


@pytest.mark.parametrize("said", ["嗯？", "等等", "嗯", "wait"])
async def test_what_is_no_explicit_yes_does_nothing(service: Service, said: str) -> None:
    talk = chat(service, "u1010")
    await talk.say("取消订单 SQ20877640")
    assert status(await talk.say(said)) == "awaiting_confirmation"
    assert effects(service) == []


async def test_a_changed_parameter_shows_the_new_summary_and_only_that_is_done(service: Service) -> None:
    talk = chat(service, "u1001")
    old = await talk.say(f"把订单 SQ21080551 的地址改成{ADDRESS}")
    new = await talk.say("不对，改成上海市浦东新区张江路 88 号")
    assert status(new) == "awaiting_confirmation"
    assert new.task is not None
    assert old.task is not None
    assert new.task.parameters["address"] == "上海市浦东新区张江路 88 号"
    pressed_late = await talk.say("确认", old.task.confirmation)
    assert status(pressed_late) == "awaiting_confirmation"
    assert effects(service) == []
    done = await talk.say("确认")
    assert status(done) == "done"
    assert "张江路 88 号" in done.text


async def test_a_question_in_between_makes_a_bare_yes_ambiguous(service: Service) -> None:
    talk = chat(service, "u1010")
    await talk.say("取消订单 SQ20877640")
    answered = await talk.say("发票怎么开？")
    assert status(answered) is None
    assert status(await talk.say("好的")) == "awaiting_confirmation"
    assert effects(service) == []
    assert status(await talk.say("好的")) == "done"


async def test_an_expired_summary_is_shown_again_rather_than_done(service: Service) -> None:
    talk = chat(service, "u1010")
    shown = await talk.say("取消订单 SQ20877640")
    service.clock.skip(minutes=11)  # type: ignore[attr-defined]
    assert shown.task is not None
    again = await talk.say("确认", shown.task.confirmation)
    assert status(again) == "awaiting_confirmation"
    assert "过期" in again.text
    assert effects(service) == []
    assert status(await talk.say("确认")) == "done"


async def test_giving_up_does_nothing_and_a_later_yes_finds_nothing_to_confirm(service: Service) -> None:
    talk = chat(service, "u1010")
    shown = await talk.say("取消订单 SQ20877640")
    assert status(await talk.say("算了")) == "cancelled"
    assert shown.task is not None
    assert status(await talk.say("确认", shown.task.confirmation)) is None
    assert effects(service) == []


async def test_another_users_order_is_not_seen_whatever_way_it_is_named(service: Service) -> None:
    talk = chat(service, "u1002")
    refused = await talk.say("取消订单 SQ21080551")  # u1001's
    assert status(refused) == "collecting"
    assert "没有看到 SQ21080551" in refused.text
    assert "晨光" not in refused.text
    assert refused.task is not None
    assert refused.task.parameters == {}
    theirs = chat(service, "u1001")
    shown = await theirs.say("取消订单 SQ21080551")
    assert shown.task is not None
    stolen = await talk.say("确认", shown.task.confirmation)
    assert status(stolen) != "done"
    other = chat(service, "u1001")  # the same user, another conversation
    assert status(await other.say("确认", shown.task.confirmation)) is None
    assert effects(service) == []


async def test_a_visitor_starts_nothing(service: Service) -> None:
    talk = chat(service, None)
    assert status(await talk.say("帮我取消订单 SQ21080551")) is None
    assert effects(service) == []


async def test_what_only_staff_may_do_goes_straight_to_them_filled_in(service: Service) -> None:
    talk = chat(service, "u1001")
    reply = await talk.say(f"把听雨滤芯那单改到{ADDRESS}")  # on its way already
    assert (reply.decision, status(reply)) == ("handoff", "handed_over")
    handoff = (await service.desk("shop").conversation(talk.id)).handoffs[0]
    assert handoff.reason == "staff_only_task"
    assert handoff.task is not None
    assert handoff.task.permission == "parcel.intercept"
    assert dict(handoff.task.parameters) == {"order": "SQ21076015", "address": ADDRESS}
    asked = await chat(service, "u1001").say("快递晚了这么多天，给我点补偿")
    assert asked.handoff is not None
    assert asked.handoff.task is not None
    assert asked.handoff.task.permission == "compensation.grant"
    assert effects(service) == []


async def test_asking_how_is_answered_and_the_task_offered(tmp_path: Path) -> None:
    service = task_service(tmp_path, answer_threshold=0.01)  # the hash embedder supports nothing very well
    reply = await chat(service, "u1001").say("怎么修改收货地址")
    service.close()
    assert reply.decision == "answer"
    assert reply.citations
    assert "帮我修改收货地址" in reply.text
    assert status(reply) is None


async def test_the_world_may_move_between_summary_and_yes(service: Service) -> None:
    talk, other = chat(service, "u1010"), chat(service, "u1010")
    await talk.say("取消订单 SQ20877640")
    await other.say(f"把订单 SQ20877640 的地址改成{ADDRESS}")
    assert status(await talk.say("确认")) == "done"
    late = await other.say("确认")
    assert status(late) == "refused"
    assert [kind for _, kind, _ in effects(service)] == ["cancelled"]


async def test_an_unreachable_shop_is_said_and_nothing_is_claimed(tmp_path: Path) -> None:
    from importlib.resources import files

    declared = tmp_path / "tasks.yaml"
    text = (files("assistant.demo_shop") / "tasks.yaml").read_text("utf-8")
    declared.write_text(text.replace("base_url: demo", 'base_url: "http://127.0.0.1:9"'), encoding="utf-8")
    service = task_service(tmp_path / "data", tasks=declared)
    talk = chat(service, "u1010")
    await talk.say("取消订单 SQ20877640")
    reply = await talk.say("确认")
    assert status(reply) == "failed"
    assert "什么都没有改动" in reply.text
    assert effects(service) == []
    service.close()


async def test_two_presses_of_the_button_over_http_act_once(service: Service) -> None:
    app = create_app(desks=service.desk, keys=service.keys, tokens=service.tokens, settings=service.settings)
    token = service.tokens.issue("shop", "u1010").text
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/api/v1", headers=headers, timeout=60
    ) as client:
        opened = (await client.post("/conversations", json={})).json()["id"]
        url = f"/conversations/{opened}/messages"
        shown = (await client.post(url, json={"text": "取消订单 SQ20877640"})).json()
        assert shown["task"]["summary"][0]["label"] == "订单"
        press = {"text": "确认", "confirmation": shown["task"]["confirmation"]}
        answers = await asyncio.gather(*(client.post(url, json=press) for _ in range(4)))
        assert [a.json()["task"]["status"] for a in answers] == ["done"] * 4
        assert len({a.json()["task"]["run_id"] for a in answers}) == 1
        late = (await client.post(url, json=press)).json()
        assert late["task"]["status"] == "done"
        assert "没有重复办理" in late["text"]
        assert (await client.post(url, json={"text": "确认", "confirmation": "x"})).status_code == 422
    assert effects(service) == [("u1010", "cancelled", "SQ20877640")]


async def test_what_awaits_a_yes_is_told_to_its_user_again_and_to_nobody_else(service: Service) -> None:
    app = create_app(desks=service.desk, keys=service.keys, tokens=service.tokens, settings=service.settings)
    headers = {"Authorization": f"Bearer {service.tokens.issue('shop', 'u1010').text}", "Accept": "application/json"}
    staff = {"Authorization": f"Bearer {service.keys.issue('shop', 'agent', 'desk').text}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/api/v1", headers=headers, timeout=60
    ) as client:
        url = f"/conversations/{(await client.post('/conversations', json={})).json()['id']}"

        async def pending(**options: dict[str, str]) -> object:
            task = (await client.get(url, **options)).json()["task"]
            if task is not None:
                task["expires_at"] = task["expires_at"].replace("Z", "+00:00")
            return task

        async def say(text: str, confirmation: str | None = None) -> dict[str, object]:
            answer = await client.post(f"{url}/messages", json={"text": text, "confirmation": confirmation})
            task: dict[str, object] = answer.json()["task"]
            return task

        assert await pending() is None
        assert (await say("我想取消订单"))["status"] == "collecting"
        assert await pending() is None
        shown = await say("水壶那个")
        assert await pending() == shown
        assert await pending(headers=staff) is None
        await say("发票怎么开？")
        assert await pending() == shown
        service.clock.skip(minutes=11)  # type: ignore[attr-defined]
        assert await pending() is None
        again = await say("确认取消")
        assert (again["status"], await pending()) == ("awaiting_confirmation", again)
        assert (await say("确认", str(again["confirmation"])))["status"] == "done"
        assert await pending() is None


async def test_every_run_is_in_the_log(service: Service) -> None:
    talk = chat(service, "u1010")
    await talk.say("取消订单 SQ20877640")
    done = await talk.say("确认")
    assert done.task is not None
    desk = service.desk("shop")
    assert desk.tasks is not None
    events = [entry["event"] for entry in desk.tasks.records.log(done.task.run_id)]
    assert events == ["confirmed", "calling", "answered", "read_back", "reported"]
    assert desk.tasks.records.first_broken_entry() is None
