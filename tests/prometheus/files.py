"""The files that these tests are about."""

import pathlib

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus"


def rule_files():
    return {path.name: yaml.safe_load(path.read_text()) for path in RULES.glob("rules/*.yaml")}


def rules(kind):
    """Every rule of that kind ("alert" or "record"), by name."""
    found = [rule for content in rule_files().values() for group in content["groups"]
             for rule in group["rules"] if kind in rule]
    assert len({rule[kind] for rule in found}) == len(found), "two rules have one name"
    return {rule[kind]: rule for rule in found}
