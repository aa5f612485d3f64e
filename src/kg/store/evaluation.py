"""What a task asks of an open release: the answer to a query, or a dump of it all."""

from __future__ import annotations

import gzip
import io
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Final, Literal, cast

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Store,
    Triple,
    parse,
    serialize,
)

from kg.errors import KgError
from kg.media import CSV, JSON, JSON_LD, N_QUADS, N_TRIPLES, RDF_XML, TRIG, TSV, TURTLE, XML
from kg.namespaces import BASE
from kg.store.base import Dataset, Differing, Dump, Task
from kg.store.calls import with_functions
from kg.store.canonical import held_lines, quad_line
from kg.store.differences import Written, differences_between, written
from kg.store.digests import result_digest
from kg.store.output import NotXml, Output, OutputFull, XmlOutput
from kg.store.packing import packed
from kg.store.rows import CountedRows, TooMany, first_rows

_RESULTS: Final = {
    JSON: QueryResultsFormat.JSON,
    XML: QueryResultsFormat.XML,
    CSV: QueryResultsFormat.CSV,
    TSV: QueryResultsFormat.TSV,
}
_GRAPHS: Final = {
    TURTLE: RdfFormat.TURTLE,
    TRIG: RdfFormat.TRIG,
    RDF_XML: RdfFormat.RDF_XML,
}

_NOT_XML: Final = "it holds a character that XML does not have, or a carriage return"
_NAME_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
# NCName (Namespaces in XML 1.0, section 3).
_ENDS_IN_NAME: Final = re.compile(
    rf"[{_NAME_START}][{_NAME_START}\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*+$"
)

_Graph = NamedNode | BlankNode | DefaultGraph
_Result = QuerySolutions | QueryBoolean | QueryTriples
FailureKind = Literal["syntax", "size", "rows", "format", "engine", "machine", "damaged", "gone"]


class Failure(Exception):
    """Why a task has no answer: a kind that `workers` makes an error of, and its detail."""

    def __init__(self, kind: FailureKind, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


def evaluated(store: Store, task: Task) -> Output:
    """The answer to a query in the task's format; raises Failure."""
    kind = XmlOutput if task.format in (XML, RDF_XML) else Output
    output = kind(limit=task.answer_bytes, memory=task.spool_memory)
    with _failures(), _closed_on_failure(output):
        _write(_query(store, task), output, task)
        return packed(output, task.coding, memory=task.spool_memory)


def _write(result: _Result, output: Output, task: Task) -> None:
    if task.digest:
        _write_digest(result, output, task)
    elif isinstance(result, QueryTriples):
        _write_graph(result, output, task)
    elif isinstance(result, QuerySolutions):
        _write_solutions(result, output, task)
    else:
        result.serialize(output, _RESULTS[task.format])


def _write_digest(result: _Result, output: Output, task: Task) -> None:
    found = result_digest(result, most_rows=task.answer_rows, most_bytes=task.answer_bytes)
    output.write(found.written())


def _write_solutions(solutions: QuerySolutions, output: Output, task: Task) -> None:
    if task.rows is None or task.rows > task.answer_rows:
        counted = CountedRows(output, task.format, task.answer_rows)
        solutions.serialize(cast(IO[bytes], counted), _RESULTS[task.format])
        return
    with first_rows(output, task.format, task.rows) as first:
        solutions.serialize(cast(IO[bytes], first), _RESULTS[task.format])
    output.cut = first.cut


def dumped(store: Store, dump: Dump) -> Output:
    """Every named graph by IRI, its quads sorted, in one gzip stream; raises Failure.

    The same release gives the same bytes.
    """
    output = Output(limit=None, memory=0)
    with (
        _failures(),
        _closed_on_failure(output),
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=output, mtime=0) as archive,
    ):
        if dump.format == N_QUADS:
            archive.writelines(_graph_documents(store))
        else:
            _write_trig(store, archive, dump.prefixes)
    return output


def differed(store: Store, task: Differing) -> Output:
    """The quads in which the release of `store` differs from another; raises Failure."""
    output = Output(limit=task.answer_bytes, memory=task.spool_memory)
    with _failures(), _closed_on_failure(output):
        try:
            found = differences_between(store, task.before, task.graphs)
            for line in written(found, Written(task.form), *task.digests):
                output.write(line)
        except KgError as error:
            raise Failure("damaged", error.message) from error
        return packed(output, task.coding, memory=task.spool_memory)


@contextmanager
def _failures() -> Iterator[None]:
    """Errors of the engine and of the output as Failure, without the results that failed.

    An error keeps the frames that it came through, and with them a result, which locks its
    store and which no thread but its maker's may drop.
    """
    try:
        with _cleared_frames():
            yield
    except SyntaxError as error:
        raise Failure("syntax", str(error)) from error
    except OutputFull as error:
        raise Failure("size") from error
    except TooMany as error:
        raise Failure("rows") from error
    except NotXml as error:
        raise Failure("format", _NOT_XML) from error
    except OSError as error:
        raise Failure("machine", str(error)) from error
    except (RuntimeError, ValueError) as error:
        raise Failure("engine", str(error)) from error


@contextmanager
def _cleared_frames() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        traceback.clear_frames(error.__traceback__)
        raise


@contextmanager
def _closed_on_failure(output: Output) -> Iterator[None]:
    with ExitStack() as stack:
        stack.callback(output.close)
        yield
        stack.pop_all()


# --- queries ------------------------------------------------------------------------------


def _query(store: Store, task: Task) -> _Result:
    dataset = task.dataset
    if dataset == Dataset():
        return _asked(store, task, None, None)
    named: list[NamedNode | BlankNode] = [NamedNode(iri) for iri in dataset.named_graphs]
    default: list[_Graph] = [NamedNode(iri) for iri in dataset.default_graphs]
    if len(default) > 1:
        store, default = _merged(store, default, named), [DefaultGraph()]
    return _asked(store, task, default, named)


def _asked(
    store: Store,
    task: Task,
    default: list[_Graph] | None,
    named: list[NamedNode | BlankNode] | None,
) -> _Result:
    return with_functions(
        lambda known: store.query(
            task.query,
            base_iri=BASE,
            prefixes=dict(task.prefixes),
            default_graph=default,
            named_graphs=named,
            custom_functions=known,
        )
    )


def _merged(store: Store, default: Iterable[_Graph], named: Iterable[_Graph]) -> Store:
    """The dataset in memory, its default graph a set: the engine's own merge counts twice.

    RDF 1.1 Semantics, 4.1: a triple of two graphs is one triple of their merge.
    """
    merged = Store()
    for graph in default:
        quads = store.quads_for_pattern(None, None, None, graph)
        merged.bulk_extend(Quad(*quad.triple) for quad in quads)
    for graph in named:
        merged.bulk_extend(store.quads_for_pattern(None, None, None, graph))
    return merged


# --- graphs -------------------------------------------------------------------------------


def _write_graph(triples: QueryTriples, output: Output, task: Task) -> None:
    """A set of triples in one order, so that the same graph gives the same bytes."""
    with Output(limit=task.answer_bytes, memory=task.answer_bytes) as buffer:
        triples.serialize(buffer, RdfFormat.N_TRIPLES)
        lines = sorted(set(buffer.content().splitlines(keepends=True)))
    if len(lines) > task.answer_rows and (task.rows is None or task.rows > task.answer_rows):
        raise TooMany
    output.cut = task.rows is not None and len(lines) > task.rows
    document = b"".join(lines[: task.rows])
    if task.format in (N_TRIPLES, N_QUADS):
        output.write(document)
    elif task.format == JSON_LD:
        _write_json_ld(document, output, task)
    else:
        prefixes = _occurring(task.prefixes, document)
        graph = _triples(document)
        if task.format == RDF_XML:
            graph = map(_with_names, graph)
        serialize(graph, output, _GRAPHS[task.format], prefixes=prefixes)


def _triples(document: bytes) -> Iterator[Triple]:
    return (quad.triple for quad in parse(document, RdfFormat.N_TRIPLES))


def _with_names(triple: Triple) -> Triple:
    """The triple; raises Failure where its predicate cannot be the name of an element."""
    if not _ENDS_IN_NAME.search(triple.predicate.value):
        problem = f"the property {triple.predicate} does not end in a name that XML could write"
        raise Failure("format", problem)
    if isinstance(triple.object, Triple):
        _with_names(triple.object)
    return triple


def _occurring(prefixes: Mapping[str, str], document: bytes) -> dict[str, str]:
    """The prefixes of which an IRI of the document is made."""
    return {
        prefix: iri
        for prefix, iri in sorted(prefixes.items())
        if re.search(b"<" + re.escape(iri.encode()) + b"[^>/#]*>", document)
    }


def _write_json_ld(document: bytes, output: Output, task: Task) -> None:
    from kg.store.compaction import compacted  # its library takes longer than most queries

    graph = map(_without_triple_term, _triples(document))
    expanded = serialize(graph, format=RdfFormat.JSON_LD) or b"[]"
    try:
        output.write(compacted(expanded, (task.release / "context.jsonld").read_bytes()))
    except (OSError, ValueError) as error:
        raise Failure("damaged", str(error)) from error


def _without_triple_term(triple: Triple) -> Triple:
    """The triple; raises Failure where its object is one: JSON-LD 1.1 cannot write it."""
    if isinstance(triple.object, Triple):
        raise Failure("format", "JSON-LD has no triple terms")
    return triple


# --- dumps --------------------------------------------------------------------------------


def _graph_documents(store: Store) -> Iterator[bytes]:
    """Each named graph as sorted N-Quads."""
    for graph in sorted(_named_graphs(store), key=lambda graph: graph.value):
        yield b"".join(quad_line(line, graph) for line in sorted(held_lines(store, graph)))


def _named_graphs(store: Store) -> Iterator[NamedNode]:
    return (graph for graph in store.named_graphs() if isinstance(graph, NamedNode))


def _write_trig(store: Store, archive: gzip.GzipFile, prefixes: Mapping[str, str]) -> None:
    quads = (
        quad for document in _graph_documents(store) for quad in parse(document, RdfFormat.N_QUADS)
    )
    with io.BufferedWriter(archive, 1 << 20) as buffered:
        serialize(quads, buffered, RdfFormat.TRIG, prefixes=dict(sorted(prefixes.items())))
