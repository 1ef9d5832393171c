"""``python -m bench.class_page``: the live page of a class of 1,000, and the wall while 300 hand in.

It prints the bytes of the page, how long the server takes for it, the longest task of the browser while it scrolls
through all rows and while the class works, and how far the page and the wall are behind the grades.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median

from grader import numerics

numerics.pin()

from playwright.sync_api import Page, expect  # noqa: E402
from safetensors.torch import save  # noqa: E402
from sqlmodel import col, select, update  # noqa: E402

from bench.figures import Times  # noqa: E402
from bench.progress_table import fill_submissions, open_classes  # noqa: E402
from bench.test_server import EXERCISE, BenchServer, run_server  # noqa: E402
from exercises.instance import Instance  # noqa: E402
from exercises.registry import find  # noqa: E402
from server.accounts import accounts  # noqa: E402
from server.courses import courses  # noqa: E402
from server.database.engine import Database  # noqa: E402
from server.http.token_gate import SESSION_COOKIE  # noqa: E402
from server.tables import ProgressRow, Role, SeatRow  # noqa: E402
from tests.support import browser  # noqa: E402

SIZE = 1_000
AT_WORK = 300
SECONDS = 30.0
FETCHES = 5
STEP = find(EXERCISE).checkpoints[13].name
COURSE = f"class-{SIZE}"
PAGE = f"/courses/{COURSE}/class?exercise={EXERCISE}"
STREAMS = {
    "page": f"/courses/{COURSE}/class/events?exercise={EXERCISE}",
    "wall": f"/courses/{COURSE}/lecture/{EXERCISE}/{STEP}/events",
}
WATCH_TASKS = """() => { window.tasks = []; new PerformanceObserver((list) => {
  for (const each of list.getEntries()) tasks.push(each.duration);
}).observe({ type: "longtask" }); }"""
SCROLL = """() => new Promise((done) => {
  const wrap = document.querySelector(".matrix-wrap");
  const step = () => {
    const before = wrap.scrollTop;
    wrap.scrollTop += 240;
    wrap.scrollTop === before ? setTimeout(() => done(before), 200) : requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""

SCREENS = 24
ONE_SCREEN = """(number) => new Promise((done) => {
  document.querySelector(".matrix-wrap").scrollTop = number * 600;
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


def main() -> int:
    """Measure everything, and print it."""
    with run_server(children=1, students=0) as server:
        open_classes(server, "", [SIZE])
        fill_submissions(server, [SIZE])
        instructor, students = _spoil_some(server)
        size, packed, taken = _fetch(server, instructor)
        print(f"the page: {size / 1024:.0f} KiB, {packed / 1024:.0f} KiB gzipped; served in {taken.median_ms:.0f} ms")
        _measure_live(server, instructor, students)
    return 0


def _spoil_some(server: BenchServer) -> tuple[str, list[str]]:
    """Let a third of the class lack a step; return the tokens of the instructor and of those who hand in."""
    database = Database(server.settings.url)
    with database.writing() as session:
        course = courses.find_course(session, COURSE)
        assert course is not None
        seats = select(SeatRow.account_id).where(SeatRow.course_id == course.id, SeatRow.role == Role.STUDENT)
        ids = session.exec(seats.order_by(col(SeatRow.account_id))).all()
        third = update(ProgressRow).where(
            col(ProgressRow.course_id) == course.id,
            col(ProgressRow.checkpoint) == STEP,
            col(ProgressRow.account_id).in_(ids[::3]),
        )
        session.execute(third.values(best="wrong", first_passed_at=None))
        instructor = courses.enrol(session, course, "Quinn", Role.INSTRUCTOR).token
        tokens = [accounts.issue_token(session, id) for id in ids[:AT_WORK]]
    database.close()
    return instructor, tokens


def _fetch(server: BenchServer, token: str) -> tuple[int, int, Times]:
    """Return the bytes of the page, plain and gzipped, and the times that it took."""
    connection, taken, sizes = HTTPConnection(*server.address, timeout=60), [], {}
    for coding in ("identity", *["gzip"] * FETCHES):
        begun = time.perf_counter()
        connection.request("GET", PAGE, headers={"Cookie": f"{SESSION_COOKIE}={token}", "Accept-Encoding": coding})
        answer = connection.getresponse()
        sizes[coding] = len(answer.read())
        assert answer.status == 200, answer.status
        taken.append(time.perf_counter() - begun)
    return sizes["identity"], sizes["gzip"], Times.of(taken[1:])


class Stream:
    """A stream of events that is read on a thread of its own. ``arrivals`` are the moments of its events."""

    def __init__(self, server: BenchServer, token: str, path: str) -> None:
        self.arrivals: list[float] = []
        self.begun = threading.Event()
        self._connection = HTTPConnection(*server.address, timeout=60)
        self._connection.request("GET", path, headers={"Cookie": f"{SESSION_COOKIE}={token}"})
        self._answer = self._connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.begun.wait(30)

    def _read(self) -> None:
        for line in self._answer:
            if line.startswith(b"event:"):
                self.arrivals.append(time.perf_counter())
                self.begun.set()

    def delays(self, graded: list[float]) -> list[float]:
        """Return for each grade how long after it the first event came that can hold it."""
        return [next((at - each for at in self.arrivals if at >= each), float("inf")) for each in graded]


@contextmanager
def _opened(server: BenchServer, token: str) -> Iterator[Page]:
    address = "http://{}:{}".format(*server.address)
    with browser.chromium() as chromium, browser.visitor(chromium, address) as visitor:
        cookie = {"name": SESSION_COOKIE, "value": token, "url": address, "httpOnly": True, "sameSite": "Lax"}
        visitor.context.add_cookies([cookie])  # type: ignore[list-item]
        page = visitor.open(PAGE)
        expect(page.locator("[data-live]")).to_have_text("live", timeout=60_000)
        yield page


def _measure_live(server: BenchServer, instructor: str, students: list[str]) -> None:
    with _opened(server, instructor) as page:
        page.evaluate(WATCH_TASKS)
        pixels = page.evaluate(SCROLL)
        print(f"scrolled {pixels:.0f} px: long tasks {_tasks(page)}  goal: none over 50 ms")
        steps = _processor_ms(page)
        print(f"a screen further costs the page {median(steps):.0f} ms of processor time p50, {max(steps):.0f} at most")
        page.evaluate("tasks.length = 0; document.querySelector('.matrix-wrap').scrollTop = 0")
        streams = {name: Stream(server, instructor, path) for name, path in STREAMS.items()}
        graded = _hand_in(server, students)
        time.sleep(2)
        print(f"{len(graded)} handed in within {graded[-1] - graded[0]:.0f} s: long tasks {_tasks(page)}")
        print(f"cells outlined in the browser: {page.locator('td.fresh').count()}")
    for name, stream in streams.items():
        ms = sorted(1000 * each for each in stream.delays(graded))
        print(f"{name}: behind a grade by {median(ms):.0f} ms p50, {ms[-1]:.0f} ms at most  goal: 1000 ms")


def _processor_ms(page: Page) -> list[float]:
    """Return what each screen of rows costs the browser's main thread; on a busy machine its tasks last longer."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    found = []
    for number in range(SCREENS):
        before = spent()
        page.evaluate(ONE_SCREEN, number)
        found.append(1000 * (spent() - before))
    return found


def _tasks(page: Page) -> str:
    found = [round(each) for each in page.evaluate("tasks")]
    return f"{len(found)}, the longest {max(found)} ms" if found else "none"


def _hand_in(server: BenchServer, students: list[str]) -> list[float]:
    """Let each student hand in one step, evenly over the time; return when each was told the grade."""
    answer = save({f"d{STEP}": Instance.canonical(find(EXERCISE)).tensors()[STEP]})
    graded, begun = [], time.perf_counter()
    for number, token in enumerate(students):
        time.sleep(max(0.0, begun + number * SECONDS / len(students) - time.perf_counter()))
        client = server.client(token)
        reply = client.submit_tensors(f"/api/v1/courses/{COURSE}/exercises/{EXERCISE}/submissions", answer)
        assert reply.status == 201, reply.body
        graded.append(time.perf_counter())
        client.close()
    return graded


if __name__ == "__main__":
    sys.exit(main())
