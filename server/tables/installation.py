"""What is written down of a server itself."""

from sqlalchemy import Text
from sqlmodel import Field

from server.database.table import Table


class InstallationRow(Table, table=True):
    """A fact of this installation: the fingerprint of its secret, or a probe that is there for a moment."""

    __tablename__ = "installation"

    name: str = Field(primary_key=True, max_length=64)
    value: str = Field(sa_type=Text)
