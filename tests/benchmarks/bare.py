"""What the product is compared with: the same calls made by `requests` and nothing around them.

python3 tests/benchmarks/bare.py pipeline|download ROOT FOLDER
"""

from __future__ import annotations

import base64
import sys

import requests

PROMPT = "A cat jumping from a bookshelf to the couch"


def pipeline(session: requests.Session, root: str, folder: str) -> None:
    """Chat, image to a file, video create with the image as a data URI, status, download."""
    api = root + "/api/v1"
    message = {"role": "user", "content": PROMPT}
    reply = session.post(f"{api}/chat/completions", json={"model": "m", "messages": [message]})
    caption = reply.json()["choices"][0]["message"]["content"]
    reply = session.post(f"{api}/images/generations", json={"model": "m", "prompt": caption})
    image = base64.b64decode(reply.json()["data"][0]["b64_json"])
    with open(f"{folder}/anchor.png", "wb") as file:
        file.write(image)
    frame = "data:image/png;base64," + base64.b64encode(image).decode()
    body = {"model": "m", "prompt": PROMPT, "duration": 6, "first_frame": frame}
    job = session.post(f"{api}/videos", json=body).json()["id"]
    download(session, session.get(f"{api}/videos/{job}").json()["url"], folder)


def download(session: requests.Session, url: str, folder: str) -> None:
    """Stream a clip into a file."""
    with session.get(url, stream=True) as reply, open(f"{folder}/video.mp4", "wb") as file:
        for block in reply.iter_content(1 << 18):
            file.write(block)


if __name__ == "__main__":
    what, root, folder = sys.argv[1:]
    with requests.Session() as session:
        if what == "pipeline":
            pipeline(session, root, folder)
        else:
            download(session, f"{root}/clip.mp4", folder)
