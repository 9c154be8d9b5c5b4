"""Writes a configuration as the YAML file that would be read as this configuration.

Knows which settings differ from their defaults, and leaves out the others. Does not keep comments: it never saw them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
import yaml

from simulator.gateway.configuration import Configuration


def as_yaml(configuration: Configuration) -> str:
    """The text of a file; paths in it are absolute, for they were made so when they were read."""
    plain = _plain(msgspec.structs.replace(configuration, warnings=()))

    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: _plain(getattr(value, field.name))
            for field in msgspec.structs.fields(type(value))
            if field.required or getattr(value, field.name) != _default(field)
        }

    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]

    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}

    return value.value if isinstance(value, Enum) else value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
