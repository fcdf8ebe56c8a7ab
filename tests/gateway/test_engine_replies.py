"""What engines and a proxy before them answered, word for word, and what it means.

Recorded from vLLM-Omni 0.30.0, SGLang-Diffusion 0.5.23 and LiteLLM 1.109.3 on 2026-11-27; the words
of FastVideo 0.2.1 are those of its source.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video.gateway.engine_replies import meaning_of
from factorized_video.gateway.types import HttpReply
from loopback import CAPTION, Gateway, Reply, clip, png

NOT_FOUND = {"detail": "Not Found"}
NO_IMAGES = {"detail": "This pipeline does not support IMAGE output; supported task types: ['I2V']"}
NO_CLIPS = {"detail": "This pipeline does not support VIDEO output; supported task types: ['T2I']"}
NEEDS_FRAME = {
    "detail": "Served model with task type 'I2V' requires an 'image_path' input, but none was "
    "provided"
}
NO_CHAT = {
    "error": {
        "message": "Image generation failed: ('No image is provided. This model requires an image "
        "to run.', 'Please correctly set ...')",
        "type": "BadRequestError",
        "param": None,
        "code": 500,
    }
}
MISMATCH = {
    "error": {
        "message": "Model mismatch: request specifies 'other' but server is running 'Qwen/Image'.",
        "type": "Bad Request",
        "param": None,
        "code": 400,
    }
}
NO_MEMORY = {
    "error": {
        "message": "CUDA out of memory. Tried to allocate 20.00 GiB",
        "type": "InternalServerError",
        "param": None,
        "code": 500,
        "request_id": "img_gen-939b86dad5794467",
        "error_stage_id": None,
    }
}
ENGINE_DOWN = {
    "error": {
        "message": "litellm.InternalServerError: InternalServerError: OpenAIException - Cannot "
        "connect to host REDACTED:8116 ssl:<ssl.SSLContext object at 0x7f017b9283b0> [Connect call "
        "failed ('REDACTED', 8116)]\n\nLiteLLM: model group 'edit-sgl' failed with the "
        "error above.",
        "type": "internal_server_error",
        "param": None,
        "code": "500",
    }
}
WRONG_KEY = {
    "error": {
        "message": "No connected db.",
        "type": "no_db_connection",
        "param": None,
        "code": "400",
    }
}
UNSUPPORTED = {
    "error": {
        "message": "litellm.UnsupportedParamsError: openai does not support parameters: ['fps'], "
        "for model=gpt-image-1. To drop these, set `litellm.drop_params=True`",
        "type": None,
        "param": None,
        "code": "400",
    }
}
ENGINE_GONE = {"detail": "Offline request broker exited; restart the server."}
NO_FORMAT = {
    "error": {
        "message": "litellm.UnsupportedParamsError: Setting `response_format` is not supported by "
        "openai, Qwen/Qwen-Image. To drop it from the call, set `litellm.drop_params = True`.",
        "type": None,
        "param": None,
        "code": "400",
    }
}
PROXY_FAILED = {
    "error": {
        "message": "litellm.InternalServerError: InternalServerError: OpenAIException - upstream",
        "type": "internal_server_error",
        "param": None,
        "code": "500",
    }
}


@pytest.mark.parametrize(
    ("service", "status", "body", "kind", "hint"),
    [
        ("chat", 404, NOT_FOUND, "rejected", "AI_GATEWAY_CHAT_BASE_URL"),
        ("image", 404, NOT_FOUND, "rejected", "AI_GATEWAY_IMAGE_BASE_URL"),
        ("video", 404, NOT_FOUND, "rejected", "AI_GATEWAY_VIDEO_BASE_URL"),
        ("video", 404, {"detail": "Video not found"}, "", ""),
        ("image", 400, NO_IMAGES, "rejected", "AI_GATEWAY_IMAGE_BASE_URL"),
        ("video", 400, NO_CLIPS, "rejected", "AI_GATEWAY_VIDEO_BASE_URL"),
        ("video", 400, NEEDS_FRAME, "rejected", "not --direct"),
        ("chat", 500, NO_CHAT, "rejected", "--skip-reasoning"),
        ("image", 500, NO_CHAT, "rejected", "AI_GATEWAY_IMAGE_BASE_URL"),
        ("image", 400, MISMATCH, "rejected", "Name the model that the server runs: Qwen/Image."),
        ("image", 500, NO_MEMORY, "failed", "log"),
        ("image", 500, {"detail": "Expected all tensors on the same device"}, "failed", "log"),
        ("image", 500, {"detail": "Image was not saved to disk"}, "failed", "log"),
        ("video", 500, {"detail": "Image was not saved to disk"}, "", ""),
        ("image", 500, ENGINE_DOWN, "unavailable", "start it"),
        ("video", 500, ENGINE_DOWN, "unavailable", "start it"),
        ("video", 400, ENGINE_DOWN, "", ""),
        ("video", 400, WRONG_KEY, "auth", "LiteLLM"),
        ("image", 400, UNSUPPORTED, "rejected", "--set"),
        ("image", 400, NO_FORMAT, "rejected", "hosted_vllm/"),
        ("video", 503, ENGINE_GONE, "unavailable", "restart it"),
        ("video", 503, {"detail": "busy"}, "", ""),
        ("image", 500, PROXY_FAILED, "", ""),  # what is behind it may have been billed
        ("image", 500, {"error": {"message": "upstream error", "type": "new_api_error"}}, "", ""),
        ("video", 400, {"detail": "image is not supported for T2V models"}, "rejected", "--direct"),
    ],
)
def test_an_error_means(service: str, status: int, body: Any, kind: str, hint: str) -> None:
    meaning = meaning_of(service, HttpReply(status, {}, json.dumps(body).encode()))
    assert meaning.kind == kind
    assert hint in meaning.hint and bool(meaning.hint) == bool(hint)


@pytest.mark.parametrize("body", [b"", b"[1]", b"Internal Server Error", b"\xff", b"null", b"{}"])
def test_what_is_no_error_of_theirs_means_nothing(body: bytes) -> None:
    for service in ("chat", "image", "video"):
        assert meaning_of(service, HttpReply(500, {}, body)).kind == ""


@pytest.fixture
def own() -> Any:
    with Gateway("openai") as gateway:
        yield gateway


def draw(own: Gateway, *more: str) -> Run:
    words = [CAPTION, *own.speech.naming("image"), "--output=a.png", "--json", *more]
    return run("generate_anchor", *words, gateway=own)


def error_of(done: Run) -> tuple[int, str, str]:
    error = done.json["error"]
    return done.code, error["charged"], error["hint"]


def test_an_engine_that_fails_at_a_picture_has_answered(own: Gateway) -> None:
    own.always("image", Reply(500, NO_MEMORY))
    code, charged, hint = error_of(draw(own))
    assert (code, charged) == (11, "no") and "--resubmit" in hint
    asked = len(own.of("image"))
    assert draw(own).code == 11 and len(own.of("image")) == asked  # the answer stands
    own.mend()
    assert draw(own, "--resubmit").code == 0


def test_an_engine_that_is_down_behind_its_proxy_is_nobodys_bill(own: Gateway) -> None:
    own.always("image", Reply(500, ENGINE_DOWN))
    code, charged, hint = error_of(draw(own))
    assert (code, charged) == (6, "no") and "start it" in hint
    own.mend()
    assert draw(own).code == 0  # nothing stands in its way


def test_a_key_that_the_proxy_does_not_know_is_no_key(own: Gateway) -> None:
    own.always("check", Reply(400, WRONG_KEY))
    own.always("models", Reply(400, WRONG_KEY))
    code, _, hint = error_of(draw(own))
    assert (code, own.of("image")) == (3, []) and "check the key" in hint


def test_a_server_without_texts_says_what_does_without_them(own: Gateway) -> None:
    own.always("chat", Reply(404, NOT_FOUND))
    done = run("rewrite_prompt", CAPTION, *own.speech.naming("llm"), "--json", gateway=own)
    code, _, hint = error_of(done)
    assert code == 10 and "--skip-reasoning" in hint and "model" not in hint


def test_a_model_that_draws_when_it_should_write_is_asked_once(own: Gateway) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    choice = {"index": 0, "message": {"role": "assistant", "content": [part]}}
    own.always("chat", Reply(200, {"id": "chatcmpl-1", "choices": [choice]}))
    done = run("rewrite_prompt", CAPTION, *own.speech.naming("llm"), "--json", gateway=own)
    assert done.code == 9 and "drew a picture" in done.json["error"]["message"]
    assert len(own.of("chat")) == 1


def test_a_seed_that_the_server_does_not_take_is_left_out(own: Gateway) -> None:
    unknown = {"error": {"message": "Unknown parameter: 'seed'.", "type": "invalid_request_error"}}
    own.will("image", Reply(400, unknown))
    done = draw(own)
    assert done.code == 0
    first, second = own.of("image")
    assert "seed" in first.body and "seed" not in second.body
    receipt = json.loads(Path("a.png.receipt.json").read_text(encoding="utf-8"))
    assert "seed" not in receipt["sent"]


def test_a_picture_at_an_address_of_the_engines_says_what_may_help(own: Gateway) -> None:
    """LiteLLM dropped response_format, and SGLang answered with a path that only it serves."""
    place = "/v1/images/a9531bcb-1442-4ab2-ab2a-9600881a5911/content"
    own.will("image", Reply(json={"data": [{"b64_json": None, "url": place}]}))
    done = draw(own)
    assert (done.code, own.billed) == (9, {"image": 1})
    assert "hosted_vllm/" in done.json["error"]["hint"]


def test_a_clip_in_cloud_storage_is_fetched_from_there(own: Gateway) -> None:
    """SGLang's /content is 400 then, and its row has the address."""
    with Gateway("openai") as storage:
        place = f"{storage.root}/files/job-1.mp4?signature=abc"
        row = {"id": "job-1", "object": "video", "status": "completed", "url": place}
        own.always("status", Reply(json=row))
        said = "Video has been uploaded to cloud storage. Please use the cloud URL: " + place
        own.always("file", Reply(400, {"detail": said}))
        storage.jobs["job-1"] = {"id": "job-1"}
        storage.always("file", Reply(body=clip(), headers={"Content-Type": "video/mp4"}))
        Path("a.png").write_bytes(png())
        words = ("--anchor=a.png", "--prompt=A cat leaps.", "--output=v.mp4", "--json")
        done = run("generate_video_from_anchor", *words, *own.speech.naming("video"), gateway=own)
        assert done.code == 0, done.err
        (asked,) = storage.of("file")
        assert "authorization" not in asked.headers
    assert Path("v.mp4").read_bytes() == clip()
    assert "signature=abc" not in done.out + done.err
    assert "signature=abc" not in Path("v.mp4.receipt.json").read_text(encoding="utf-8")
