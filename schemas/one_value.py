"""YAML in which a key stands once. Enters: a YAML stream, by yaml.load. Leaves: its value, or an error where a key is written twice: the first would be lost without a word."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class OneValueLoader(yaml.SafeLoader):
    """A YAML loader for which a key written twice is an error, not a silent overwrite."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):  # which the parent refuses
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is written twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
