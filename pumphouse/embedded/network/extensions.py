"""The extensions of the Networking API that each of the two releases has, as they tell them."""

from __future__ import annotations

from pumphouse.embedded.service import Json

#: alias | the backend that has it | when it was last changed | name | description
_TABLE = """
address-group | both | 2020-07-15T10:00:00-00:00 | Address group | Support address group
address-scope | both | 2015-07-26T10:00:00-00:00 | Address scope | Address scopes extension.
agent | both | 2013-02-03T10:00:00-00:00 | agent | The agent management extension.
agent-resources-synced | linuxbridge | 2018-12-19T00:00:00-00:00 | Agent's Resource View Synced to Placement | Stores success/failure of last sync to Placement
allowed-address-pairs | both | 2013-07-23T10:00:00-00:00 | Allowed Address Pairs | Provides allowed address pairs
auto-allocated-topology | both | 2016-01-01T00:00:00-00:00 | Auto Allocated Topology Services | Auto Allocated Topology Services.
availability_zone | both | 2015-01-01T10:00:00-00:00 | Availability Zone | The availability zone extension.
availability_zone_filter | linuxbridge | 2018-06-22T10:00:00-00:00 | Availability Zone Filter Extension | Add filter parameters to AvailabilityZone resource
binding | both | 2014-02-03T10:00:00-00:00 | Port Binding | Expose port bindings of a virtual port to external application
binding-extended | both | 2017-07-17T10:00:00-00:00 | Port Bindings Extended | Expose port bindings of a virtual port to external application
default-subnetpools | both | 2016-02-18T18:00:00-00:00 | Default Subnetpools | Provides ability to mark and use a subnetpool as the default.
dhcp_agent_scheduler | both | 2013-02-07T10:00:00-00:00 | DHCP Agent Scheduler | Schedule networks among dhcp agents
dns-domain-ports | ovn | 2017-04-24T10:00:00-00:00 | dns_domain for ports | Allows the DNS domain to be specified for a network port.
dns-integration | ovn | 2015-08-15T18:00:00-00:00 | DNS Integration | Provides integration with DNS.
dns-integration-domain-keywords | ovn | 2020-06-15T18:00:00-00:00 | DNS domain names with keywords allowed | Allows to use keywords like <project_id>, <project_name>, <user_id> and <user_name> as DNS domain name
dvr | linuxbridge | 2014-06-1T10:00:00-00:00 | Distributed Virtual Router | Enables configuration of Distributed Virtual Routers.
empty-string-filtering | both | 2018-05-01T10:00:00-00:00 | Empty String Filtering Extension | Allow filtering by attributes with empty string value
enable-default-route-bfd | ovn | 2023-02-27T00:00:00-00:00 | Enable Default Route BFD | Enables configurable BFD behavior for default routes
enable-default-route-ecmp | ovn | 2023-02-27T00:00:00-00:00 | Enable Default Route ECMP | Enables configurable ECMP behavior for default routes
ext-gw-mode | both | 2013-03-28T10:00:00-00:00 | Neutron L3 Configurable external gateway mode | Extension of the router abstraction for specifying whether SNAT should occur on the external gateway
external-gateway-multihoming | ovn | 2023-01-18T00:00:00-00:00 | Neutron L3 External Gateway Multihoming | Allow multiple external gateway ports per router
external-net | both | 2013-01-14T10:00:00-00:00 | Neutron external network | Adds external network attribute to network resource.
extra_dhcp_opt | both | 2013-03-17T12:00:00-00:00 | Neutron Extra DHCP options | Extra options configuration for DHCP. For example PXE boot options to DHCP clients can be specified (e.g. tftp-server, server-ip-address, bootfile-name)
extraroute | both | 2013-02-01T10:00:00-00:00 | Neutron Extra Route | Extra routes configuration for L3 router
extraroute-atomic | both | 2019-07-10T00:00:00+00:00 | Atomically add/remove extra routes | Edit extra routes of a router on server side by atomically adding/removing extra routes
filter-validation | both | 2018-07-04T10:00:00-00:00 | Filter parameters validation | Provides validation on filter parameters.
fip-port-details | both | 2018-04-09T10:00:00-00:00 | Floating IP Port Details Extension | Add port_details attribute to Floating IP resource
flavors | both | 2015-09-17T10:00:00-00:00 | Neutron Service Flavors | Flavor specification for Neutron advanced services.
floating-ip-port-forwarding-detail | both | 2022-05-06T10:00:00-00:00 | Floating IP port forwarding detail | Allow list floating ip return more port forwarding data, include'id' and 'internal_port_id'
floatingip-pools | both | 2018-03-21T10:00:00-00:00 | Floating IP Pools Extension | Provides a floating IP pools API.
ip-substring-filtering | linuxbridge | 2017-11-28T09:00:00-00:00 | IP address substring filtering | Provides IP address substring filtering when listing ports
l3-flavors | both | 2016-05-17T00:00:00-00:00 | Router Flavor Extension | Flavor support for routers.
l3-ha | both | 2014-04-26T00:00:00-00:00 | HA Router extension | Adds HA capability to routers.
l3-port-ip-change-not-allowed | linuxbridge | 2018-10-09T10:00:00-00:00 | Prevent L3 router ports IP address change extension | Prevent change of IP address for some L3 router ports
l3_agent_scheduler | linuxbridge | 2013-02-07T10:00:00-00:00 | L3 Agent Scheduler | Schedule routers among l3 agents
multi-provider | both | 2013-06-27T10:00:00-00:00 | Multi Provider Network | Expose mapping of virtual networks to multiple physical networks
net-mtu | both | 2015-03-25T10:00:00-00:00 | Network MTU | Provides MTU attribute for a network resource.
net-mtu-writable | both | 2017-07-12T00:00:00-00:00 | Network MTU (writable) | Provides a writable MTU attribute for a network resource.
network-ip-availability | both | 2015-09-24T00:00:00-00:00 | Network IP Availability | Provides IP availability data for each network and subnet.
network-ip-availability-details | ovn | 2025-10-31T00:00:00-00:00 | Network IP Availability Details Extension | Add ip_availability_details attribute to network-ip-availabilities resource.
network_availability_zone | both | 2015-01-01T10:00:00-00:00 | Network Availability Zone | Availability zone support for network.
pagination | both | 2016-06-12T00:00:00-00:00 | Pagination support | Extension that indicates that pagination is enabled.
port-device-profile | both | 2020-12-17T10:00:00-00:00 | Port device profile | Expose the port device profile (Cyborg)
port-mac-address-regenerate | both | 2018-05-03T10:00:00-00:00 | Neutron Port MAC address regenerate | Network port MAC address regenerate
port-mac-override | linuxbridge | 2022-03-18T10:00:00-00:00 | Neutron Port MAC address override | Allow overriding the MAC address of a direct-physical Port via the active binding profile
port-numa-affinity-policy | both | 2020-07-08T10:00:00-00:00 | Port NUMA affinity policy | Expose the port NUMA affinity policy
port-numa-affinity-policy-socket | ovn | 2024-02-09T10:00:00-00:00 | Port NUMA affinity policy "socket" | Adds "socket" to the supported port NUMA affinity policies
port-resource-request | both | 2018-05-08T10:00:00-00:00 | Port Resource Request | Expose resource request to Port
port-resource-request-groups | both | 2021-08-02T10:00:00-00:00 | Port Resource Request Groups | Support requesting multiple groups of resources and traits from the same RP subtree in resource_request
port-security | both | 2012-07-23T10:00:00-00:00 | Port Security | Provides port security
port-security-groups-filtering | linuxbridge | 2018-01-09T09:00:00-00:00 | Port filtering on security groups | Provides security groups filtering when listing ports
project-id | both | 2016-09-09T09:09:09-09:09 | project_id field enabled | Extension that indicates that project_id field is enabled.
provider | both | 2012-09-07T10:00:00-00:00 | Provider Network | Expose mapping of virtual networks to physical networks
qinq | ovn | 2024-12-02T10:00:00-00:00 | QinQ networks | Expose network 'qinq' attribute in the API. This allows to configure network to allow vlan in vlan configuration using 0x8a88 ethertype (QinQ).
qos | both | 2015-06-08T10:00:00-00:00 | Quality of Service | The Quality of Service extension.
qos-bw-limit-direction | both | 2017-04-10T10:00:00-00:00 | Direction for QoS bandwidth limit rule | Allow to configure QoS bandwidth limit rule with specific direction: ingress or egress
qos-bw-minimum-ingress | both | 2018-07-09T10:00:00-00:00 | Ingress direction for QoS minimum bandwidth rule | Allow to configure QoS minumum bandwidth rule with ingress direction.
qos-default | both | 2017-041-06T10:00:00-00:00 | QoS default policy | Expose the QoS default policy per project
qos-fip | both | 2017-07-20T00:00:00-00:00 | Floating IP QoS | The floating IP Quality of Service extension
qos-gateway-ip | both | 2018-02-24T00:00:00-00:00 | Router gateway IP QoS | The Router gateway IP Quality of Service extension
qos-port-network-policy | both | 2019-11-01T10:00:00-00:00 | QoS port network policy ID | Adds a the QoS network ID to the port definition
qos-pps | both | 2021-05-12T10:00:00-00:00 | QoS Rule Type Packet per Second Extension | Add QoS Rule Type Packet per Second
qos-pps-minimum | both | 2021-07-14T10:00:00-00:00 | QoS minimum packet rate rule | Allow to configure QoS minimum packet rate rule.
qos-pps-minimum-rule-alias | both | 2021-10-22T10:00:00-00:00 | QoS minimum packet rate rule alias | API to enable GET, PUT and DELETE operations on QoS minimum packet rate rule without specifying policy ID
qos-rule-type-details | both | 2017-06-22T10:00:00-00:00 | Details of QoS rule types | Expose details about QoS rule types supported by loaded backend drivers
qos-rule-type-filter | both | 2022-02-02T10:00:00-00:00 | Allow to filter the list of QoS rule types | Allows to filter the QoS rule type list adding two new flags. "all_rules" prints all implemented QoS rule types."all_supported" prints all supported QoS rule types by the loaded mechanism drivers
qos-rules-alias | both | 2018-10-07T10:00:00-00:00 | Quality of Service rules alias API | API to enable GET, PUT and DELETE operations on QoS policy rules without specifying policy ID
quota-check-limit | both | 2021-09-08T16:00:00-00:00 | Quota engine limit check | Support for checking the resource usage before applying a new quota limit
quota-check-limit-default | ovn | 2024-08-21T16:00:00-00:00 | Quota engine limit check by default | By default, the Neutron quota engine checks the resource usage before applying a new quota limit
quota_details | both | 2017-02-10T10:00:00-00:00 | Quota details management support | Expose functions for quotas usage statistics per project
quotas | both | 2012-07-29T10:00:00-00:00 | Quota management support | Expose functions for quotas management per project
rbac-address-group | linuxbridge | 2021-01-20T00:00:00-00:00 | Add address_group type to RBAC | Add address_group type to network RBAC
rbac-address-scope | both | 2020-02-12T00:00:00-00:00 | Add address_scope type to RBAC | Add address_scope type to RBAC
rbac-policies | both | 2015-06-17T12:15:12-00:00 | RBAC Policies | Allows creation and modification of policies that control tenant access to resources.
rbac-security-groups | both | 2019-02-14T00:00:00-00:00 | Add security_group type to network RBAC | Add security_group type to network RBAC
rbac-subnetpool | linuxbridge | 2020-02-05T00:00:00-00:00 | Add subnetpool type to RBAC | Add subnetpool type to RBAC
revision-if-match | both | 2016-12-11T00:00:00-00:00 | If-Match constraints based on revision_number | Extension indicating that If-Match based on revision_number is supported.
router | both | 2012-07-20T10:00:00-00:00 | Neutron L3 Router | Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks via a NAT gateway.
router-admin-state-down-before-update | linuxbridge | 2019-07-02T15:56:00 | Enforce Router's Admin State Down Before Update Extension | Ensure that the admin state of a router is DOWN (admin_state_up=False) before updating the distributed attribute
router-enable-snat | ovn | 2025-09-18T18:00:00-00:00 | Exposes the router "enable_snat" read-only configuration flag | Exposes the router "enable_snat" read-only configuration flag
router_availability_zone | both | 2015-01-01T10:00:00-00:00 | Router Availability Zone | Availability zone support for router.
security-group | both | 2012-10-05T10:00:00-00:00 | security-group | The security groups extension.
security-groups-default-rules | ovn | 2022-12-19T10:00:00-00:00 | Default rules for security groups | Configure set of security group rules used as default rules for every new security group
security-groups-normalized-cidr | both | 2020-07-28T10:00:00-00:00 | Normalized CIDR field for security group rules | Add new field with normalized remote_ip_prefix cidr in SG rule
security-groups-remote-address-group | both | 2020-08-25T10:00:00-00:00 | Remote address group id field for security group rules | Add new field of remote address group id in SG rules
security-groups-rules-belongs-to-default-sg | ovn | 2023-05-23T10:00:00-00:00 | Security group rule belongs to the project's default security group | Flag to determine if the security group rule belongs to the project's default security group
security-groups-shared-filtering | both | 2021-10-05T09:00:00-00:00 | Security group filtering on the shared field | Support filtering security groups on the shared field
service-type | both | 2013-01-20T00:00:00-00:00 | Neutron Service Type Management | API for retrieving service providers for Neutron advanced services
sorting | both | 2016-06-12T00:00:00-00:00 | Sorting support | Extension that indicates that sorting is enabled.
standard-attr-description | both | 2016-02-10T10:00:00-00:00 | standard-attr-description | Extension to add descriptions to standard attributes
standard-attr-revisions | both | 2016-04-11T10:00:00-00:00 | Resource revision numbers | This extension will display the revision number of neutron resources.
standard-attr-tag | both | 2017-01-01T00:00:00-00:00 | Tag support for resources with standard attribute: port, subnet, subnetpool, network, security_group, router, floatingip, policy, trunk, network_segment_range | Enables to set tag on resources with standard attribute.
standard-attr-timestamp | both | 2016-09-12T10:00:00-00:00 | Resource timestamps | Adds created_at and updated_at fields to all Neutron resources that have Neutron standard attributes.
stateful-security-group | both | 2019-11-26T09:00:00-00:00 | Stateful security group | Indicates if the security group is stateful or not
subnet-dns-publish-fixed-ip | ovn | 2019-05-24T10:00:00-00:00 | Subnet DNS publish fixed IP | Support choosing to publish DNS records for IPs from a subnet
subnet-external-network | ovn | 2024-02-05T18:00:00-00:00 | Subnet belongs to an external network | Informs if the subnet belongs to an external network
subnet-service-types | both | 2016-03-15T18:00:00-00:00 | Subnet service types | Provides ability to set the subnet service_types field
subnet_allocation | both | 2015-03-30T10:00:00-00:00 | Subnet Allocation | Enables allocation of subnets from a subnet pool
subnet_onboard | linuxbridge | 2018-12-18T09:00:00-00:00 | Subnet Onboard | Provides support for onboarding subnets into subnet pools
subnetpool-prefix-ops | both | 2019-02-08T10:00:00-00:00 | Subnet Pool Prefix Operations | Provides support for adjusting the prefix list of subnet pools
tag-creation | ovn | 2024-23-07T10:00:00-00:00 | Tag creation extension | Allow to create multiple tags for a resource
trunk | both | 2016-01-01T10:00:00-00:00 | Trunk Extension | Provides support for trunk ports
trunk-details | both | 2016-01-01T10:00:00-00:00 | Trunk port details | Expose trunk port details
vlan-transparent | ovn | 2015-03-23T09:00:00-00:00 | Vlantransparent | Provides Vlan Transparent Networks
"""  # noqa: E501 (one a line)


def extensions(backend: str) -> dict[str, Json]:
    """alias -> extension as the API shows it, of a cloud with this backend."""
    found = {}
    for line in _TABLE.strip().splitlines():
        alias, where, updated, name, description = line.split(" | ")
        if where in ("both", backend):
            found[alias] = {"name": name, "alias": alias, "description": description, "updated": updated, "links": []}
    return found
