"""Microversions: which one a request speaks, and the documents that tell the versions."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from werkzeug.datastructures import Headers

from pumphouse.embedded.releases import Release
from pumphouse.embedded.service import RefusedError

Version = tuple[int, int]

LOWEST: Version = (2, 1)
UPDATED = "2013-07-23T11:33:21Z"
#: Release -> how the version before microversions is told.
LEGACY = {
    "zed": {"status": "SUPPORTED", "updated": "2011-01-21T11:33:21Z"},
    "2026.1": {"status": "DEPRECATED", "updated": "2025-07-04T12:00:00Z"},
}


def dotted(version: Version) -> str:
    """(2, 90) -> "2.90"."""
    return "{}.{}".format(*version)


def asked(headers: Headers, newest: Version) -> Version:
    """Of a request. Refuses what is none, or what this release does not speak."""
    told = headers.get("X-OpenStack-Nova-API-Version")
    for part in headers.get("OpenStack-API-Version", "").split(","):
        service, _, number = part.strip().partition(" ")
        if service.lower() == "compute":
            told = number
    if not told:
        return LOWEST
    if told == "latest":
        return newest
    if not (match := re.fullmatch(r"([1-9]\d*)\.([1-9]\d*|0)", told)):
        message = f"API Version String {told} is of invalid format. Must be of format MajorNum.MinorNum."
        raise RefusedError(400, message)
    version = (int(match[1]), int(match[2]))
    if not LOWEST <= version <= newest:
        message = (
            f"Version {told} is not supported by the API. Minimum is {dotted(LOWEST)} and maximum is {dotted(newest)}."
        )
        raise RefusedError(406, message)
    return version


def told(version: Version) -> dict[str, str]:
    """In the headers of an answer."""
    return {
        "OpenStack-API-Version": f"compute {dotted(version)}",
        "X-OpenStack-Nova-API-Version": dotted(version),
        "Vary": "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
    }


def described(release: Release, url: str) -> dict[str, Any]:
    """Version 2.1, as it tells of itself at its own address."""
    version = _current(release, url)
    version["links"].append({"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"})
    type_ = "application/vnd.openstack.compute+json;version=2.1"
    return {"version": {**version, "media-types": [{"base": "application/json", "type": type_}]}}


def listed(release: Release, url: str) -> dict[str, Any]:
    """All versions, as they are told at the root."""
    links = [{"rel": "self", "href": f"{url}/v2/"}]
    legacy = LEGACY[release.name]
    old = {"id": "v2.0", "status": legacy["status"], "version": "", "min_version": "", "updated": legacy["updated"]}
    return {"versions": [{**old, "links": links}, _current(release, url)]}


def _current(release: Release, url: str) -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": dotted(release.compute),
        "min_version": dotted(LOWEST),
        "updated": UPDATED,
        "links": [{"rel": "self", "href": f"{url}/v2.1/"}],
    }


def query_int(name: str) -> int | None:
    """A number of the query. Refuses what is none, or below zero."""
    given = request.args.get(name)
    if given is None:
        return None
    if not re.fullmatch("[0-9]*", given):
        message = f"Invalid input for query parameters {name}. Value: {given}. '{given}' does not match '^[0-9]*$'"
        raise RefusedError(400, message)
    return int(given or 0)
