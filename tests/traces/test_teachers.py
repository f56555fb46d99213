"""The presets as they are sent, and where each one's reasoning is found."""

from __future__ import annotations

import io
import json

import pytest
from loopback import Loopback, Reply, refuses, says
from PIL import Image
from teaching import KEY, prompts, rows, run

from fairreason.errors import ModelError, UsageError
from fairreason.models.backends import Prompt, Sampling, retries
from fairreason.pictures import data_url
from fairreason.traces import teachers
from fairreason.traces.teachers import Price

pytestmark = pytest.mark.usefixtures("own_time_limit")


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY[::-1])
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def response(*output, status="completed", **more):
    usage = {"input_tokens": 11, "output_tokens": 40, "output_tokens_details": {"reasoning_tokens": 30}}
    return Reply(
        json.dumps({"model": "o4-mini-2025", "status": status, "output": output, "usage": usage, **more}).encode()
    )


def reasoning(*texts):
    return {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": text} for text in texts]}


def message(text, kind="output_text", name="text"):
    return {"type": "message", "role": "assistant", "content": [{"type": kind, name: text}]}


def test_deepseek_reasoner_is_sent_no_temperature_and_gives_its_reasoning(tmp_path):
    server = Loopback(lambda body, before: says(r"\boxed{B}", reasoning_content="It is B."))
    with server.running() as url:
        run(url, tmp_path / "j", prompts(1), teacher=teachers.find("deepseek-reasoner", url), sampling=Sampling(4096))
    message = {"role": "user", "content": "question 0"}
    assert server.asked == [{"model": "deepseek-reasoner", "messages": [message], "max_tokens": 4096}]
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY[::-1]}"
    (row,) = rows(tmp_path / "j")
    assert row["completion"]["text"] == "<think>\nIt is B.\n</think>\n\n\\boxed{B}"


def test_o4_mini_is_asked_through_the_responses_api_and_gives_a_summary(tmp_path):
    server = Loopback(lambda body, before: response(reasoning("First.", "Then."), message(r"\boxed{B}")))
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    url_of_picture = data_url(picture.getvalue())
    asked = [*prompts(1), Prompt("p", "What is here?", (url_of_picture,))]
    with server.running() as url:
        teacher = teachers.find("o4-mini", url, price=Price(1, 2))
        run(url, tmp_path / "j", asked, teacher=teacher, sampling=Sampling(4096), concurrency=1)
    common = {
        "model": "o4-mini",
        "max_output_tokens": 4096,
        "store": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
    }
    image = {
        "type": "input_image",
        "image_url": server.asked[1]["input"][0]["content"][0]["image_url"],
        "detail": "auto",
    }
    content = [image, {"type": "input_text", "text": "What is here?"}]
    assert server.asked == [
        {**common, "input": "question 0"},
        {**common, "input": [{"role": "user", "content": content}]},
    ]
    assert image["image_url"].startswith("data:image/png;base64,")
    assert server.paths == ["/v1/responses"] * 2 and server.headers[0]["authorization"] == f"Bearer {KEY}"
    for row in rows(tmp_path / "j"):
        assert row["completion"]["text"] == "<think>\nFirst.\n\nThen.\n</think>\n\n\\boxed{B}"
        assert (row["completion"]["prompt_tokens"], row["completion"]["completion_tokens"]) == (11, 40)
        assert row["model"] == "o4-mini-2025" and row["cost"] == pytest.approx((11 + 80) / 1e6)


CUT = {"incomplete_details": {"reason": "max_output_tokens"}, "status": "incomplete"}


@pytest.mark.parametrize(
    "reply, text, reason",
    [
        (response(reasoning(), message("B")), "B", "stop"),  # no summary came
        (response(reasoning("It is"), **CUT), "<think>\nIt is", "length"),
        (response(message("It is"), **CUT), "It is", "length"),
        (response(message("I cannot.", "refusal", "refusal")), "I cannot.", "stop"),
        (
            response(message("half"), status="incomplete", incomplete_details={"reason": "content_filter"}),
            "the server's content filter stopped the answer",
            "error",
        ),
        (
            response({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "It is."}]}, message("B")),
            "<think>\nIt is.\n</think>\n\nB",
            "stop",
        ),
    ],
)
def test_what_a_response_says(tmp_path, reply, text, reason):
    with Loopback(lambda body, before: reply).running() as url:
        run(url, tmp_path / "j", prompts(1), teacher=teachers.find("o4-mini", url))
    (row,) = rows(tmp_path / "j")
    assert (row["completion"]["text"], row["completion"]["finish_reason"]) == (text, reason)


@pytest.mark.parametrize(
    "fault",
    [
        response(status="failed", error={"code": "server_error", "message": "overloaded"}),
        Reply(b'{"output": []}'),
        Reply(b'{"status": "completed", "output": 7}'),
        Reply(b'{"error": {"message": "overloaded"}}'),
    ],
)
def test_a_response_that_is_none_is_asked_again(tmp_path, fault):
    server = Loopback(lambda body, before: response(message("B")) if before else fault)
    with server.running() as url:
        asked = run(url, tmp_path / "j", prompts(2), teacher=teachers.find("o4-mini", url))
    assert (asked.answered, asked.failed, len(server.asked)) == (2, 0, 4)


def test_a_refused_key_names_the_presets_own_variable(tmp_path):
    with Loopback(lambda body, before: refuses(401, KEY[::-1])).running() as url, pytest.raises(ModelError) as error:
        run(url, tmp_path / "j", prompts(1), teacher=teachers.find("deepseek-reasoner", url))
    assert "refuses the key in DEEPSEEK_API_KEY (401)" in str(error.value) and KEY[::-1] not in str(error.value)


def test_many_requests_at_once_learn_the_other_name_of_the_limit(tmp_path):
    def answer(body, before):
        return refuses(400, "use 'max_completion_tokens' instead") if "max_tokens" in body else says("B")

    server = Loopback(answer)
    with server.running() as url:
        asked = run(url, tmp_path / "j", prompts(40), concurrency=16)
    assert (asked.answered, asked.failed) == (40, 0) and len(server.asked) <= 56


def test_a_preset_elsewhere_or_under_another_name_keeps_its_fields_and_loses_its_price():
    own = teachers.find("deepseek-reasoner")
    assert own.base_url == "https://api.deepseek.com/v1" and own.price == Price(0.55, 2.19, "2025-02-08")
    there = teachers.find("deepseek-reasoner", "https://host.example/v1/", "deepseek-ai/DeepSeek-R1")
    assert (there.model, there.base_url) == ("deepseek-ai/DeepSeek-R1", "https://host.example/v1")
    assert there.dialect == own.dialect and there.price is None and not there.retired
    assert teachers.find("o4-mini", price=Price(1, 2)).price == Price(1, 2)


def test_what_an_answer_costs_at_most_covers_every_token():
    teacher = teachers.find("o4-mini")
    most = teacher.most(Prompt("a", "é" * 10, ("one.png",)), Sampling(1000))
    assert most == pytest.approx(((20 + 64 + 2643) * 1.10 + 1000 * 4.40) / 1e6)


def test_names_and_settings_that_do_not_fit(monkeypatch):
    with pytest.raises(UsageError, match=r"no teacher deepseek-resoner. Did you mean deepseek-reasoner"):
        teachers.find("deepseek-resoner")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/")
    assert teachers.find("any/model").base_url == "http://127.0.0.1:9/v1"
    with pytest.raises(UsageError, match="o4-mini: takes no temperature"):
        teachers.check_sampling(teachers.find("o4-mini"), 0.7, "on")
    with pytest.raises(UsageError, match="cannot be switched off"):
        teachers.check_sampling(teachers.find("deepseek-reasoner"), None, "off")
    for text in ("1", "a,b", "1,-2", "1,2,3", "nan,1", "inf,1"):
        with pytest.raises(UsageError, match="--price"):
            teachers.parse_price(text)


@pytest.mark.parametrize("name", teachers.PRESETS)
def test_a_presets_own_address_needs_its_key(monkeypatch, name):
    teacher = teachers.find(name)
    teachers.check_key(teacher)
    monkeypatch.setenv(teacher.key, " \n")
    with pytest.raises(UsageError, match=f"{name}: needs a key; set {teacher.key}"):
        teachers.check_key(teacher)
    teachers.check_key(teachers.find(name, "http://127.0.0.1:9/v1"))  # a server of one's own may want none
