"""Settings of a run, validated before anything starts."""

from pathlib import Path
from typing import NamedTuple

import jsonschema
import yaml

from workflow.base import selection
from workflow.base.environment import CPU
from workflow.base.files import UserError, meant
from workflow.base.grid import Seeds, part_signatures
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
    claims: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    device: str = CPU

    @property
    def seeds(self) -> Seeds:
        taken = (self.claims, self.changes, self.device)
        return Seeds(self.seed, self.seeds_at_most, self.subject, *taken)

    @property
    def folder(self) -> Path:
        """Of the results."""
        own = [folder_name(self.subject)] if self.subject else []
        if self.claims or self.changes:
            own = [selection.folder_name(self.claims, self.changes)]
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
    claims, changes = _taken(config, names)
    names = selection.papers_of(claims, changes) or names
    numbers = (config["seed"], config["seeds_at_most"])
    taken = (claims, changes, config.get("device", CPU))
    return Settings(config["tier"], names, *numbers, folder, subject, *taken)


def _taken(config: dict, names: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The chosen claims and the changes of a grid, with the names of their papers."""
    words = [
        selection.words_of(config.get(key, ""), separator)
        for key, separator in (("claims", ","), ("set", ";"))
    ]
    if not any(words):
        return (), ()
    if config["subject"]:
        raise UserError("config: subject: a network of your own takes neither claims nor set")
    claims = selection.resolved_claims(words[0], names)
    names = selection.papers_of(claims, ()) or names
    parts = {name: part_signatures(_experiment(name)) for name in names}
    return claims, selection.resolved_changes(words[1], names, parts)


def _experiment(name: str) -> Path:
    return ROOT / "replications" / name / "experiment.py"


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
