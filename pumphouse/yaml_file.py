"""What every YAML file of ours has in common: it is read strictly, and complaints are one line.

Such a line names the file, the path of the key, what is wrong with it and what is allowed. A secret is never part of
one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import yaml

from pumphouse.errors import ConfigError


def parse(file: Path) -> Any:
    """What a file holds, not judged yet. Raises ConfigError."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text (byte {error.start})") from None
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 (derived from SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        # Without `from error`: the exception holds the text around the mark, which may be a secret.
        raise ConfigError(f"{file}: {where}this is not YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise ConfigError(f"{file}: this is not YAML: it has characters that are not allowed") from None


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, where YAML's own loader would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A dict, each key once."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class Reader:
    """Takes parsed YAML to pieces; knows the file for its complaints and for paths relative to it."""

    def __init__(self, file: Path) -> None:
        """``file``: what was parsed."""
        self.file = file

    def secret(self, value: Any, path: str) -> str:
        """A string, ``{env: NAME}`` or ``{file: PATH}``; a file's last line end is not part of it."""
        allowed = "a string, {env: NAME} or {file: PATH}"
        sources: dict[str, Callable[[str, str], str]] = {"env": self.from_env, "file": self.from_file}
        if isinstance(value, dict):
            if len(value) != 1 or (key := next(iter(value))) not in sources:
                keys = ", ".join(map(repr, value)) or "nothing"
                raise self.wrong(path, f"is a mapping of {keys}; allowed: {allowed}")
            if not isinstance(value[key], str) or not value[key]:
                raise self.wrong(f"{path}.{key}", f"is {kind(value[key])}; allowed: a name")
            value = sources[key](value[key], f"{path}.{key}")
        if not isinstance(value, str):
            raise self.wrong(path, f"is {kind(value)}; allowed: {allowed}")
        if not value.strip():
            raise self.wrong(path, f"is empty; allowed: {allowed}")
        return value

    def from_env(self, name: str, path: str) -> str:
        """The value of an environment variable."""
        if name not in os.environ:
            raise self.wrong(path, f"the environment has no variable {name}; set it, or give the value elsewhere")
        return os.environ[name]

    def from_file(self, name: str, path: str) -> str:
        """The text of a file, whose name may be relative to ours."""
        file = self.file.absolute().parent / Path(name).expanduser()
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise self.wrong(path, f"{file} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self.wrong(path, f"{file} is not UTF-8 text") from None

    def mapping(
        self, data: Any, path: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """``data`` if it is a mapping with the required keys and no unknown ones."""
        known = (*required, *optional)
        allowed = f"allowed: {', '.join(known)}"
        if not isinstance(data, dict):
            what = "the file" if not path else "this"
            raise self.wrong(path, f"{what} is {kind(data)}; it must be a mapping, {allowed}")
        for key in data:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise self.wrong(f"{path}.{key}".lstrip("."), f"there is no such key; {hint}{allowed}")
        for key in required:
            if key not in data:
                raise self.wrong(f"{path}.{key}".lstrip("."), f"this key is missing; {allowed}")
        return cast("dict[str, Any]", data)

    def wrong(self, path: str, why: str) -> ConfigError:
        """The complaint about the key at ``path``; about the whole file where that is empty."""
        return ConfigError(f"{self.file}: {path}: {why}" if path else f"{self.file}: {why}")


def kind(value: Any) -> str:
    """The kind of a value in YAML's words; not the value, which may be a secret."""
    for type_, name in (
        (type(None), "empty"),
        (bool, "true or false"),
        (int | float, "a number"),
        (dict, "a mapping"),
        (list, "a list"),
        (str, "empty" if not value else "a string"),
    ):
        if isinstance(value, type_):
            return name
    return f"a {type(value).__name__}"
