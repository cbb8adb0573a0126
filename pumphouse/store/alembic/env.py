"""Run by Alembic: upgrades on the connection that ``pumphouse.store.database`` hands over."""

from alembic import context

from pumphouse.store.models import Base


def main() -> None:
    """Upgrade on the given connection, all in its transaction where the database can do that."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise SystemExit("Pumphouse upgrades its database by itself; see docs/architecture.md")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # The connection is in a transaction already; SQLite's DDL takes part in it, as we begin it ourselves.
        transactional_ddl=connection.dialect.name in ("sqlite", "postgresql"),
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


main()
