"""SGLang-Diffusion's own HTTP server, with its scheduler replaced by `engine.py`.

    python sglang_server.py MODEL PORT PIPELINE

Real: arguments, routes, protocol models, job store, input checks, encoding. The scheduler is what
listens on its ZeroMQ port. Read in sglang 0.5.23, `multimodal_gen/runtime`.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import time
import traceback
from typing import Any

import engine

os.environ["HF_HUB_OFFLINE"] = "1"
engine.pretend("tvm_ffi", "cache_dit")

import numpy as np
import zmq
from PIL import Image
from sglang.multimodal_gen.runtime.launch_server import launch_http_server_only
from sglang.multimodal_gen.runtime.pipelines_core.schedule_batch import OutputBatch
from sglang.multimodal_gen.runtime.pipelines_core.stages.input_validation import (
    InputValidationStage,
)
from sglang.multimodal_gen.runtime.server_args import ServerArgs

MODEL, PORT, PIPELINE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
PARTS = ("transformer", "vae", "scheduler", "text_encoder", "tokenizer")


def made(request: Any, args: ServerArgs) -> OutputBatch:
    """What the engine would answer to a request, after the server's own checks of it."""
    told = (
        *("prompt", "negative_prompt", "width", "height", "num_frames", "fps", "seed"),
        *("num_inference_steps", "guidance_scale"),
    )
    engine.log(**{name: getattr(request, name) for name in told}, job=request.request_id)
    if "SLOW" in request.prompt:
        time.sleep(engine.SLOW_S)
    if "BREAK" in request.prompt:
        return OutputBatch(error=engine.BROKEN)
    path = request.image_path
    path = path[0] if isinstance(path, list) else path
    InputValidationStage().forward(request, args)
    given = Image.open(path) if path else None
    first = engine.first_frame(given, (request.width, request.height), request.seed)
    if "Image" in PIPELINE and "ToVideo" not in PIPELINE:
        return OutputBatch(output=[np.asarray(first)[None]] * (request.num_outputs_per_prompt or 1))
    return OutputBatch(output=[engine.moving(first, request.num_frames)])


def schedule(endpoint: str, args: ServerArgs) -> None:
    """Answer requests as they come, each in a thread of its own."""
    socket = zmq.Context.instance().socket(zmq.ROUTER)
    socket.bind(endpoint)
    answers: queue.SimpleQueue[tuple[bytes, bytes]] = queue.SimpleQueue()

    def work(sender: bytes, payload: bytes) -> None:
        try:
            asked = pickle.loads(payload)
            reply = made(asked[0] if isinstance(asked, list) else asked, args)
        except Exception as error:  # noqa: BLE001 - as a worker's would be
            traceback.print_exc()
            reply = OutputBatch(error=f"{type(error).__name__}: {error}")
        answers.put((sender, pickle.dumps(reply)))

    while True:
        if socket.poll(20):
            sender, _, payload = socket.recv_multipart()
            threading.Thread(target=work, args=(sender, payload), daemon=True).start()
        while not answers.empty():
            sender, payload = answers.get()
            socket.send_multipart([sender, b"", payload])


def main() -> None:
    """Serve until killed."""
    args = ServerArgs.from_kwargs(
        model_path=engine.model_folder(PIPELINE, PARTS),
        model_id=MODEL.rpartition("/")[2],
        served_model_name=MODEL,
        host="127.0.0.1",
        port=PORT,
        scheduler_port=PORT + 10_000 if PORT < 50_000 else PORT - 10_000,
    )
    endpoint = args.scheduler_endpoints[0]
    threading.Thread(target=schedule, args=(endpoint, args), daemon=True).start()
    launch_http_server_only(args)


main()
