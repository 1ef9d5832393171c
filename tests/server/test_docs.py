"""docs/instructor.md: every command and every address in it is tried."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from server import cli
from server.reports.schemas import MistakeBody
from tests.support.servers import RunningServer

TEXT = (Path(__file__).parents[2] / "docs" / "instructor.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_an_instructor_is_told_to_type_works(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (roster,) = re.findall(r"^```csv\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOJO_DATA", str(server.services.settings.data))
    monkeypatch.setenv("DOJO_DATABASE_URL", server.services.settings.url)
    assert len(LINES) > 8
    for line in LINES:
        words = shlex.split(line.replace("$DOJO_ADDRESS", "").replace("$DOJO_TOKEN", server.instructor_token))
        if words[:3] == ["python", "-m", "server"]:
            assert cli.main(words[3:]) == 0, line
            assert capsys.readouterr().out, line
        else:
            curl, flag, header, address = words
            assert (curl, flag) == ("curl", "-H")
            name, _, value = header.partition(": ")
            assert server.client.get(address, headers={name: value}).status_code == 200, line


def test_the_example_has_the_form_of_an_answer() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert set(json.loads(example)) == set(MistakeBody.model_validate_json(example).model_dump())
