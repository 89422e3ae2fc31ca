"""The other peer of http_bench.py: FastAPI answering a fixed JSON text of the size in SIZE."""

import os

from fastapi import FastAPI

app = FastAPI()
text = {"text": "x" * (int(os.environ["SIZE"]) - 11)}


@app.get("/")
async def fixed():
    return text
