"""Takes inventory.yaml to pieces, and finds what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pumphouse import yaml_file
from pumphouse.errors import UsageError
from pumphouse.hosts import drivers
from pumphouse.hosts.options import Option, Secret
from pumphouse.yaml_file import kind

#: What may stand at a host, and among the defaults of all.
OF_ALL = ("bmc", "provisioner", "source", "roles", "disks", "nics")
#: Which key names the driver, and where drivers of its kind are registered.
DRIVERS = {"bmc": ("kind", drivers.POWER), "provisioner": ("name", drivers.PROVISIONER)}
#: What `fixed` describes.
LAYOUTS = {"disks": "volumes", "nics": "networks"}

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
#: A name of a host is a name of a file, too.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,253}")
#: What makes two BMCs the same.
_SAME_BMC = ("address", "port", "system")

#: Name and options of a driver; kind, model and description of a layout.
Driver = tuple[str, dict[str, Any]]
Layout = tuple[str, str | None, dict[str, Any]]


class Reader(yaml_file.Reader):
    """Turns parsed YAML into what a Host is made of."""

    #: Passwords that stand in the file itself.
    plain_secrets = 0

    def hosts(self, data: Any) -> dict[str, dict[str, Any]]:
        """Name -> macs, bmc, source, provisioner, roles, disks, nics; defaults are applied. Raises ConfigError."""
        top = self.mapping(data, "", required=("hosts",), optional=("defaults",))
        defaults = self.defaults(top.get("defaults", {}), "defaults")
        if not isinstance(top["hosts"], dict):
            raise self.wrong("hosts", f"is {kind(top['hosts'])}; it must be a mapping of names to hosts")
        found = {}
        for name, said in top["hosts"].items():
            self.name(name)
            found[name] = self.host(said, f"hosts.{name}", defaults)
        self._each_once(found)
        return found

    def name(self, name: Any) -> None:
        """Whether a host may be called so."""
        if not isinstance(name, str):
            raise self.wrong(f"hosts.{name}", f"the name is {kind(name)}; allowed: a text; write it in quotes")
        if not _NAME.fullmatch(name):
            raise self.wrong("hosts", f"{name!r} is no name of a host; allowed: letters, digits, '.', '-' and '_'")

    def defaults(self, data: Any, path: str) -> dict[str, Any]:
        """What all hosts have unless they say otherwise; need not be complete."""
        found = self.mapping(data, path, required=(), optional=OF_ALL)
        for what in DRIVERS:
            if what in found:
                self.driver(found[what], f"{path}.{what}", what, complete=False)
        self.common(found, path)
        return found

    def host(self, data: Any, path: str, defaults: dict[str, Any]) -> dict[str, Any]:
        """One host."""
        own = self.mapping(data, path, required=("macs",), optional=OF_ALL)
        said = {**defaults, **own}
        for what, (key, _) in DRIVERS.items():
            if what in own and isinstance(own[what], dict):
                said[what] = _merged(own[what], defaults.get(what, {}), key)
        if "bmc" not in said:
            raise self.wrong(f"{path}.bmc", "this key is missing; a host that is switched by hand has {kind: none}")
        provisioner = said.get("provisioner")
        return {
            "macs": self.macs(own["macs"], f"{path}.macs"),
            "bmc": self.driver(said["bmc"], f"{path}.bmc", "bmc"),
            "provisioner": self.driver(provisioner, f"{path}.provisioner", "provisioner") if provisioner else None,
            **self.common(said, path),
        }

    def common(self, said: dict[str, Any], path: str) -> dict[str, Any]:
        """What needs no driver."""
        return {
            "source": self.option(said.get("source", False), f"{path}.source", Option("flag")),
            "roles": self.option(said.get("roles", ["compute"]), f"{path}.roles", Option("texts")),
            **{key: self.layout(said.get(key, "discovery"), f"{path}.{key}", key) for key in LAYOUTS},
        }

    def macs(self, data: Any, path: str) -> tuple[str, ...]:
        """At least one, in lower case."""
        allowed = 'allowed: a list such as ["52:54:00:aa:00:01"]'
        if not isinstance(data, list) or not data:
            raise self.wrong(path, f"is {kind(data) if data else 'empty'}; {allowed}")
        for number, mac in enumerate(data):
            if not isinstance(mac, str):
                # In YAML, 52:54:00:12:34:56 is a number to the base of sixty.
                raise self.wrong(f"{path}.{number}", f"is {kind(mac)}; write it in quotes; {allowed}")
            if not _MAC.fullmatch(mac.lower()):
                raise self.wrong(f"{path}.{number}", f"{mac!r} is no MAC; {allowed}")
        return tuple(mac.lower() for mac in data)

    def driver(self, data: Any, path: str, what: str, complete: bool = True) -> Driver:
        """A driver with a value for each of its options; ``complete``: whether required ones are missed."""
        key, group = DRIVERS[what]
        if not isinstance(data, dict) or not data.get(key):
            raise self.wrong(f"{path}.{key}", f"this key is missing; allowed: {', '.join(drivers.names(group))}")
        name = data[key]
        if name not in drivers.names(group):
            raise self.wrong(f"{path}.{key}", f"is something else; allowed: {', '.join(drivers.names(group))}")
        try:
            options: Mapping[str, Option] = drivers.find(group, name).OPTIONS
        except UsageError as error:
            raise self.wrong(f"{path}.{key}", str(error)) from error
        required = tuple(one for one, option in options.items() if option.required and complete)
        found = self.mapping(data, path, required=(key, *required), optional=tuple(options))
        values = {
            one: self.option(found[one], f"{path}.{one}", option) if found.get(one) is not None else option.default
            for one, option in options.items()
        }
        return name, values

    def option(self, value: Any, path: str, option: Option) -> Any:
        """A value as the driver gets it."""
        if option.kind == "secret":
            self.plain_secrets += isinstance(value, str)
            return Secret(self._short(self.secret(value, path), path, option))
        if option.kind == "number":
            if isinstance(value, bool) or not isinstance(value, int) or not option.least <= value <= option.most:
                raise self.wrong(
                    path, f"is {kind(value)}; allowed: a whole number from {option.least} to {option.most}"
                )
            return value
        if option.kind == "flag" or (option.kind == "text or flag" and isinstance(value, bool)):
            if not isinstance(value, bool):
                raise self.wrong(path, f"is {kind(value)}; allowed: true or false")
            return value
        if option.kind == "texts":
            if not isinstance(value, list) or not value:
                raise self.wrong(path, f"is {kind(value) if value else 'empty'}; allowed: a list of texts")
            return tuple(self.text(one, f"{path}.{number}", option) for number, one in enumerate(value))
        if option.kind == "mapping":
            return self.json(value, path)
        return self.text(value, path, option)

    def text(self, value: Any, path: str, option: Option) -> str:
        """Not empty, and one of those that there are."""
        allowed = ", ".join(option.choices) or ("a text, true or false" if option.kind == "text or flag" else "a text")
        if not isinstance(value, str) or not value:
            hint = "; write it in quotes" if isinstance(value, bool | int | float) else ""
            raise self.wrong(path, f"is {kind(value)}; allowed: {allowed}{hint}")
        if option.choices and value not in option.choices:
            raise self.wrong(path, f"is something else; allowed: {allowed}")
        return self._short(value, path, option)

    def json(self, value: Any, path: str) -> dict[str, Any]:
        """A mapping that can be sent as JSON."""
        if not isinstance(value, dict):
            raise self.wrong(path, f"is {kind(value)}; allowed: a mapping")
        self._jsonable(value, path)
        return value

    def layout(self, data: Any, path: str, what: str) -> Layout:
        """``discovery``, or a mapping that says more."""
        described = LAYOUTS[what]
        if data == "discovery":
            return "discovery", None, {}
        allowed = f"discovery, {{layout: discovery, from: HOST}}, or {{layout: fixed, {described}: ...}}"
        if not isinstance(data, dict) or data.get("layout") not in ("fixed", "discovery"):
            raise self.wrong(path, f"is something else; allowed: {allowed}")
        if data["layout"] == "discovery":
            found = self.mapping(data, path, required=("layout",), optional=("from",))
            model = found.get("from")
            return "discovery", self.text(model, f"{path}.from", Option("text")) if model else None, {}
        found = self.mapping(data, path, required=("layout", described))
        return "fixed", None, self._fixed(found[described], f"{path}.{described}", what)

    def _fixed(self, data: Any, path: str, what: str) -> dict[str, Any]:
        """Disks with sizes, or NICs with networks."""
        if not isinstance(data, dict) or not data:
            one = "disks: {sda: {os: 51200}}, in MiB" if what == "disks" else "NICs: {eth0: [admin]}"
            raise self.wrong(path, f"is {kind(data) if data else 'empty'}; allowed: a mapping of {one}")
        found: dict[str, Any] = {}
        for device, said in data.items():
            if what == "nics":
                found[str(device)] = self.option(said, f"{path}.{device}", Option("texts")) if said else ()
                continue
            if not isinstance(said, dict):
                raise self.wrong(f"{path}.{device}", f"is {kind(said)}; allowed: volumes with their sizes in MiB")
            found[str(device)] = {
                str(volume): self.option(size, f"{path}.{device}.{volume}", Option("number"))
                for volume, size in said.items()
            }
        return found

    def _jsonable(self, value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                if not isinstance(key, str):
                    raise self.wrong(f"{path}.{key}", f"the key is {kind(key)}; write it in quotes")
                self._jsonable(one, f"{path}.{key}")
        elif isinstance(value, list):
            for number, one in enumerate(value):
                self._jsonable(one, f"{path}.{number}")
        elif not isinstance(value, str | bool | int | float | None):
            raise self.wrong(path, f"is {kind(value)}; write it in quotes")

    def _short(self, value: str, path: str, option: Option) -> str:
        if len(value.encode()) > option.longest:
            raise self.wrong(path, f"is longer than {option.longest} bytes, and no more are allowed")
        return value

    def _each_once(self, found: dict[str, dict[str, Any]]) -> None:
        """Refuse that two hosts have one MAC or one BMC: who switches one would switch the other."""
        owners: dict[Any, str] = {}
        for name, said in found.items():
            kind_, options = said["bmc"]
            things = [(f"hosts.{name}.macs", mac) for mac in said["macs"]]
            if options.get("address"):
                things.append((f"hosts.{name}.bmc.address", (kind_, *(options.get(key) for key in _SAME_BMC))))
            for path, thing in things:
                if thing in owners:
                    what = thing if isinstance(thing, str) else "this BMC"
                    raise self.wrong(path, f"{what} is given twice: {owners[thing]} has it, too")
                owners[thing] = name


def _merged(own: dict[str, Any], default: dict[str, Any], key: str) -> dict[str, Any]:
    """What a host says of a driver, over the defaults; those of another driver do not count."""
    if own.get(key) not in (None, default.get(key)):
        return own
    return {**default, **own}
