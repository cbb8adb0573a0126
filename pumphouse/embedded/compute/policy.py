"""Who may do what: the releases' default policies, as far as they differ from "whoever is in the project"."""

from __future__ import annotations

from pumphouse.embedded.identity.tokens import Token

PREFIX = "os_compute_api:"

#: Rule without the prefix -> what it takes; all others take a member. A manager is a member, too.
ADMIN = frozenset(
    {
        "os-admin-actions:reset_state",
        *(f"os-aggregates:{verb}" for verb in ("index", "create", "show", "update", "delete")),
        *(f"os-aggregates:{verb}" for verb in ("add_host", "remove_host", "set_metadata")),
        "os-availability-zone:detail",
        "os-evacuate",
        "os-extended-server-attributes",
        *(f"os-flavor-access{verb}" for verb in ("", ":add_tenant_access", ":remove_tenant_access")),
        *(f"os-flavor-extra-specs:{verb}" for verb in ("create", "update", "delete")),
        *(f"os-flavor-manage:{verb}" for verb in ("create", "update", "delete")),
        *(f"os-hypervisors:{verb}" for verb in ("list", "list-detail", "statistics", "show", "uptime", "search")),
        "os-hypervisors:servers",
        "os-instance-actions:events",
        "os-instance-actions:events:details",
        "limits:other_project",
        "os-lock-server:unlock:unlock_override",
        "os-migrate-server:migrate:host",
        "os-migrate-server:migrate_live:host",
        "os-migrations:index:all_projects",
        "os-migrations:index:host",
        "os-quota-sets:update",
        "os-quota-sets:delete",
        "os-quota-class-sets:show",
        "os-server-diagnostics",
        "servers:index:get_all_tenants",
        "servers:detail:get_all_tenants",
        "servers:allow_all_filters",
        "servers:show:host_status",
        "servers:create:forced_host",
        "compute:servers:create:requested_destination",
        "servers:create:zero_disk_flavor",
        "servers:migrations:show",
        *(f"os-services:{verb}" for verb in ("list", "update", "delete")),
        "os-shelve:shelve_offload",
        "os-shelve:unshelve_to_host",
        "os-simple-tenant-usage:list",
        "os-volumes-attachments:swap",
    }
)
MANAGER = frozenset(
    {
        "os-migrate-server:migrate",
        "os-migrate-server:migrate_live",
        "os-migrations:index",
        "servers:migrations:index",
        "servers:migrations:force_complete",
        "servers:migrations:delete",
    }
)
READER = frozenset(
    {
        "servers:index",
        "servers:detail",
        "servers:show",
        "servers:show:flavor-extra-specs",
        "os-attach-interfaces:list",
        "os-attach-interfaces:show",
        "os-flavor-extra-specs:index",
        "os-flavor-extra-specs:show",
        "os-instance-actions:list",
        "os-instance-actions:show",
        "ips:index",
        "ips:show",
        "os-quota-sets:show",
        "os-quota-sets:detail",
        "os-security-groups:list",
        "os-server-groups:index",
        "os-server-groups:show",
        "server-metadata:index",
        "server-metadata:show",
        "os-server-password:show",
        "os-server-tags:index",
        "os-server-tags:show",
        "os-simple-tenant-usage:show",
        "os-volumes-attachments:index",
        "os-volumes-attachments:show",
    }
)
#: Whoever has a token.
ANYBODY = frozenset({"os-availability-zone:list", "extensions", "limits", "os-quota-sets:defaults"})


def allowed(token: Token, rule: str, project_id: str | None, strict: bool) -> bool:
    """Whether a token may do something to what is in a project (None: nobody's, or its own).

    ``strict``: the roles of a member, a manager and a reader are told apart; until 2023 one was either in the project
    or an administrator.
    """
    if token.admin or rule in ANYBODY:
        return True
    if rule in ADMIN or project_id not in (None, token.project_id):
        return False
    if not strict:
        return rule not in MANAGER
    if rule in MANAGER:
        return token.has("manager")
    return token.has("reader", "member", "manager") if rule in READER else token.has("member", "manager")


def words(rule: str) -> str:
    """How Nova refuses."""
    name = rule if rule.startswith("compute:") else f"{PREFIX}{rule}"
    return f"Policy doesn't allow {name} to be performed."
