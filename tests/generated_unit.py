"""One generated article that conforms, derived over our own reference data."""

from __future__ import annotations

from functools import lru_cache

from case_world import PROJECT
from generated_articles import articles
from kg.context import Context
from kg.namespaces import USUAL_PREFIXES
from kg.publishing.derivation import read_rules
from kg.publishing.publish import silent
from kg.publishing.staging import Unit, stage


@lru_cache(maxsize=1)
def generated() -> Unit:
    """The article."""
    staged = stage(PROJECT, [], silent)
    prefixes = USUAL_PREFIXES | dict(Context.read(PROJECT.context).prefixes)
    made = articles(8, staged.reference, read_rules(PROJECT.rules()), prefixes)
    return next(each.unit for each in made if not each.fault)
