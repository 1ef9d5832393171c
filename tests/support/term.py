"""A term as docs/instructor.md tells it: a shell that types its commands, and a class that hands in between them.

The commands run in this process; ``serve`` starts an app whose sandbox runs code here. The document has dates of its
own: on the way in they become dates around today, and on the way out those of the document again.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from server import cli
from server.database.engine import Database
from server.progress.recount import recount
from server.settings import Settings
from server.tables import ComparisonRow, GradeRow, SubmissionRow, TicketRow
from tests.support.application import create_app
from tests.support.servers import FULL, IMPATIENT, SOLUTION, FakeSandbox, Student, eventually, gradients

TODAY: Final = date(2026, 10, 21)  # of the document
ZONE: Final = ZoneInfo("Europe/Berlin")
DATE: Final = re.compile(r"(?<!\d)20\d\d-\d\d-\d\d(?!\d)")
CURL: Final = 'curl --silent --show-error --fail-with-body --oauth2-bearer "$DOJO_TOKEN" "$DOJO_ADDRESS/api/v1/$@"'
ROSTER_LINES: Final = 60
ON_PAPER: Final = ("Ada Lovelace", "Ben Bitdiddle", "Eva Lu Ator", "Cy D. Fect", "Lem E. Tweakit", "Tom Tutor")
SLIP: Final = "Ben Bitdidle"  # Ben once more, with a slip of the pen

CROSS_ENTROPY: Final = "makemore/cross-entropy"
RIGHT_LOGITS: Final = "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n\n"
NO_PARENTHESES: Final = SOLUTION.replace("(1.0 - h**2) * dh", "1.0 - h**2 * dh")
ONE_PATH: Final = SOLUTION.replace(" + dcounts_sum  #", "  #")
MISSPELLED: Final = "dlogprobs = torch.zeros_lik(logprobs)\n"


def moved(text: str, days: int) -> str:
    """Return a text with each date so many days later."""
    return DATE.sub(lambda found: (date.fromisoformat(found[0]) + timedelta(days)).isoformat(), text)


@dataclass
class Term:
    """A machine on which an instructor types in ``folder``, and the class that comes to its server."""

    settings: Settings
    folder: Path
    sandbox: FakeSandbox
    running: contextlib.ExitStack  # what ``serve`` started
    client: TestClient | None = None
    students: dict[str, Student] = field(default_factory=dict)
    _variables: dict[str, str] = field(default_factory=dict)
    _functions: dict[str, str] = field(default_factory=dict)
    _token: str = ""  # the last one that was printed, which the document leaves out
    _join_code: str = ""
    _shift: int = field(default_factory=lambda: (datetime.now(ZONE).date() - TODAY).days)

    def type(self, line: str) -> str:
        """Type a line once nothing waits for a grade, and return what it prints. It must not fail."""
        if self.client is not None:
            with self._database() as database:
                assert eventually(lambda: not _has_tickets(database))
        return moved(self._typed(moved(line, self._shift)), -self._shift)

    def _typed(self, line: str) -> str:
        function = re.fullmatch(r"(\w+)\(\) \{ (.*); \}", line)
        if function:
            self._functions[function[1]] = function[2]
            return ""
        words = shlex.split(line)
        assigned = dict(self._assignment(word) for word in words if re.match(r"DOJO_\w+=", word))
        words = [word for word in words if not re.match(r"DOJO_\w+=", word)]
        if words == ["export"]:
            self._variables |= assigned
            return ""
        if words[:3] == ["python", "-m", "server"]:
            return self._operate(words[3:])
        if words[0] == "head":
            lines = (self.folder / words[-1]).read_text("utf-8-sig").splitlines(keepends=True)
            return "".join(lines[: -int(words[1])])
        assert self._functions[words[0]] == CURL, line
        return self._request(words[1:], (self._variables | assigned)["DOJO_TOKEN"])

    def _assignment(self, word: str) -> tuple[str, str]:
        name, _, value = word.partition("=")
        return name, self._token if value.endswith("…") else value

    def _operate(self, words: list[str]) -> str:
        """Run a command of the operator."""
        if words == ["serve"]:
            app = create_app(self.settings, self.sandbox.code_runner(), IMPATIENT)
            self.client = self.running.enter_context(TestClient(app, raise_server_exceptions=False))
            return "Serving on http://127.0.0.1:8000\n"
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(words)
        printed = err.getvalue() + out.getvalue()
        assert code == 0, f"{words}\n{printed}"
        self._token = ([self._token, *re.findall(r"dojo_[\w-]{20,}", printed)])[-1]
        self._join_code = ([self._join_code, *re.findall(r"^[A-Z0-9]{5}-[A-Z0-9]{5}$", printed, re.MULTILINE)])[-1]
        return printed

    def _request(self, words: list[str], token: str) -> str:
        """Do what curl would do with these words."""

        @click.command()
        @click.argument("path")
        @click.option("-X", "method")
        @click.option("--json", "body")
        def curl(path: str, method: str | None, body: str | None) -> str:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            method = method or ("GET" if body is None else "POST")
            content = None if body is None else body.encode()
            assert self.client is not None
            answer = self.client.request(method, f"/api/v1/{path}", content=content, headers=headers)
            assert answer.is_success, f"{path}\n{answer.text}"
            return answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")  # a terminal shows none

        text: str = curl.main(words, standalone_mode=False)
        return text

    def write_roster(self, excerpt: str) -> None:
        """Write the roster of the document, with further lines where it leaves some out."""
        lines = [line for line in excerpt.splitlines() if line != "…"]
        for number in range(len(lines), ROSTER_LINES + 1):
            section = "AB"[number % 2]
            lines.append(f"Student {number},s{number}@example.org,{1700 + number},{section},student")
        (self.folder / "roster.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def open_links(self) -> None:
        """Some open their personal links."""
        with (self.folder / "links.csv").open(encoding="utf-8-sig", newline="") as file:
            codes = {row["name"]: row["link"].partition("#")[2] for row in csv.DictReader(file)}
        for name in ON_PAPER:
            self._enter(name, "open-invitation", {"code": codes[name]})

    def join_again(self) -> None:
        """Ben joins once more, with the code of his section and a slip of the pen."""
        self._enter(SLIP, "join", {"code": self._join_code, "name": SLIP})

    def _enter(self, name: str, path: str, body: dict[str, str]) -> None:
        assert self.client is not None
        answer = self.client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        self.students[name] = Student(self.client, answer.json()["token"], answer.json()["student"]["id"])

    def hand_in(self) -> None:
        """Some hand in: right and wrong, code and tensors, in time and late, and code that does not run."""
        ada, ben, eva, cy, lem = (self.students[name] for name in ON_PAPER[:5])
        slip = self.students[SLIP]
        answers = [
            ada.submit_code(RIGHT_LOGITS, exercise=CROSS_ENTROPY),
            eva.submit_code(RIGHT_LOGITS, exercise=CROSS_ENTROPY),
            ada.submit_code(ONE_PATH),
            ada.submit_code(SOLUTION),
            eva.submit_code(NO_PARENTHESES),
            lem.submit_code(MISSPELLED),
            *(cy.submit_code(NO_PARENTHESES) for _ in range(5)),
            slip.submit_tensors(gradients(slip.state())),
            ben.submit_tensors({"dlogprobs": gradients(ben.state())["dlogprobs"]}),
        ]
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        with self._writing() as session:  # a day and some hours after the due time of the document
            for answer in answers[:2]:
                submission = session.get_one(SubmissionRow, answer.json()["id"])
                submission.created_at = datetime(2026, 10, 21, 11, tzinfo=ZONE) + timedelta(self._shift)
                recount(session, submission)

    def misjudge(self) -> None:
        """Change what was judged: an older grader took Eva's wrong ``dhpreact`` for an exact one."""
        with self._writing() as session:
            row, grade, submission = session.exec(
                select(ComparisonRow, GradeRow, SubmissionRow)
                .join(GradeRow, col(GradeRow.id) == ComparisonRow.grade_id)
                .join(SubmissionRow, col(SubmissionRow.id) == GradeRow.submission_id)
                .where(ComparisonRow.name == "hpreact", SubmissionRow.exercise == FULL)
                .where(SubmissionRow.account_id == self.students["Eva Lu Ator"].id)
            ).one()
            row.verdict, row.exact, row.approximate, row.origin, row.diagnosis = "exact", True, True, None, []
            grade.passed += 1
            recount(session, submission)

    def export_from_canvas(self) -> None:
        """Canvas exports its gradebook: it has ids of its own, and an assignment that is none of this course."""
        lines = (
            "Student,ID,SIS User ID,SIS Login ID,Section,Essay (77)",
            "    Points Possible,,,,,10",
            "Ada Lovelace,9001,1701,ada,A,7",
            "Ben Bitdiddle,9002,1702,ben,B,6",
        )
        (self.folder / "export.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @contextlib.contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database(self.settings.url)
        try:
            yield database
        finally:
            database.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._database() as database, database.writing() as session:
            yield session


def _has_tickets(database: Database) -> bool:
    with database.reading() as session:
        return session.exec(select(TicketRow.id)).first() is not None
