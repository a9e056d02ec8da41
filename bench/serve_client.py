"""So many clients of a server at once, each asking again as soon as it is answered.

python bench/serve_client.py PORT CLIENTS SECONDS IDS

A process of its own, so that what it takes is not taken from the server's interpreter. HTTP/1.1 over kept
connections, spoken by hand: a client library would take more processor than the server. IDS is a file with
an id of a track in each line. Prints one line of JSON: the time of every answer, and how many there
were of each status.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path


async def client(
    port: int, ids: list[str], until: float, times: list[float], codes: Counter[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for track in itertools.cycle(ids):
        begun = time.perf_counter()
        if begun >= until:
            break
        head = f"GET /api/similar?id={track}&n=10 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write(head.encode())
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(answer.partition("content-length:")[2].split("\r\n")[0])
            await reader.readexactly(length)
        except (OSError, EOFError):
            codes["lost"] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        codes[answer.split(" ", 2)[1]] += 1
        times.append(time.perf_counter() - begun)
    writer.close()


async def run(port: int, clients: int, seconds: float, ids: list[str]) -> dict[str, object]:
    times: list[float] = []
    codes: Counter[str] = Counter()
    begun = time.perf_counter()
    rng = random.Random(0)
    orders = [rng.sample(ids, len(ids)) for _ in range(clients)]
    await asyncio.gather(*(client(port, o, begun + seconds, times, codes) for o in orders))
    return {"seconds": time.perf_counter() - begun, "times": times, "codes": codes}


if __name__ == "__main__":
    port, clients, seconds, file = sys.argv[1:]
    ids = Path(file).read_text("ascii").split()
    print(json.dumps(asyncio.run(run(int(port), int(clients), float(seconds), ids))))
