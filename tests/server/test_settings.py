"""Settings: where secrets come from, and where they do not go."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from server import cli
from server.settings import Settings, SettingsError
from tests.support.processes import PROJECT

SECRET = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DOJO_{name.upper()}", raising=False)
        monkeypatch.delenv(f"DOJO_{name.upper()}_FILE", raising=False)


def test_secrets_come_from_files_that_variables_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://dojo:hunter2@db/dojo\n")
    (tmp_path / "key").write_text(SECRET + "\n")
    monkeypatch.setenv("DOJO_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("DOJO_SECRET_FILE", str(tmp_path / "key"))
    settings = Settings()
    assert settings.url == "postgresql://dojo:hunter2@db/dojo"
    assert settings.key == SECRET.encode()
    assert "hunter2" not in repr(settings)
    assert SECRET not in repr(settings)


def test_a_variable_goes_before_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x" * 64)
    monkeypatch.setenv("DOJO_SECRET_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("DOJO_SECRET", SECRET)
    assert Settings().key == SECRET.encode()


def test_a_secret_file_that_cannot_be_read_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOJO_SECRET_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="DOJO_SECRET_FILE names"):
        Settings()


def test_only_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9")
    monkeypatch.setenv("DOJO_PORT_FILE", str(tmp_path / "port"))
    assert Settings().port == 8000


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "new")
    with pytest.raises(SettingsError, match="python -m server init"):
        _ = settings.key
    settings.make_secret()
    made = settings.key
    assert len(made) == 64
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    settings.make_secret()
    assert Settings(data=tmp_path / "new").key == made


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(SettingsError, match="openssl rand"):
        _ = Settings(secret=SecretStr("hunter2")).key


RANDOM = "9f3c51e07ab2d4688e1d0c5b7f92a6e4"
ELSEWHERE = "postgresql://dojo:{}@db.example.org/dojo"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "dojo.example.org"])
@pytest.mark.parametrize("secret", [SECRET, "x" * 64, "abcabcab" * 5, "changeme" * 4])
def test_a_secret_that_can_be_guessed_is_for_this_machine_alone(secret: str, host: str) -> None:
    settings = Settings(secret=SecretStr(secret))
    for loopback in ("127.0.0.1", "::1", "localhost"):
        settings.refuse_guessable_secrets(loopback)

    with pytest.raises(SettingsError, match=r"The secret can be guessed.*openssl rand"):
        settings.refuse_guessable_secrets(host)

    Settings(secret=SecretStr(RANDOM)).refuse_guessable_secrets(host)


@pytest.mark.parametrize("password", ["", "dojo", "Postgres", "changeme"])
def test_a_usual_password_of_a_database_elsewhere_is_refused(password: str) -> None:
    def refuse(url: str, host: str = "0.0.0.0") -> None:
        settings = Settings(secret=SecretStr(RANDOM), database_url=SecretStr(url))
        settings.refuse_guessable_secrets(host)

    with pytest.raises(SettingsError, match=r"password can be guessed.*DOJO_DATABASE_URL") as error:
        refuse(ELSEWHERE.format(password))
    assert password == "" or password not in str(error.value).replace("DOJO_", "")

    refuse(ELSEWHERE.format(password), "127.0.0.1")
    refuse(ELSEWHERE.format("kR7-" + password))
    refuse(f"postgresql://dojo:{password}@127.0.0.1/dojo")
    refuse(f"postgresql://dojo:{password}@/dojo?host=/run/postgresql")
    refuse("sqlite:///var/dojo.db")


def test_serving_to_others_with_a_guessable_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    monkeypatch.setenv("DOJO_SECRET", SECRET)

    assert cli.main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2

    assert "The secret can be guessed, and 0.0.0.0 can be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "http"), ("PORT", "99999"), ("CHILDREN", "0"), ("CONNECTIONS", "1"), ("DISPATCH", "x")),
        *(("PROXIES", "*"), ("DATABASE_URL", ""), ("DATABASE_URL", "mysql://db/dojo"), ("DATABASE_URL", "dojo.db")),
        ("DATABASE_URL", "postgresql://dojo@db:port/dojo"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"DOJO_{name}", value)

    with pytest.raises(SettingsError, match=f"^DOJO_{name} cannot be used: .* unset it for the default.$"):
        Settings.read()


def test_a_mistake_never_repeats_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOJO_DATABASE_URL", "postgresql://dojo:hunter2@db/dojo")
    monkeypatch.setenv("DOJO_PORT", "hunter2")

    with pytest.raises(SettingsError) as error:
        Settings.read()

    assert "hunter2" not in str(error.value)


def test_proxies_are_addresses_or_networks() -> None:
    assert Settings(proxies="10.0.0.2, 10.1.0.0/16,::1").trusted_proxies == ["10.0.0.2", "10.1.0.0/16", "::1"]
    assert Settings().trusted_proxies == []


def test_the_manual_has_the_table_of_all_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["settings", "--markdown"]) == 0
    table = capsys.readouterr().out.strip()

    assert table in (PROJECT / "docs" / "operator.md").read_text(encoding="utf-8")
    assert len(table.splitlines()) == 2 + len(Settings.model_fields)
    assert all(meaning for _, _, meaning in Settings.described())


def test_compose_passes_on_what_an_operator_may_choose() -> None:
    text = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    passed = set(re.findall(r"^      (DOJO_[A-Z_]+):", text, re.MULTILINE))
    of_the_image, of_secrets = {"DOJO_DATA", "DOJO_HOST", "DOJO_PORT"}, {"DOJO_DATABASE_URL", "DOJO_SECRET"}
    of_workers = {"DOJO_DISPATCH", "DOJO_ZYGOTE", "DOJO_WORKER_PORT"}

    settings = {variable for variable, _, _ in Settings.described()}
    assert settings - of_the_image - of_secrets - of_workers <= passed


def test_settings_are_shown_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOJO_SECRET", "x" * 40)
    monkeypatch.setenv("DOJO_DATABASE_URL", "postgresql://dojo:hunter2@db/dojo")
    monkeypatch.setenv("DOJO_PORT", "8123")

    assert cli.main(["settings"]) == 0

    shown = capsys.readouterr().out
    assert re.search(r"^DOJO_PORT +8123$", shown, re.MULTILINE)
    assert "hunter2" not in shown and "xxxx" not in shown
    assert shown.count("(hidden)") == 2


@pytest.mark.parametrize(("dispatch", "processes"), [("embedded", 1), ("procrastinate", 3)])
def test_each_process_that_runs_code_has_a_run(
    dispatch: str, processes: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOJO_DISPATCH", dispatch)
    monkeypatch.setenv("DOJO_CHILDREN", "1")
    monkeypatch.setenv("DOJO_PROCESSES", "3")

    assert cli.main(["settings"]) == 0

    assert re.search(rf"^DOJO_PROCESSES +{processes}$", capsys.readouterr().out, re.MULTILINE)
