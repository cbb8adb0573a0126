"""What a migration needs to survive its process: claims, notes, and TaskFlow's own tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from taskflow.persistence.backends.sqlalchemy import tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MYSQL: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}


def upgrade() -> None:
    """Bring the tables up to this version."""
    op.add_column("migrations", sa.Column("wish", sa.String(16), server_default="", nullable=False))
    op.add_column("units", sa.Column("logbook", sa.String(64), nullable=True))
    op.add_column("units", sa.Column("owner", sa.String(128), server_default="", nullable=False))
    op.add_column("units", sa.Column("lease", sa.Double(), nullable=True))
    op.add_column("units", sa.Column("epoch", sa.Integer(), server_default="0", nullable=False))
    op.add_column("units", sa.Column("accepted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("migration_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(400), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("source_id", sa.String(400), nullable=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], name="fk_notes_migration_id_migrations"),
        sa.UniqueConstraint(
            "migration_id", "kind", "type", "source_id", name="uq_notes_migration_id_kind_type_source_id"
        ),
        **MYSQL,
    )
    # Not by TaskFlow's own Alembic, which would write its version into the table of ours. Its indices are on the
    # keys only, and flows are found by their parents.
    metadata = sa.MetaData()
    for table in tables.fetch(metadata):
        table.dialect_options["mysql"].update(charset="utf8mb4", engine="InnoDB")
    metadata.create_all(op.get_bind())
    op.create_index("ix_flowdetails_parent_uuid", "flowdetails", ["parent_uuid"])
    op.create_index("ix_atomdetails_parent_uuid", "atomdetails", ["parent_uuid"])
