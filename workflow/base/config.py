"""Settings of a run, validated before anything starts."""

from pathlib import Path
from typing import NamedTuple

import jsonschema
import yaml

from workflow.base.files import UserError, meant
from workflow.base.grid import Seeds
from workflow.base.subject import STAND, folder_name, parts_of
from workflow.base.tree import ROOT, replications

SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"


class Settings(NamedTuple):
    tier: str
    replications: list[str]
    seed: int
    seeds_at_most: int
    data_dir: str
    subject: str

    @property
    def seeds(self) -> Seeds:
        return Seeds(self.seed, self.seeds_at_most, self.subject)

    @property
    def folder(self) -> Path:
        """Of the results."""
        own = (folder_name(self.subject),) if self.subject else ()
        return Path("results", *own, self.tier)


def settings(config: dict) -> Settings:
    """Check `config` against the schema; an error is one line with the key and what it takes."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    known = schema["properties"]
    for key in config:
        if key not in known:
            raise UserError(f"config: unknown key {key!r}{meant(key, known)}")
    for error in jsonschema.Draft202012Validator(schema).iter_errors(config):
        key = error.absolute_path[0] if error.absolute_path else "(top level)"
        raise UserError(f"config: {key}: {error.message}")
    folder = config["data_dir"]
    if folder and not Path(folder).is_dir():
        raise UserError(f"config: data_dir: {folder!r} is no folder")
    names, subject = _selected(config["replications"]), config["subject"]
    if subject:
        names = _on_the_stand(subject, config["replications"])
    return Settings(config["tier"], names, config["seed"], config["seeds_at_most"], folder, subject)


def _on_the_stand(subject: str, chosen: str | list[str]) -> list[str]:
    """The one replication of a run with a subject, whose name and file are looked at."""
    folder_name(subject)
    parts_of(subject)
    if chosen not in ("all", STAND, [STAND]):
        raise UserError(f"config: replications: found {chosen!r}; a subject is for {STAND} alone")
    return [STAND]


def _selected(chosen: str | list[str]) -> list[str]:
    present = replications()
    if chosen == "all":
        return present
    names = [name.strip() for name in (chosen.split(",") if isinstance(chosen, str) else chosen)]
    for name in names:
        if name not in present:
            raise UserError(f"config: replications: unknown {name!r}{meant(name, present)}")
    return sorted(set(names))
