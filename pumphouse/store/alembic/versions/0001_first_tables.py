"""The first tables: migrations, units, mappings, events, results, temporaries."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PAIR, TYPE, ID, UNIT = 320, 32, 400, 400
MYSQL: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "mysql_engine": "InnoDB"}


def _table(name: str, *columns: sa.Column | sa.Constraint) -> None:
    key = sa.Column("id", sa.Integer(), nullable=False)
    op.create_table(name, key, *columns, sa.PrimaryKeyConstraint("id", name=f"pk_{name}"), **MYSQL)


def _text(name: str, length: int | None = None, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=nullable)


def _number(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _json(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _migration_of(table: str) -> list[sa.Column | sa.Constraint]:
    name = f"fk_{table}_migration_id_migrations"
    return [
        sa.Column("migration_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["migration_id"], ["migrations.id"], name=name),
    ]


def upgrade() -> None:
    """Bring the tables up to this version."""
    _table(
        "migrations",
        _text("pair", PAIR),
        _json("selection"),
        _json("plan"),
        _json("options"),
        _text("state", 16),
        _number("created"),
        _number("updated"),
    )
    _table(
        "units",
        *_migration_of("units"),
        _text("name", UNIT),
        _text("kind", 64),
        _text("title"),
        _text("state", 16),
        _text("step"),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        _number("started", nullable=True),
        _number("finished", nullable=True),
        _number("downtime", nullable=True),
        _text("error"),
        sa.UniqueConstraint("migration_id", "name", name="uq_units_migration_id_name"),
    )
    _table(
        "mappings",
        _text("pair", PAIR),
        _text("type", TYPE),
        _text("source_id", ID),
        _text("destination_id", ID),
        *_migration_of("mappings"),
        _text("unit", UNIT),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("pair", "type", "source_id", name="uq_mappings_pair_type_source_id"),
    )
    _table(
        "events",
        *_migration_of("events"),
        _number("time"),
        _text("unit", UNIT, nullable=True),
        _text("kind", 64),
        _text("text"),
        _json("data", nullable=True),
    )
    op.create_index("ix_events_migration_id_id", "events", ["migration_id", "id"])
    _table(
        "results",
        *_migration_of("results"),
        _text("unit", UNIT),
        _text("type", TYPE),
        _text("source_id", ID),
        _text("name"),
        _text("destination_id", ID, nullable=True),
        _text("verdict", 16),
        _json("fields"),
        _json("bytes", nullable=True),
        sa.UniqueConstraint("migration_id", "type", "source_id", name="uq_results_migration_id_type_source_id"),
    )
    _table(
        "temporaries",
        *_migration_of("temporaries"),
        _text("unit", UNIT),
        _text("cloud_role", 16),
        _text("type", TYPE),
        _text("resource_id", ID),
        _text("name"),
    )
    op.create_index("ix_temporaries_migration_id", "temporaries", ["migration_id"])


def downgrade() -> None:
    """Drop everything."""
    for table in ("temporaries", "results", "events", "mappings", "units", "migrations"):
        op.drop_table(table)
