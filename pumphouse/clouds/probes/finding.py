"""One line of ``pumphouse check``, and how it comes about when a probe fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import RemedyError, explain, is_passing, status

OK = "ok"
WARNING = "warning"
FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """Something that was looked at."""

    #: "source", "destination", or "" for what concerns neither or both.
    cloud: str
    subject: str
    #: "ok", "warning" (a migration may work in part), "failed" (it will not).
    result: str
    detail: str
    #: What to do about it; "" where nothing is to be done.
    remedy: str = ""


Probe = Callable[[Cloud], Iterable[Finding]]


def run(probe: Probe, cloud: Cloud, subject: str) -> list[Finding]:
    """What a probe found. An exception is one more finding: the service's words, and what may help."""
    found: list[Finding] = []
    try:
        # One by one: what came before an exception counts.
        for finding in probe(cloud):
            found.append(finding)
    except Exception as error:
        found.append(failure(error, cloud, subject))
    return found


def failure(error: Exception, cloud: Cloud, subject: str) -> Finding:
    """A finding that something failed with an exception."""
    if isinstance(error, RemedyError):
        return Finding(cloud.role, subject, FAILED, error.what, error.remedy)
    return Finding(cloud.role, subject, FAILED, explain(error), remedy(error, cloud))


def remedy(error: Exception, cloud: Cloud) -> str:
    """What to try when a service answers with this."""
    code = status(error)
    if type(error).__name__ == "EndpointNotFound":
        return "check region_name and interface in clouds.yaml"
    if "certificate" in str(error).lower():
        return f"give the CA of the cloud as cacert in the entry {cloud.name!r} of clouds.yaml"
    if code == 401:
        return f"check the credentials in the entry {cloud.name!r} of clouds.yaml, and that the account is enabled"
    if code == 403:
        return needs_admin(cloud)
    if code == 404:
        return "check the endpoint in the catalogue of the cloud (openstack catalog list)"
    if is_passing(error):
        return "check that the service runs, and that its endpoint can be reached from here"
    return "look into the log of the service, by the request id if there is one"


def needs_admin(cloud: Cloud) -> str:
    """How an account becomes the administrator that is needed."""
    return (
        "give the account the role admin: "
        f"openstack role add --user {cloud.user_id} --project {cloud.project_id} admin (in the {cloud.role})"
    )
