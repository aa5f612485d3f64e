"""A store with two releases of the miniature: claims changed in their source, and built again."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path
from typing import Final

from conftest import FIXTURES, NOW, REPOSITORY
from kg.project import Project
from kg.publishing.publish import publish

ARTICLE: Final = """\
article:
  type: schema:NewsArticle
  publisher: org/harbour-guild
  published: 2020-03-05
  url: http://example.org/lamplighters
  scopeNote: Invented for the tests.
chains:
  own: [{agent: org/harbour-guild, basis: publisherVoice}]
  news:
  - {agent: org/harbour-guild, basis: publisherVoice}
  - {agent: org/harbour-news, basis: explicit, cueText: as Harbour News says}
defaults:
  any: {chain: own, modality: asserted}
  figure: {measure: count, unit: person, qualifier: bare, valueStatus: stated, refTime: unstated,
    refArea: northland}
claims:
- {key: left, refCohort: ff-departed, value: 2926, reportedText: "2,926"}
- {key: back, refCohort: ff-returned, value: 12, reportedText: "12", modality: believed,
   hedge: are believed}
- {key: still-there, refCohort: ff-present, value: 7, reportedText: "7"}
- {key: tried, refCohort: travelled-or-attempted, value: 50, reportedText: "50"}
- {key: joined, refCohort: citizens-who-joined, value: 3, reportedText: "3"}
"""
EDITS: Final = (
    ('value: 2926, reportedText: "2,926"', 'value: 2920, reportedText: "2,920"'),
    (", modality: believed,\n   hedge: are believed", ""),
    ('reportedText: "7"', 'reportedText: "7", chain: news'),
    ("- {key: tried, refCohort: travelled-or-attempted", "- {key: attempts, refCohort: fought"),
    ("key: joined,", "key: members,"),
)
ADDED: Final = """\
- {key: roads, kind: opinion, paraphrase: The roads are bad., modality: possible, hedge: may be}
"""
TOLD: Final = """\
4 claims changed
  ~ Northland, citizens who joined the group: 3, The harbour guild, 5 March 2020
      identifier: figure-joined → figure-members
  ~ Northland, foreign fighters present: 7, The harbour guild, 5 March 2020; on the word of\
 Harbour News, the paper
      on whose word: The harbour guild (publisher's voice) → The harbour guild (publisher's voice)\
 ← Harbour News, the paper (explicit)
  ~ Northland, foreign fighters who left: 2,926 → 2,920, The harbour guild, 5 March 2020
  ~ Northland, foreign fighters who returned: 12, The harbour guild, 5 March 2020
      hedge: are believed → none
      modality: believed → asserted

2 claims added
  + Northland, people who fought: 50, The harbour guild, 5 March 2020
  + opinion: The roads are bad (possible, “may be”); The harbour guild, 5 March 2020

1 claim withdrawn
  - Northland, people who travelled or tried to: 50, The harbour guild, 5 March 2020
"""
"""What `kg diff` tells of the claims of the two, after its first two lines and before what it tells
of other quads: what the audit finds is among these, and changes with its rules."""


def make_store(folder: Path) -> Path:
    """The store, made in a folder that is there."""
    shutil.copytree(FIXTURES / "project", folder / "project")
    shutil.copytree(REPOSITORY / "ontology", folder / "project" / "ontology")
    project = Project.at(folder / "project")
    article = project.articles / "guild-paper" / "article.yaml"
    article.parent.mkdir()
    article.write_text(ARTICLE)
    publish(project, folder / "store", who="tests", message="first", now=NOW)
    text = ARTICLE
    for old, new in EDITS:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    article.write_text(text + ADDED)
    sources = folder / "project" / "data" / "reference" / "sources.ttl"
    renamed = sources.read_text().replace('"Harbour News"@en', '"Harbour News, the paper"@en')
    sources.write_text(renamed)
    later = NOW + datetime.timedelta(days=1)
    publish(project, folder / "store", who="tests", message="second", now=later)
    return folder / "store"
