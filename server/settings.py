"""Settings: read from ``DOJO_…`` variables, secrets also from files."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

DATABASE_FILE = "dojo.db"
SECRET_FILE = "secret"


class SettingsError(RuntimeError):
    """A setting that cannot be used; the message says what to change."""


class Settings(BaseSettings):
    """What an operator may choose. ``DOJO_DATABASE_URL_FILE`` and ``DOJO_SECRET_FILE`` name files that hold
    the value instead, as container secrets do."""

    model_config = SettingsConfigDict(env_prefix="DOJO_")

    data: Path = Path("var")
    """The folder for what the server keeps: the SQLite database and the secret."""

    database_url: SecretStr | None = None
    """``postgresql://…``; without it an SQLite database in the data folder."""

    secret: SecretStr | None = None
    """What instances' seeds are derived from; without it the one in the data folder."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    dispatch: Literal["embedded", "procrastinate"] = "embedded"
    """Who runs code: this server itself, or ``python -m server worker`` processes, which need PostgreSQL."""

    children: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """How many students' codes run at once in this process."""

    zygote: Path | None = None
    """The unix socket of a zygote that runs elsewhere, in a container without a network for one; without it, each
    process that runs code starts its own."""

    submissions_per_minute: int = Field(default=60, ge=0)
    """How many submissions are taken from a student within a minute; 0 for any number."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then variables, then the files that ``…_FILE`` variables name."""
        return init_settings, env_settings, _SecretsByFile(settings_cls)

    @property
    def url(self) -> str:
        """The address of the database, with its password: never to be printed."""
        if self.database_url is None:
            return f"sqlite:///{(self.data / DATABASE_FILE).absolute()}"
        return self.database_url.get_secret_value()

    @property
    def postgresql_url(self) -> str:
        """The address of the database, which has to be PostgreSQL.

        :raises SettingsError: it is not
        """
        if not self.url.startswith("postgres"):
            raise SettingsError(
                "DOJO_DISPATCH=procrastinate needs PostgreSQL. Set DOJO_DATABASE_URL to postgresql://…, or leave "
                "DOJO_DISPATCH out."
            )
        return self.url

    @cached_property
    def key(self) -> bytes:
        """The server's secret.

        :raises SettingsError: there is none, or one too short to be secret
        """
        secret = self.secret.get_secret_value() if self.secret else _kept_secret(self.data / SECRET_FILE)
        if len(secret) < 32:
            raise SettingsError("The secret has fewer than 32 characters. Make one with: openssl rand -hex 32")
        return secret.encode()

    def make_secret(self) -> None:
        """Put a fresh secret into the data folder, unless there is one or it comes from elsewhere."""
        self.data.mkdir(parents=True, exist_ok=True)
        if self.secret is None and not (self.data / SECRET_FILE).exists():
            write_private(self.data / SECRET_FILE, secrets.token_hex(32))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first moment on; an existing file is an error."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def _kept_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise SettingsError(f"There is no secret in {path}. Make one with: python -m server init") from None


class _SecretsByFile(PydanticBaseSettingsSource):
    """``DOJO_X_FILE`` for every setting ``x`` that is a secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The stripped content of the file, or None."""
        name = os.environ.get(f"DOJO_{field_name.upper()}_FILE")
        if name is None or field.annotation != SecretStr | None:
            return None, field_name, False
        try:
            return Path(name).read_text().strip(), field_name, False
        except OSError as error:
            raise SettingsError(
                f"DOJO_{field_name.upper()}_FILE names {name}, which cannot be read: {error.strerror}. "
                "Name a file that the server's user may read."
            ) from None

    def __call__(self) -> dict[str, Any]:
        """All secrets that are kept in files."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value is not None}
