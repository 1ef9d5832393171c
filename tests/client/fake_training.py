"""The part of the fake server that trains: runs whose every chunk a test can foretell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from tests.client.fake import problem

TRAIN = "makemore/train"
PARAMETERS = ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")
HANDED_OUT = (
    *("n", "vocab_size", "Xb", "Yb", *PARAMETERS, "emb", "embcat", "hprebn", "bnmean", "bnvar", "bnvar_inv"),
    *("bnraw", "hpreact", "h", "logits", "loss"),
)
CHUNK = 5000
NAMES = ["mona", "kayah", "see", "mel"]
BACKWARD = "def backward(state):\n    return {name: 0 * value for name, value in state.items()}\n"


def curve(step: int, *, is_wrong: bool = False) -> list[list[float]]:
    """The curve up to a step, a point each chunk."""
    return [
        [each, round(2.1 + 1.2 / (1 + each / 500) + (0.2 if is_wrong else 0), 4)] for each in range(0, step + 1, CHUNK)
    ]


@dataclass
class FakeTraining:
    """Use it as ``FakeDojo.before``. Each look at a run moves it on by a chunk; ``ends`` is how it ends."""

    ends: str = "done"
    checked: str = "yes"
    is_wrong: bool = False
    breaks_after: int | None = None  # the stream breaks after so many events
    interrupts_after: int | None = None  # somebody presses Ctrl-C after so many events
    runs: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    ranking: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        path = request.url.path.removeprefix("/api/v1")
        if path == f"/courses/autumn/exercises/{TRAIN}":
            return httpx.Response(200, json=exercise())
        if path == f"/courses/autumn/exercises/{TRAIN}/instance":
            tensors = {name: {"shape": [1], "dtype": "float32"} for name in HANDED_OUT}
            return httpx.Response(200, json={"digest": "0" * 64, "tensors": tensors})
        if path == "/courses/autumn/training/ranking":
            return httpx.Response(200, json={"places": self.ranking})
        if path == "/courses/autumn/training/runs":
            if request.method == "GET":
                return httpx.Response(200, json={"runs": self.runs[::-1]})
            return self._start(json.loads(request.content))
        if not path.startswith("/training/runs/"):
            return None
        number, _, what = path.removeprefix("/training/runs/").partition("/")
        run = self.runs[int(number) - 1]
        if what == "cancel":
            run |= {"status": "cancelled", "seconds_left": None}
            return httpx.Response(200, json=run)
        if what == "events":
            return self._events(run)
        self._move(run)
        return httpx.Response(200, json=run)

    def _start(self, asked: dict[str, Any]) -> httpx.Response:
        if any(each["status"] == "running" for each in self.runs):
            return problem(409, "Training run 1 goes on. Wait for it, or cancel it: dojo train --cancel")
        self.sources.append(asked)
        run = {
            "id": len(self.runs) + 1,
            "status": "running",
            "step": 0,
            "steps": asked.get("steps", 20_000),
            "batch": asked.get("batch", 32),
            "schedule": asked["schedule"] or [[0, 0.1], [10_000, 0.01]],
            "curve": [],
            "reference_curve": [],
            "examples_per_second": None,
            "seconds_left": None,
            "checked": "no",
            "chunk_steps": CHUNK,
            "message": None,
            "final": None,
            "samples": [],
            "ranked": asked["ranked"],
            "pseudonym": asked["pseudonym"],
            "created_at": "2026-11-26T20:00:00Z",
            "finished_at": None,
        }
        self.runs.append(run)
        return httpx.Response(201, json=run)

    def _move(self, run: dict[str, Any]) -> None:
        """Let a run compute a chunk, or end it."""
        if run["status"] != "running":
            return
        if run["curve"]:
            run["step"] = min(run["step"] + CHUNK, run["steps"])
        run |= {
            "curve": curve(run["step"], is_wrong=self.is_wrong),
            "reference_curve": curve(run["step"] - CHUNK),
            "seconds_left": (run["steps"] - run["step"]) / 500,
        }
        if run["step"] == run["steps"] or self.ends == "failed":
            run |= {"status": self.ends, "checked": self.checked, "seconds_left": None}
            if self.ends == "done":
                run |= {"final": {"train_loss": 2.0705, "dev_loss": 2.1099}, "samples": NAMES}
            else:
                run["message"] = "Your backward stopped at line 2 in step 1. Mend it and start another run."

    def _events(self, run: dict[str, Any]) -> httpx.Response:
        def stream() -> Iterator[bytes]:
            sent = 0
            while True:
                if sent == self.breaks_after:
                    raise httpx.ReadError("broken")
                if sent == self.interrupts_after:
                    raise KeyboardInterrupt
                self._move(run)
                is_over = run["status"] != "running"
                name = "done" if is_over else "chunk"
                yield f"event: {name}\ndata: {json.dumps(run)}\n\n".encode()
                sent += 1
                if is_over:
                    return

        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=stream())


def exercise() -> dict[str, Any]:
    """The exercise, as far as a client reads it."""
    return {
        "slug": TRAIN,
        "revision": 1,
        "title": "Train it",
        "summary": "Seven steps.",
        "attempts": 0,
        "passed": 0,
        "exact": 0,
        "total": 7,
        "statement": "",
        "forward": "",
        "checkpoints": [{"name": name, "shape": [1]} for name in PARAMETERS],
    }
