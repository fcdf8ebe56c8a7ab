"""vLLM-Omni's own API server, with its engine client replaced by `engine.py`.

    python vllm_omni_server.py MODEL PORT PIPELINE

Real: command line, routes, protocol models, job store, storage, and the pipeline's own checks of
its input. Read in vllm-omni 0.30.0, `entrypoints/openai` and `diffusion`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import engine

os.environ["HF_HUB_OFFLINE"] = "1"
engine.pretend("torchaudio", "cache_dit")

import numpy as np
from vllm.v1.engine.exceptions import EngineGenerateError
from vllm_omni.diffusion.data import DIFFUSION_REQUEST_LIFECYCLE_KEY, DIFFUSION_REQUEST_STARTED
from vllm_omni.diffusion.models.wan2_2 import pipeline_wan2_2_i2v as wan
from vllm_omni.diffusion.request import OmniDiffusionRequest
from vllm_omni.entrypoints.openai import api_server
from vllm_omni.inputs.data import OmniDiffusionSamplingParams
from vllm_omni.outputs import OmniRequestOutput

MODEL, PORT, PIPELINE = sys.argv[1:4]
IS_VIDEO = "ToVideo" in PIPELINE
SOUND_RATE = 24_000


def checked(prompt: dict[str, Any], params: Any, request_id: str) -> dict[str, Any]:
    """The prompt as Wan's own pre-processing leaves it; raises what its checks raise."""
    if PIPELINE != "WanImageToVideoPipeline":
        return prompt
    prepare = wan.get_wan22_i2v_pre_process_func(SimpleNamespace(model_config={}))
    asked = OmniDiffusionRequest(prompt=prompt, sampling_params=params, request_id=request_id)
    prompt = prepare(asked).prompt
    wan.Wan22I2VPipeline.check_inputs(
        None,
        prompt=[prompt.get("prompt")],
        negative_prompt=None,
        image=[prompt["multi_modal_data"]["image"]],
        height=params.height,
        width=params.width,
        boundary_ratio=0.875,
    )
    return prompt


class Engine:
    """What the API server asks of the client of a pure diffusion model."""

    errored, is_running, is_stopped = False, True, False
    dead_error = RuntimeError("dead")
    endpoint_restrictions = ()
    vllm_config = model_config = renderer = input_processor = io_processor = None

    def __init__(self) -> None:
        self.od_config = SimpleNamespace(
            model_class_name=PIPELINE,
            model=MODEL,
            revision=None,
            supports_multimodal_inputs=True,
            max_multimodal_image_inputs=4,
        )
        stage = SimpleNamespace(
            stage_type="diffusion",
            stage_id=0,
            final_output=True,
            final_output_type="video" if IS_VIDEO else "image",
            model_arch=PIPELINE,
            engine_args={"model_class_name": PIPELINE},
            diffusion_config=None,
            profiler_config=None,
        )
        self.stage_configs = [stage]
        self.default_sampling_params_list = [OmniDiffusionSamplingParams()]

    async def get_vllm_config(self) -> None:
        """None: there is no language model."""

    def get_diffusion_od_config(self) -> SimpleNamespace:
        """The diffusion model's own configuration."""
        return self.od_config

    async def get_supported_tasks(self) -> tuple[str, ...]:
        """The one task."""
        return ("generate",)

    async def check_health(self) -> None:
        """It is well."""

    async def do_log_stats(self) -> None:
        """It has none."""

    async def is_tracing_enabled(self) -> bool:
        """It is not."""
        return False

    async def abort(self, request_id: str, timeout: float | None = None) -> None:
        """A request is to end."""
        engine.log(aborted=request_id)

    async def generate(
        self,
        prompt: Any = None,
        request_id: str = "",
        sampling_params_list: Any = None,
        sampling_params: Any = None,
        **more: Any,
    ) -> AsyncIterator[OmniRequestOutput]:
        """Draw what is asked for."""
        params = (sampling_params_list or [sampling_params])[0]
        asked = prompt if isinstance(prompt, dict) else {"prompt": str(prompt)}
        text = str(asked.get("prompt") or "")
        told = (
            *("width", "height", "num_frames", "fps", "seed"),
            *("num_inference_steps", "guidance_scale", "extra_args"),
        )
        engine.log(
            prompt=text,
            negative_prompt=asked.get("negative_prompt"),
            job=request_id,
            **{name: getattr(params, name, None) for name in told},
        )
        if getattr(params, "emit_request_lifecycle", False):
            began = {DIFFUSION_REQUEST_LIFECYCLE_KEY: DIFFUSION_REQUEST_STARTED}
            yield OmniRequestOutput(request_id=request_id, finished=False, _custom_output=began)
        await asyncio.sleep(engine.SLOW_S if "SLOW" in text else 0.2)
        if "BREAK" in text:
            raise EngineGenerateError(engine.BROKEN)
        try:
            asked = checked(asked, params, request_id)
        except Exception as error:
            raise EngineGenerateError(str(error)) from error
        given = (asked.get("multi_modal_data") or {}).get("image")
        given = given[0] if isinstance(given, list) else given
        size = params.width or 832, params.height or 480
        first = engine.first_frame(given, size, params.seed)
        if IS_VIDEO:
            yield self._clip(first, params, request_id)
        else:
            pictures = [first] * (params.num_outputs_per_prompt or 1)
            yield OmniRequestOutput(
                request_id=request_id, final_output_type="image", images=pictures
            )

    def _clip(self, first: Any, params: Any, request_id: str) -> OmniRequestOutput:
        count = (params.num_frames or 81) // 4 * 4 + 1  # as Wan's pipeline rounds it
        output: dict[str, Any] = {"video": None}
        if (params.extra_args or {}).get("generate_sound"):
            seconds = count / (params.fps or 16)
            tone = np.sin(np.arange(int(SOUND_RATE * seconds)) * 0.05).astype(np.float32)
            output |= {"audio": tone, "audio_sample_rate": SOUND_RATE}
        return OmniRequestOutput(
            request_id=request_id,
            final_output_type="video",
            images=[engine.moving(first, count)],
            _multimodal_output=output,
        )


@contextlib.asynccontextmanager
async def built(*given: Any, **named: Any) -> AsyncIterator[Engine]:
    """In place of an engine of processes and GPUs."""
    yield Engine()


def main() -> None:
    """Serve until killed."""
    from vllm_omni.entrypoints.cli.main import main as serve

    api_server.build_async_omni = built
    sys.argv = ["vllm", "serve", engine.model_folder(PIPELINE), "--served-model-name", MODEL]
    sys.argv += ["--omni", "--host", "127.0.0.1", "--port", PORT]
    serve()


main()
