"""Networks with all that Neutron knows; each thing once as it is by default and once otherwise."""

from __future__ import annotations

from tests.acceptance.clouds import Account, Json
from tests.acceptance.tenant.model import Tenant

OUTSIDE = {"cidr": "198.51.100.0/24", "gateway_ip": "198.51.100.1", "enable_dhcp": False}
#: Addresses outside: of the router, and of the floating IPs.
GATEWAY, FLOATING, UNUSED = "198.51.100.71", "198.51.100.72", "198.51.100.73"
HOME = "10.71.0.0/24"
#: A tag of VLANs that no other network of the lab asks for.
VLAN = 187


def outside(cloud: Account, name: str) -> str:
    """An external network of the operator's; its id."""
    made = cloud.network.post("/networks", "network", name=name, **{"router:external": True})
    cloud.network.post("/subnets", "subnet", name=name, network_id=made["id"], ip_version=4, **OUTSIDE)
    return str(made["id"])


class Networks:
    """Builds them, as the operator, in the tenant's project."""

    def __init__(self, source: Account, tenant: Tenant) -> None:
        self.cloud, self.tenant = source, tenant

    def build(self, external: str) -> None:
        """What is referred to comes first."""
        self._policies()
        self._pools()
        self._networks()
        self._subnets()
        self._groups()
        self._ports()
        self._routers(external)
        self._trunks()
        self._shared()

    def make(self, kind: str, short: str, path: str = "", key: str = "", **fields: object) -> Json:
        """Make something of the tenant's, under a name with its prefix."""
        path = path or "/" + kind.replace("_", "-") + "s"
        fields = {"name": self.tenant.call(f"@ {short} {kind}"), "project_id": self.tenant.project_id, **fields}
        return self.tenant.keep(kind, short, self.cloud.network.post(path, key or kind, **fields))

    def tag(self, collection: str, thing: Json) -> None:
        """Two tags, one of them with the run's prefix."""
        self.cloud.network.put(f"/{collection}/{thing['id']}/tags", tags=["b", self.tenant.call("@ étage 0")])

    def _id(self, kind: str, short: str) -> str:
        return self.tenant.id(kind, short)

    def _policies(self) -> None:
        self.make("qos_policy", "plain", "/qos/policies", "policy")
        policy = self.make("qos_policy", "flipped", "/qos/policies", "policy", description="langsam ½", shared=True)
        for rule, fields in {
            "bandwidth_limit": {"max_kbps": 9000, "max_burst_kbps": 900, "direction": "ingress"},
            "dscp_marking": {"dscp_mark": 26},
        }.items():
            self.cloud.network.post(f"/qos/policies/{policy['id']}/{rule}_rules", f"{rule}_rule", **fields)
        self.tag("policies", policy)

    def _pools(self) -> None:
        self.make("address_scope", "plain", ip_version=4)
        self.make("address_scope", "flipped", ip_version=6, shared=True)
        pools = ("/subnetpools", "subnetpool")
        self.make("subnet_pool", "plain", *pools, prefixes=["10.75.0.0/16"])
        pool = self.make(
            "subnet_pool",
            "flipped",
            *pools,
            prefixes=["fd71:0:0::/48", "fd72:0:0::/48"],
            default_prefixlen=60,
            min_prefixlen=56,
            max_prefixlen=72,
            address_scope_id=self._id("address_scope", "flipped"),
            default_quota=7,
            description="vorrätig",
            shared=True,
        )
        self.tag("subnetpools", pool)
        self.make("address_group", "plain", addresses=[])
        self.make("address_group", "flipped", addresses=["192.0.2.0/25", "fd73::/64"], description="Büros")

    def _networks(self) -> None:
        self.make("network", "plain")
        flipped = self.make(
            "network",
            "flipped",
            description="línea 'q'",
            admin_state_up=False,
            shared=True,
            port_security_enabled=False,
            mtu=1290,
            qos_policy_id=self._id("qos_policy", "flipped"),
            **{
                "provider:network_type": "vlan",
                "provider:physical_network": "physnet1",
                "provider:segmentation_id": VLAN,
            },
        )
        self.tag("networks", flipped)

    def _subnets(self) -> None:
        home = self._id("network", "plain")
        self.make("subnet", "plain", network_id=home, ip_version=4, cidr=HOME)
        four = self.make(
            "subnet",
            "flipped",
            network_id=self._id("network", "flipped"),
            ip_version=4,
            cidr="10.72.0.0/25",
            gateway_ip=None,
            enable_dhcp=False,
            description="vier",
            dns_nameservers=["10.72.0.9", "9.9.9.9"],
            host_routes=[{"destination": "192.168.78.0/24", "nexthop": "10.72.0.9"}],
            allocation_pools=[{"start": "10.72.0.40", "end": "10.72.0.49"}],
            service_types=["compute:nova", "network:dhcp"],
        )
        self.tag("subnets", four)
        self.make(
            "subnet",
            "flipped six",
            network_id=home,
            ip_version=6,
            subnetpool_id=self._id("subnet_pool", "flipped"),
            prefixlen=64,
            ipv6_address_mode="dhcpv6-stateless",
            ipv6_ra_mode="dhcpv6-stateless",
        )

    def _groups(self) -> None:
        plain = self.make("security_group", "plain")
        flipped = self.make("security_group", "flipped", description="ohne Gedächtnis", stateful=False)
        self.tag("security-groups", flipped)
        twin = [r for r in plain["security_group_rules"] if (r["direction"], r["ethertype"]) == ("egress", "IPv4")]
        self.tenant.ids["security_group_rule"] = {"plain": twin[0]["id"]}
        rules = {
            "flipped": {"protocol": "tcp", "port_range_min": 22, "port_range_max": 0x5000,
                        "remote_ip_prefix": "fd74::/32"},
            "flipped group": {"protocol": "udp", "remote_group_id": plain["id"]},
            "flipped address group": {"remote_address_group_id": self._id("address_group", "flipped")},
        }  # fmt: skip
        for short, fields in rules.items():
            fields |= {"direction": "ingress", "ethertype": "IPv6", "security_group_id": flipped["id"]}
            fields |= {"project_id": self.tenant.project_id, "description": self.tenant.call(f"@ {short} é")}
            made = self.cloud.network.post("/security-group-rules", "security_group_rule", **fields)
            self.tenant.ids["security_group_rule"][short] = made["id"]

    def _ports(self) -> None:
        home = self._id("network", "plain")
        self.make("port", "plain", network_id=home)
        flipped = self.make(
            "port",
            "flipped",
            network_id=home,
            mac_address="02:00:00:71:00:07",
            admin_state_up=False,
            description="línea ☃",
            fixed_ips=[
                {"subnet_id": self._id("subnet", "plain"), "ip_address": "10.71.0.70"},
                {"subnet_id": self._id("subnet", "plain"), "ip_address": "10.71.0.7"},
            ],
            security_groups=[self._id("security_group", "flipped")],
            allowed_address_pairs=[{"ip_address": "10.71.0.240/30", "mac_address": "00:00:5e:00:01:07"}],
            extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "é.0", "ip_version": 4}],
            qos_policy_id=self._id("qos_policy", "plain"),
            **{"binding:vnic_type": "baremetal"},
        )
        self.tag("ports", flipped)
        self.make("port", "flipped open", network_id=home, port_security_enabled=False, security_groups=[])
        for short, octet in {"server": 11, "second": 12, "bfv": 13, "trunk": 14}.items():
            self.make("port", short, network_id=home, fixed_ips=[{"ip_address": f"10.71.0.{octet}"}])
        self.make("network", "tagged")
        self.make("subnet", "tagged", network_id=self._id("network", "tagged"), ip_version=4, cidr="10.73.0.0/24")
        self.make("port", "sub", network_id=self._id("network", "tagged"))

    def _routers(self, external: str) -> None:
        network = self.cloud.network
        self.make("router", "plain")
        flipped = self.make(
            "router",
            "flipped",
            description='hinaus; "q"',
            external_gateway_info={
                "network_id": external,
                "enable_snat": False,
                "external_fixed_ips": [{"ip_address": GATEWAY}],
            },
        )
        subnet = self._id("subnet", "plain")
        network.put(f"/routers/{flipped['id']}/add_router_interface", subnet_id=subnet)
        self.tenant.ids["router_interface"] = {"flipped": f"{flipped['id']}/{subnet}"}
        routes = [{"destination": "192.168.79.0/24", "nexthop": "10.71.0.70"}]
        network.put(f"/routers/{flipped['id']}", "router", routes=routes, admin_state_up=False)
        self.tag("routers", flipped)
        ip = {"floating_network_id": external, "tenant_id": self.tenant.project_id}
        plain = network.post("/floatingips", "floatingip", floating_ip_address=UNUSED, **ip)
        used = network.post(
            "/floatingips",
            "floatingip",
            floating_ip_address=FLOATING,
            port_id=self._id("port", "flipped"),
            fixed_ip_address="10.71.0.7",
            description="www é",
            qos_policy_id=self._id("qos_policy", "flipped"),
            **ip,
        )
        self.tag("floatingips", used)
        self.tenant.keep("floating_ip", "plain", plain, "floating_ip_address")
        self.tenant.keep("floating_ip", "flipped", used, "floating_ip_address")

    def _trunks(self) -> None:
        self.make("trunk", "plain", port_id=self._id("port", "plain"))
        sub = {"port_id": self._id("port", "sub"), "segmentation_type": "vlan", "segmentation_id": 71}
        trunk = self.make("trunk", "flipped", port_id=self._id("port", "trunk"), description="Bündel",
                          admin_state_up=False, sub_ports=[])  # fmt: skip
        # a trunk that is down takes no sub-ports
        self.cloud.network.put(f"/trunks/{trunk['id']}", "trunk", admin_state_up=True)
        self.cloud.network.put(f"/trunks/{trunk['id']}/add_subports", sub_ports=[sub])
        self.cloud.network.put(f"/trunks/{trunk['id']}", "trunk", admin_state_up=False)
        self.tag("trunks", trunk)

    def _shared(self) -> None:
        """The network of the servers may be used by the project below."""
        made = self.cloud.network.post(
            "/rbac-policies",
            "rbac_policy",
            object_type="network",
            object_id=self._id("network", "plain"),
            action="access_as_shared",
            target_tenant=self._id("project", "flipped"),
            project_id=self.tenant.project_id,
        )
        self.tenant.keep("rbac_policy", "flipped", made, "id")
