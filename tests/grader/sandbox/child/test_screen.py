"""What student code prints, and what of it is kept."""

from __future__ import annotations

from grader.sandbox import RunStatus
from tests.grader.sandbox.conftest import STATE, Runner, holds


def test_output_is_text_that_cannot_steer_a_terminal(run: Runner) -> None:
    got = run(r"print('a\x1b[2Jb\x00\u202ec\r\nd'); print('\udc80é')")
    assert got.stdout == "a\ufffd[2Jb\ufffd\ufffdc\nd\n?é\n"


def test_a_destructors_exception_shows_no_library(run: Runner) -> None:
    got = run(
        "import asyncio\nclass A:\n    def __del__(self):\n        1 / 0\nA()\n"
        "try:\n    asyncio.new_event_loop()\nexcept OSError: pass"
    )
    assert got.status is RunStatus.OK
    assert 'Exception ignored: Traceback (most recent call last):\n  File "solution.py", line 4' in got.stdout
    assert "asyncio/" not in got.stdout


def test_standard_error_is_cut_and_ends_no_run(run: Runner) -> None:
    got = run("import sys\nfor _ in range(2000): print('e' * 99, file=sys.stderr)\ndx = x")

    assert got.status is RunStatus.OK and holds(got, "x", STATE["x"])
    assert len(got.stdout) == 64 * 1024


def test_the_last_byte_that_fits_is_printed(run: Runner) -> None:
    exactly, over = run("print('y' * (64 * 1024 - 1))"), run("print('y' * 64 * 1024)")

    assert exactly.status is RunStatus.OK and exactly.stdout.endswith("y\n")
    assert over.status is RunStatus.OUTPUT_LIMIT and over.stdout == "y" * 64 * 1024


def test_a_warning_has_the_students_line_and_no_other(run: Runner) -> None:
    got = run(
        "import warnings\nwarnings.warn('mine')\n"
        "warnings.warn_explicit('theirs', UserWarning, '/usr/lib/site-packages/t.py', 3)"
    )

    assert got.stdout == "solution.py:2: UserWarning: mine\nUserWarning: theirs\n"


def test_only_text_is_printed(run: Runner) -> None:
    got = run("import sys\nsys.stdout.write(b'bytes')")

    assert got.status is RunStatus.ERROR and "write() argument must be str, not bytes" in got.message
