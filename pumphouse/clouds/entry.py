"""An entry of clouds.yaml: found and read by openstacksdk's loader, and scoped to another project."""

from __future__ import annotations

import copy
import difflib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pumphouse.clouds import http
from pumphouse.errors import CloudError, ConfigError

if TYPE_CHECKING:
    import requests
    from openstack.config.cloud_region import CloudRegion

#: What says in an entry's ``auth`` which part of the cloud the token is for.
SCOPE = frozenset(
    {
        "domain_id",
        "domain_name",
        "project_domain_id",
        "project_domain_name",
        "project_id",
        "project_name",
        "system_scope",
        "tenant_id",
        "tenant_name",
        "trust_id",
        "default_domain_id",
        "default_domain_name",
    }
)


def find(name: str, where: str, workers: int) -> tuple[CloudRegion, requests.Session]:
    """An entry of clouds.yaml, and the connections that it is going to use. No request is made.

    ``where`` the configuration names it. Raises ConfigError when there is no such entry or it lacks something.
    """
    from keystoneauth1.exceptions import ClientException
    from openstack.config import OpenStackConfig
    from openstack.exceptions import SDKException

    try:
        loader = OpenStackConfig()
        if name not in loader.get_cloud_names():
            raise ConfigError(f"{where}: {_missing(name, loader)}")
        region = loader.get_one(cloud=name)
    except OSError as error:
        raise ConfigError(f"{where}: {error.filename or 'clouds.yaml'} cannot be read: {error.strerror}") from error
    except (SDKException, ClientException, ValueError, TypeError, KeyError, AttributeError) as error:
        text = " ".join(str(error).split())
        raise ConfigError(f"{where}: the entry {name!r} of clouds.yaml cannot be used: {text}") from error
    connections = http.pool(workers, str(region.config.get("auth", {}).get("auth_url") or ""))
    region._session_constructor = cast("Any", functools.partial(http.session, connections))
    return region, connections


def _missing(name: str, loader: Any) -> str:
    """Why there is no such entry."""
    files = [Path(file) for file in dict.fromkeys(map(str, loader._config_files))]
    for file in filter(Path.exists, files):
        if problem := _not_yaml(file):
            return problem
    if loader.config_filename is None:
        looked = ", ".join(str(file) for file in files if file.suffix == ".yaml")
        return f"no clouds.yaml with an entry {name!r} was found; looked at {looked}"
    names = sorted(set(loader.get_cloud_names()) - {"envvars", "defaults"})
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{loader.config_filename} has no entry {name!r}; {hint}there are {', '.join(map(repr, names)) or 'none'}"


def _not_yaml(file: Path) -> str | None:
    """What is wrong with a file that the loader has passed over; None when it can be read."""
    import yaml

    try:
        yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return f"{file} is not YAML{line}: {error.problem}"
    except (OSError, ValueError, yaml.YAMLError) as error:
        return f"{file} cannot be read: {type(error).__name__}"
    return None


def rescope(region: CloudRegion, project_id: str) -> CloudRegion:
    """The same credentials, for another project. Raises CloudError when they hold for one project only."""
    from keystoneauth1 import loading
    from openstack.config.cloud_region import CloudRegion

    kind = str(region.config.get("auth_type") or "password")
    if "applicationcredential" in kind.replace("_", ""):
        raise CloudError(
            f"the entry {region.name!r} of clouds.yaml is an application credential, which works in its own project "
            "only: use a password (or another credential of a user) for Pumphouse"
        )
    loader: Any = loading.get_plugin_loader(kind)
    if kind == "v3multifactor":
        loader._methods = region.config.get("auth_methods")
    options = {option.dest for option in loader.get_options()}
    if "project_id" not in options:
        raise CloudError(
            f"the entry {region.name!r} of clouds.yaml has auth_type {kind!r}, which cannot be scoped to a project: "
            "use a password (or another credential of a user) for Pumphouse"
        )
    config = copy.deepcopy(region.config)
    auth = {key: value for key, value in config["auth"].items() if key not in SCOPE}
    # A user named without a domain is of the default domain, if the entry has one.
    if "default_domain_id" in config["auth"]:
        auth["default_domain_id"] = config["auth"]["default_domain_id"]
    auth["project_id"] = project_id
    config["auth"] = auth
    return CloudRegion(
        name=region.name,
        region_name=region.region_name,
        config=config,
        auth_plugin=loader.load_from_options(**{key: auth[key] for key in auth if key in options}),
        session_constructor=region._session_constructor,
        discovery_cache=region.get_session()._discovery_cache,
    )
