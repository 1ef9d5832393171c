"""A job as it is sent, and as it arrives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator

import pytest
import safetensors.torch
import torch

from grader.sandbox import Job, Limits, Slot
from grader.sandbox.protocol import ReceivedJob, StoredTensor, receive_job, send_job

STATE = {
    "big": torch.arange(300_000.0).reshape(300, 1000),  # more than a socket holds
    "half": torch.ones(3, dtype=torch.bfloat16),
    "n": torch.tensor(4),
    "none": torch.ones(0, 5),
}
DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "I64": torch.int64}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(30)
    theirs.settimeout(30)
    with ours, theirs:
        yield ours, theirs


def received(pair: tuple[socket.socket, socket.socket], job: Job) -> ReceivedJob:
    """What a child gets."""
    ours, theirs = pair

    def read(length: int) -> bytes:
        content = b""
        while len(content) < length:
            part = theirs.recv(length - len(content))
            assert part
            content += part
        return content

    def load(tensors: Iterable[StoredTensor]) -> dict[str, torch.Tensor]:
        state = {}
        for name, dtype, shape, length in tensors:
            kind = DTYPES[dtype]
            content = bytearray(read(length))
            state[name] = (
                torch.frombuffer(content, dtype=kind).view(shape) if length else torch.empty(shape, dtype=kind)
            )
        return state

    sending = threading.Thread(target=send_job, args=(ours, job))
    sending.start()
    try:
        return receive_job(read, load)
    finally:
        sending.join()


def test_a_job_arrives_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    slots = (Slot("big", 1_200_000), Slot("n", 8))
    limits = Limits(stdout_bytes=1, message_bytes=2, output_bytes=3_000_000)
    state = safetensors.torch.save(STATE, {"made by": "a test"})

    job = received(pair, Job("dx = '\ud800'\n", "my file.py", state, slots, limits))

    assert (job.source, job.filename, job.slots, job.limits) == ("dx = '\ud800'\n", "my file.py", slots, limits)
    assert job.state.keys() == STATE.keys()
    for name, tensor in STATE.items():
        assert job.state[name].dtype is tensor.dtype and torch.equal(job.state[name], tensor)


UNFINISHED = b"\x02\0\0\0\0\0\0\0{"
WITH_A_GAP = b'\x30\0\0\0\0\0\0\0{"x":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}'.ljust(64)


@pytest.mark.parametrize("state", [UNFINISHED, WITH_A_GAP])
def test_a_state_that_is_no_file_of_tensors_is_not_sent(
    pair: tuple[socket.socket, socket.socket], state: bytes
) -> None:
    with pytest.raises(ValueError, match=r"Expecting|where those before it end"):
        send_job(pair[0], Job("", "x.py", state, ()))
    pair[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        pair[1].recv(1)
