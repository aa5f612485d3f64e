"""The choice of a format from Accept and `?format=`."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import NotAcceptable
from kg.media import FORMATS, GRAPH_FORMATS, SOLUTION_FORMATS, Form, Format, formats_for
from kg.store.base import Coding
from kg.web.negotiation import chooser, coding, needs_packing, prefers_text

SELECT = [
    (None, "json"),
    ("", "json"),
    ("*/*", "json"),
    ("text/csv", "csv"),
    ("text/csv;charset=utf-8", "csv"),
    ("TEXT/CSV", "csv"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/csv;q=0.5, text/tab-separated-values", "tsv"),
    ("text/csv;q=0.5, application/sparql-results+xml;q=0.6, */*;q=0.1", "xml"),
    ("text/*, text/csv;q=0.1", "tsv"),
    ("text/csv;q=0, */*", "json"),
    ("application/sparql-results+json;q=0, application/json;q=0, */*", "xml"),
    ("text/html, application/xml;q=0.9, */*;q=0.8", "xml"),
    ("text/turtle, text/csv;q=0.1", "csv"),
    (" , ,", "json"),
    ("*", "json"),
    ("text/csv," + "a/b," * 30_000, "csv"),
]
CONSTRUCT = [
    (None, "turtle"),
    ("text/plain", "ntriples"),
    ("application/ld+json", "jsonld"),
    ("application/rdf+xml;q=0.9, application/n-quads", "nquads"),
    ("application/*", "ntriples"),
]
REFUSED = ["image/png", "text/csv;q=0", "text/turtle", "nonsense", "*/csv"]

names = st.sampled_from(
    [name for format in FORMATS.values() for name in (format.media_type, *format.aliases)]
    + ["*/*", "text/*", "application/*", "image/png"]
)
accepts = st.lists(st.tuples(names, st.integers(0, 10)), min_size=1, max_size=6).map(
    lambda ranges: ", ".join(f"{name};q={tenths / 10}" for name, tenths in ranges)
)


@pytest.mark.parametrize(("accept", "name"), SELECT)
def test_solutions_come_in_the_best_format_accepted(accept: str | None, name: str) -> None:
    assert chooser(accept, None)(SOLUTION_FORMATS) == FORMATS[name]


@pytest.mark.parametrize(("accept", "name"), CONSTRUCT)
def test_graphs_come_in_the_best_format_accepted(accept: str | None, name: str) -> None:
    assert chooser(accept, None)(GRAPH_FORMATS) == FORMATS[name]


@pytest.mark.parametrize("accept", REFUSED)
def test_accept_without_a_format_offered_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable) as refusal:
        chooser(accept, None)(SOLUTION_FORMATS)
    assert refusal.value.offered == tuple(format.media_type for format in SOLUTION_FORMATS)


def test_long_fields_are_not_remembered() -> None:
    """A client may send 128 KiB of them with each request, and each time others."""
    fields = [f"text/csv, image/{number}," + "a/b," * 10_000 for number in range(20)]
    tracemalloc.start()
    for field in fields:
        assert chooser(field, None)(SOLUTION_FORMATS) == FORMATS["csv"]
        assert coding(field) is Coding.IDENTITY
        assert not needs_packing(field)
        assert not prefers_text(field)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 20 * 40_000


@pytest.mark.parametrize("format", SOLUTION_FORMATS, ids=lambda format: format.name)
def test_the_name_of_a_format_wins_over_accept(format: Format) -> None:
    assert chooser("application/sparql-results+xml", format.name)(SOLUTION_FORMATS) == format


def test_the_name_of_another_form_s_format_is_refused() -> None:
    with pytest.raises(NotAcceptable):
        chooser("*/*", "turtle")(SOLUTION_FORMATS)


@given(accept=accepts, form=st.sampled_from(Form))
def test_a_choice_is_always_one_of_those_offered_and_not_excluded(accept: str, form: Form) -> None:
    offered = formats_for(form)
    try:
        chosen = chooser(accept, None)(offered)
    except NotAcceptable:
        return
    assert chosen in offered
    wanted = {entry.partition(";")[0] for entry in accept.split(", ") if not entry.endswith("=0.0")}
    kind = chosen.media_type.partition("/")[0]
    assert wanted & {chosen.media_type, *chosen.aliases, f"{kind}/*", "*/*"}
