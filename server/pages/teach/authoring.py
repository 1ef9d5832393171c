"""Trying out a forward pass: paste it, read what came out, and take the folder of the exercise along."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from author.derive import mathml
from server.assignments import packs
from server.authoring.routes import account_of
from server.authoring.trial import PACK, Trial, Wanted
from server.authoring.turns import TheTrials
from server.catalogue.proofs import Proofs, TheProofs
from server.catalogue.schemas import ProofBody
from server.courses.access import CourseAccess
from server.courses.roles import Permission
from server.pages.forms import TheForm, text
from server.pages.page import Page, ThePage
from server.pages.route import page_router
from server.pages.session import Visiting
from server.pages.source import inline

router = page_router()
AUTHORING: Final = "/courses/{course}/authoring"
EXAMPLE: Final = Wanted(
    "n = 12\nx = data(n, 6)\nW1 = param(6, 8)\nb1 = param(8)\nW2 = param(8, 3)\ny = labels(3, n)\n",
    "h = torch.tanh(x @ W1 + b1)\nlogits = h @ W2\nlogprobs = logits.log_softmax(1)\n"
    "loss = -logprobs[range(n), y].mean()\n",
)

Setting = Annotated[CourseAccess, Depends(Visiting(Permission.MANAGE_ASSIGNMENTS))]


@dataclass(frozen=True)
class LineShown:
    """A line of the key: its statements, the same as a formula, and whether it is exact, right or wrong."""

    name: str
    code: tuple[Markup, ...]
    formula: Markup
    verdict: str


@dataclass(frozen=True)
class ProofShown:
    """An exercise of the course, and its proof; None without one that holds."""

    slug: str
    title: str
    proof: ProofBody | None


@router.get(AUTHORING)
def show_authoring(page: ThePage, access: Setting, proofs: TheProofs) -> Response:
    """Show the form, filled with an example, and what is proved of the course's exercises."""
    return _render(page, access, proofs, EXAMPLE, None)


@router.post(AUTHORING)
async def try_forward_pass(
    page: ThePage, access: Setting, trials: TheTrials, proofs: TheProofs, form: TheForm
) -> Response:
    """Show what came of a forward pass, or send the folder of the exercise."""
    account_id = await run_in_threadpool(account_of, access)
    act = text(form, "act")
    wanted = Wanted(text(form, "given"), text(form, "lines"), act == "prove")
    trial = await trials.of(account_id, wanted)
    if act == "download" and trial.refusal is None:
        headers = {"Content-Disposition": f'attachment; filename="{PACK}.zip"'}
        return Response(_zipped(trial), media_type="application/zip", headers=headers)
    return await run_in_threadpool(_render, page, access, proofs, wanted, trial)


def _render(page: Page, access: CourseAccess, proofs: Proofs, wanted: Wanted, trial: Trial | None) -> Response:
    with access.reading() as member:
        membership, held = member.membership, packs.exercises_of(member.course)
    refused = None if trial is None or trial.refusal is None else _refused_line(wanted, trial)
    return page.render(
        "teach/authoring.html",
        membership=membership,
        wanted=wanted,
        trial=trial,
        refused=refused,
        key=() if trial is None else _key(trial),
        proofs=[ProofShown(slug, exercise.title, proofs.of(exercise)) for slug, exercise in held.items()],
    )


def _refused_line(wanted: Wanted, trial: Trial) -> str:
    """Return the text of the line that was refused; empty if the refusal is about all of them."""
    number = trial.refusal.line if trial.refusal else None
    lines = wanted.lines.splitlines()
    return lines[number - 1] if number is not None and 0 < number <= len(lines) else ""


def _key(trial: Trial) -> tuple[LineShown, ...]:
    names = {each.name for each in trial.steps} | {each.name for each in trial.key}
    return tuple(
        LineShown(
            each.name,
            tuple(inline(line) for line in each.code.splitlines()),
            mathml.formula("; ".join(each.code.splitlines()), names),
            each.verdict,
        )
        for each in trial.key
    )


def _zipped(trial: Trial) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in trial.files:
            archive.writestr(f"{PACK}/{name}", file)
    return content.getvalue()
