"""Every resource type that Pumphouse carries, in an order in which they can be made."""

from __future__ import annotations

from pumphouse.resources.base import ResourceType
from pumphouse.resources.compute.flavor import Flavor
from pumphouse.resources.compute.flavor_access import FlavorAccess
from pumphouse.resources.compute.keypair import Keypair
from pumphouse.resources.compute.quota import ComputeQuota
from pumphouse.resources.compute.server import Server
from pumphouse.resources.compute.server_group import ServerGroup
from pumphouse.resources.identity.assignment import Assignment
from pumphouse.resources.identity.credential import Credential
from pumphouse.resources.identity.domain import Domain
from pumphouse.resources.identity.group import Group
from pumphouse.resources.identity.implied_role import ImpliedRole
from pumphouse.resources.identity.membership import Membership
from pumphouse.resources.identity.opening import Opening
from pumphouse.resources.identity.project import Project
from pumphouse.resources.identity.role import Role
from pumphouse.resources.identity.user import User
from pumphouse.resources.image.image import Image
from pumphouse.resources.image.member import ImageMember
from pumphouse.resources.network.address_group import AddressGroup
from pumphouse.resources.network.address_scope import AddressScope
from pumphouse.resources.network.floating_ip import FloatingIP
from pumphouse.resources.network.network import Network
from pumphouse.resources.network.port import Port
from pumphouse.resources.network.qos_policy import QosPolicy
from pumphouse.resources.network.quota import NetworkQuota
from pumphouse.resources.network.rbac_policy import RbacPolicy
from pumphouse.resources.network.router import Router
from pumphouse.resources.network.router_interface import RouterInterface
from pumphouse.resources.network.security_group import SecurityGroup
from pumphouse.resources.network.security_group_rule import SecurityGroupRule
from pumphouse.resources.network.subnet import Subnet
from pumphouse.resources.network.subnet_pool import SubnetPool
from pumphouse.resources.network.trunk import Trunk
from pumphouse.resources.volume.qos_spec import QosSpec
from pumphouse.resources.volume.quota import VolumeQuota
from pumphouse.resources.volume.volume import Volume
from pumphouse.resources.volume.volume_snapshot import VolumeSnapshot
from pumphouse.resources.volume.volume_type import VolumeType
from pumphouse.resources.volume.volume_type_access import VolumeTypeAccess
from pumphouse.resources.volume.volume_type_encryption import VolumeTypeEncryption
from pumphouse.resources.volume.volume_type_qos import VolumeTypeQos

_ALL: tuple[ResourceType, ...] = (
    Domain(),
    Project(),
    Role(),
    ImpliedRole(),
    User(),
    Group(),
    Membership(),
    Assignment(),
    Credential(),
    Flavor(),
    FlavorAccess(),
    Keypair(),
    Image(),
    ImageMember(),
    QosPolicy(),
    AddressScope(),
    SubnetPool(),
    AddressGroup(),
    Network(),
    Subnet(),
    SecurityGroup(),
    SecurityGroupRule(),
    Router(),
    RouterInterface(),
    Port(),
    Trunk(),
    FloatingIP(),
    RbacPolicy(),
    QosSpec(),
    VolumeType(),
    VolumeTypeQos(),
    VolumeTypeEncryption(),
    VolumeTypeAccess(),
    ComputeQuota(),
    VolumeQuota(),
    NetworkQuota(),
    Volume(),
    VolumeSnapshot(),
    ServerGroup(),
    Server(),
)
TYPES: dict[str, ResourceType] = {type_.type: type_ for type_ in _ALL}
#: What Pumphouse may make for a while only, and removes again.
TEMPORARY: dict[str, ResourceType] = {**TYPES, Opening.type: Opening()}
