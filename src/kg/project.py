"""The project folder: where the ontology, the data and the questions lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kg.errors import MissingFile, NotAProject

_CHECKOUT = Path(__file__).parents[2]
_PACKAGED = Path(__file__).parent / "_project"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with `ontology/` (what may be said) and `data/` (what is said)."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Project:
        """The project in this folder. Raises NotAProject."""
        for part in ("ontology", "data"):
            if not (folder / part).is_dir():
                raise NotAProject(folder, part + "/")
        return cls(folder)

    @classmethod
    def find(cls, start: Path | None = None, *, to_write: bool = False) -> Project:
        """The project that `start` (default: the working folder) lies in. Raises NotAProject.

        Where it lies in none: the one that travels in the wheel, or that of the checkout, but
        not `to_write`, since nobody would look for what was written there.
        """
        start = (start or _working_folder()).resolve()
        others = () if to_write else (_PACKAGED, _CHECKOUT)
        for folder in (start, *start.parents, *others):
            if (folder / "ontology").is_dir() and (folder / "data").is_dir():
                return cls(folder)
        raise NotAProject(start, "ontology/ and data/, nor has any folder above it")

    @property
    def context(self) -> Path:
        """The JSON-LD context: what the keys of sources mean."""
        return self.folder / "ontology" / "context.jsonld"

    @property
    def ontology(self) -> Path:
        """The folder of what may be said."""
        return self.folder / "ontology"

    @property
    def articles(self) -> Path:
        """The folder with one folder an article."""
        return self.folder / "data" / "articles"

    @property
    def catalog(self) -> Path:
        """What is said of the dataset as a whole; a project may go without."""
        return self.folder / "data" / "catalog.ttl"

    def sources(self) -> list[Path]:
        """The sources of all articles, in the order of their folders' names.

        Raises MissingFile where there is none.
        """
        return _needed(self.articles, "*/article.yaml", "a project has an article")

    def terms(self) -> list[Path]:
        """The Turtle files of the ontology's terms."""
        return sorted(self.ontology.glob("*.ttl"))

    def concepts(self) -> list[Path]:
        """The Turtle files of the concept schemes and cohorts."""
        return sorted((self.ontology / "concepts").glob("*.ttl"))

    def shapes(self) -> list[Path]:
        """The Turtle files of the shapes. Raises MissingFile where there is none."""
        return _needed(self.ontology / "shapes", "*.ttl", "without shapes everything conforms")

    def cases(self) -> list[Path]:
        """The example cases of the shapes: `<shape>/valid.*.ttl` and `<shape>/invalid.*.ttl`."""
        return sorted((self.ontology / "cases").glob("*/*valid.*.ttl"))

    def rules(self) -> list[Path]:
        """The CONSTRUCT queries that derive. Raises MissingFile where there is none."""
        return _needed(self.ontology / "rules", "*.rq", "without rules nothing is derived")

    def audit(self) -> list[Path]:
        """The CONSTRUCT queries that look for what does not fit together."""
        return sorted((self.ontology / "audit").glob("*.rq"))

    def reference(self) -> list[Path]:
        """The Turtle files of areas, organisations and publications."""
        return sorted((self.folder / "data" / "reference").glob("*.ttl"))

    def alignments(self) -> list[Path]:
        """The Turtle files of links to other datasets, one file a target."""
        return sorted((self.folder / "data" / "reference" / "alignments").glob("*.ttl"))

    def questions(self) -> list[Path]:
        """The named questions."""
        return sorted((self.folder / "data" / "questions").glob("*.rq"))


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:  # it was deleted
        raise NotAProject(Path(), "ontology/ and data/, and is itself not there") from error


def _needed(folder: Path, pattern: str, why: str) -> list[Path]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise MissingFile(folder / pattern, why)
    return files
