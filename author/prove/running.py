"""Proving several exercises, in as many processes as there are processors for it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext

from author.named import named
from author.prove.proof import Proof
from author.prove.prove import prove
from author.prove.subject import QUICK, THOROUGH
from grader.sandbox import Sandbox


def proofs(
    slugs: Sequence[str],
    is_quick: bool = False,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda text: None,
) -> Iterator[Proof]:
    """Yield the proof of each exercise, in their order.

    :param jobs: how many processes share them; each has a sandbox of its own
    """
    if jobs == 1 or len(slugs) == 1:
        yield from _in_this_process(slugs, is_quick, progress)
        return
    # A new interpreter for each, because torch must not be forked once it has computed.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start_worker) as pool:
        yield from pool.map(_prove_in_worker, [(slug, is_quick) for slug in slugs])


def _in_this_process(slugs: Iterable[str], is_quick: bool, progress: Callable[[str], None]) -> Iterator[Proof]:
    with Sandbox() as sandbox:
        for slug in slugs:
            yield _proof(slug, is_quick, sandbox, lambda text, slug=slug: progress(f"{slug} {text}"))  # type: ignore[misc]


def _proof(slug: str, is_quick: bool, sandbox: Sandbox, progress: Callable[[str], None]) -> Proof:
    return prove(named(slug), QUICK if is_quick else THOROUGH, sandbox, progress)


_sandbox: Sandbox | None = None


def _start_worker() -> None:
    """Give this process a sandbox, which ends with it."""
    global _sandbox
    from grader import numerics

    numerics.pin()
    _sandbox = Sandbox()


def _prove_in_worker(task: tuple[str, bool]) -> Proof:
    slug, is_quick = task
    assert _sandbox is not None
    with nullcontext(_sandbox) as sandbox:
        return _proof(slug, is_quick, sandbox, lambda text: None)
