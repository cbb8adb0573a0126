"""The services' settings: one module a service, each a function from a cloud to sections."""

from .files import settings_files

__all__ = ["settings_files"]
