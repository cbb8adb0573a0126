"""What all of them derive from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: A name or an id in a cloud.
Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
#: How many can be named of one type.
MOST = 1000
Names = Annotated[list[Name], Field(max_length=MOST)]


class Body(BaseModel):
    """What is sent to us: a field that we do not know is an error, as it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")


class Query(BaseModel):
    """The part of a URL after the question mark."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What we send."""

    model_config = ConfigDict(from_attributes=True)


class Listed(Answer):
    """What all lists have beside their ``items``."""

    next: str | None = Field(None, description="The path of the next part; null at the end")
    total: int | None = Field(None, description="How many there are in all, where that is known")


class FieldError(Answer):
    """One field that is wrong."""

    field: str = Field(description="Its path; empty for the whole")
    detail: str


class ProblemAnswer(Answer):
    """Every error (RFC 9457)."""

    type: str = Field(description="A URI reference of the code")
    title: str
    status: int
    code: str = Field(description="What programs decide by: it stays")
    detail: str = Field(description="What is wrong, in one sentence")
    remedy: str = Field("", description="What to do about it")
    field: str | None = Field(None, description="The path of the field that is wrong")
    errors: list[FieldError] | None = Field(None, description="All fields that are wrong")
