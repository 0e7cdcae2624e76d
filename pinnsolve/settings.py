"""What the command line says of parameters: NAME=VALUE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def parsed_settings(settings: list[str] | None) -> dict[str, str]:
    """Return ``NAME=VALUE`` options as a mapping."""
    parsed: dict[str, str] = {}
    for item in settings or []:
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise ValueError(
                f"--set needs NAME=VALUE, got {item!r}; for example --set reynolds=100"
            )
        if name in parsed:
            raise ValueError(f"--set gives {name!r} twice; keep one")
        parsed[name] = value
    return parsed


def settings_along(through: str | None, settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the settings of the problems that are solved before the one that is wanted."""
    if through is None:
        return
    name, equals, values = through.partition("=")
    if not (name and equals and all(values.split(","))):
        raise ValueError(
            f"--through needs NAME=VALUE,VALUE..., got {through!r}; for example --through reynolds=100,400"
        )
    yield from ({**settings, name: value} for value in values.split(","))
