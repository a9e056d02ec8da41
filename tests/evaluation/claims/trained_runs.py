"""Records of evaluations, and folders as training leaves them, of encoders that never were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

Q = 30


def run(folder: Path, name: str, *, length: float, count: int, seconds: float) -> Path:
    """A folder as training leaves it."""
    (folder / name / "model").mkdir(parents=True)
    config = {
        "name": name,
        "identity": f"{name}@1",
        "segments": {"length": length, "count": count},
        "dimension": 8,
    }
    (folder / name / "model" / "config.json").write_text(json.dumps(config))
    history = [{"step": i, "cpu_s": seconds * i / 2} for i in (1, 2)] if seconds else []
    (folder / name / "history.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history))
    return folder / name


def entry(name: str, rr: np.ndarray, *, asked: str = "a") -> dict[str, Any]:
    """What the record holds of a system."""
    counts = {
        "task": "hubness",
        "kind": "",
        "queries": Q,
        "scores": {},
        "values": {"N_10": [1] * Q},
    }
    degraded = {"task": "degraded", "queries": Q, "scores": {}, "values": {"MRR": rr.tolist()}}
    return {
        "identity": f"{name}@1",
        "aggregation": "mean",
        "bytes": 768,
        "cost": {"sounds": 9, "audio": 100.0, "wall": 1.0, "processor": 0.5},
        "asked": {"same_track": asked, "degraded": asked, "hubness": asked},
        "results": [
            {**degraded, "task": "same_track", "kind": "", "values": {"top-1": [0] * Q, "MRR": rr}},
            {**degraded, "kind": "mp3"},
            {**degraded, "kind": "all", "groups": (np.arange(Q) // 3).tolist()},
            counts,
        ],
    }


def record_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({"evaluations": entries}, default=np.ndarray.tolist))
