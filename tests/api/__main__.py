"""Ask every route as every role: ``make api-test``. No 500, and no answer that /openapi.json does not tell.

    python -m tests.api [SECONDS [SEED]]

schemathesis reads the routes from the server, so there is no list of them here. Each role has an even share of time.
Without a seed the same requests are made each time, so that a change is refused for what it does, not by chance.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import httpx2 as httpx
from pydantic import SecretStr

from exercises.registry import find
from server.courses import courses
from server.database.setup import prepared_database
from server.settings import Settings
from server.tables import Role
from tests.support.processes import ServerProcess, server_environment

SCHEMATHESIS = Path(sys.executable).with_name("st")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
COURSE, EXERCISE = "backprop", "makemore/full-backward"
NOBODY = "nobody"
DEFAULT_SECONDS = 25
ANSWER_SECONDS_MAX = 20.0  # a server that takes longer for one answer hangs


def main() -> int:
    """Ask as every role; return 0 if every answer was as it is documented."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_SECONDS
    seed = sys.argv[2] if len(sys.argv) > 2 else "0"
    with tempfile.TemporaryDirectory(prefix="dojo-api-") as folder:
        tokens = open_course(Path(folder))
        environment = server_environment(
            Path(folder), children=1, submissions_per_minute=0, checks_per_minute=0, secret="0123456789abcdef" * 4
        )
        with ServerProcess(environment, Path(folder) / "server.log", "serve") as server:
            server.wait_until_ready()
            hand_in(server.address, tokens[Role.STUDENT])
            failed = [
                role
                for role, token in tokens.items()
                if not ask(server.address, role, token, seconds // len(tokens), seed)
            ]
            answered = routes_answered(server.address)
            faults = [line for line in server.output.splitlines() if "Traceback" in line]
    print(f"\n{len(answered)} routes did what they were asked at least once: {', '.join(sorted(answered))}")
    print(f"{len(tokens)} roles; failed: {', '.join(failed) or 'none'}; tracebacks in the log: {len(faults)}")
    return 1 if failed or faults else 0


def open_course(data: Path) -> dict[str, str]:
    """Open a course with somebody of each role, and an admin of the server; return role → token."""
    settings = Settings(data=data, database_url=None, secret=SecretStr("0123456789abcdef" * 4))
    with closing(prepared_database(settings)) as database, database.writing() as session:
        course = courses.open_course(session, COURSE, "Becoming a backprop ninja")
        tokens = {NOBODY: ""}
        for role in (Role.STUDENT, Role.ASSISTANT, Role.INSTRUCTOR):
            tokens[role] = courses.enrol(session, course, role.title(), role).token
        admin = courses.enrol(session, course, "Admin", Role.INSTRUCTOR)
        admin.account.is_admin = True
        return {**tokens, "admin": admin.token}


def hand_in(address: str, token: str) -> None:
    """Let there be a graded submission."""
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/submissions?wait=30"
    httpx.post(address + path, json={"source": find(EXERCISE).solution}, headers=headers, timeout=60).raise_for_status()


def routes_answered(address: str) -> set[str]:
    """Return the routes that answered 2xx, as the server counted them."""
    text = httpx.get(f"{address}/metrics").text
    return set(re.findall(r'^dojo_request_seconds_count{route="(\w+)",status="2\d\d"}', text, re.MULTILINE))


def ask(address: str, role: str, token: str, seconds: int, seed: str) -> bool:
    """Let schemathesis ask every route as somebody; return whether every answer was as documented."""
    print(f"\n==> as {role}", flush=True)
    command: list[str | Path] = [
        SCHEMATHESIS, "--config-file", CONFIGURATION, "run", f"{address}/openapi.json",
        "--phases", "examples,fuzzing", "--max-time", str(seconds), "--max-examples", "6", "--continue-on-failure",
        "--request-timeout", str(ANSWER_SECONDS_MAX), "--suppress-health-check", "all", "--warnings", "off",
        "--generation-database", "none", "--no-shrink", "--seed", seed,
        *(["--header", f"Authorization: Bearer {token}"] if token else []),
    ]  # fmt: skip
    begun = time.monotonic()
    is_well = subprocess.run(command, check=False).returncode == 0
    print(f"{time.monotonic() - begun:.0f} s", flush=True)
    return is_well


if __name__ == "__main__":
    sys.exit(main())
