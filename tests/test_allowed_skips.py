"""In CI a skip is an error, unless it is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.allowed_skips import ALLOWED_SKIPS, AllowedSkip, SkipGuard

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
NO_POSTGRES = "import pytest\ndef test_sql():\n    pytest.skip('no PostgreSQL')\ndef test_other(): pass\n"
LISTED = AllowedSkip("test_it.py", "test_sql", "no PostgreSQL", "for this test")


def run(pytester: pytest.Pytester, source: str, *allowed: AllowedSkip) -> pytest.RunResult:
    pytester.makepyfile(test_it=source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", plugins=[SkipGuard(allowed)])


def test_a_skip_that_is_not_listed_fails(pytester: pytest.Pytester) -> None:
    result = run(pytester, NO_POSTGRES)

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*test_it.py:3: this skip is an error in CI: no PostgreSQL*"])


def test_a_listed_skip_passes(pytester: pytest.Pytester) -> None:
    result = run(pytester, NO_POSTGRES, LISTED)

    result.assert_outcomes(skipped=1, passed=1)


@pytest.mark.parametrize(
    ("file", "test", "reason"),
    [
        ("test_other.py", "test_sql", "no PostgreSQL"),
        ("test_it.py", "test_other", "no PostgreSQL"),
        ("test_it.py", "test_sql", "no privileges"),
    ],
    ids=["another file", "another test", "another reason"],
)
def test_file_test_and_reason_must_match(pytester: pytest.Pytester, file: str, test: str, reason: str) -> None:
    run(pytester, NO_POSTGRES, AllowedSkip(file, test, reason, "")).assert_outcomes(failed=1, passed=1)


def test_a_skipped_fixture_fails(pytester: pytest.Pytester) -> None:
    fixture = "import pytest\n@pytest.fixture\ndef sql(): pytest.skip('no PostgreSQL')\ndef test_sql(sql): pass\n"

    run(pytester, fixture).assert_outcomes(errors=1)


def test_a_skip_by_mark_fails(pytester: pytest.Pytester) -> None:
    marked = "import pytest\n@pytest.mark.skipif(True, reason='no PostgreSQL')\ndef test_sql(): pass\n"

    run(pytester, marked).assert_outcomes(errors=1)


def test_a_skipped_file_fails(pytester: pytest.Pytester) -> None:
    result = run(pytester, "import pytest\npytest.importorskip('no_such_package')\n")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*this skip is an error in CI: could not import 'no_such_package'*"])


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester) -> None:
    run(pytester, "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n").assert_outcomes(xfailed=1)


def test_a_listed_skip_that_does_not_occur_is_told(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_sql(): pass\n", LISTED)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["allowed to skip, but did not: test_it.py test_sql (no PostgreSQL)"])


# The processes of pytest-xdist read a conftest, as ours do; what a test hands over is in the first process alone.
GUARDED = """
import pytest
from tests.allowed_skips import AllowedSkip, SkipGuard

ALLOWED = [AllowedSkip("test_it.py", test, "no PostgreSQL", "for this test") for test in ("test_sql", "test_ran")]

def pytest_configure(config):
    config.pluginmanager.register(SkipGuard(ALLOWED))
"""
PROCESSES = """
import pytest

def test_sql():
    pytest.skip("no PostgreSQL")

def test_ran(): pass

def test_other():
    pytest.skip("no privileges")
"""


def test_a_skip_in_another_process_is_judged_and_told_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(GUARDED)
    pytester.makepyfile(test_it=PROCESSES)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-n", "1")

    result.assert_outcomes(passed=1, skipped=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*this skip is an error in CI: no privileges*",
            "allowed to skip, but did not: test_it.py test_ran (no Postgr*",
        ]
    )
    assert "did not: test_it.py test_sql" not in result.stdout.str()


def test_each_entry_names_a_file_and_a_reason() -> None:
    assert [entry for entry in ALLOWED_SKIPS if not (ROOT / entry.file).is_file() or not entry.why] == []
