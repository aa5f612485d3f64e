"""What an update would write: its operations one by one, each with the graphs that it names.

The top level of SPARQL 1.1 Update (https://www.w3.org/TR/sparql12-query/#rUpdate) is read here,
patterns and triples are left to the engine. Whoever lets only some graphs be written relies on
it, so that a text which the engine could read otherwise must not pass. The engine needs no space
after a keyword, and takes some names apart (see `inspection`); therefore:

- A keyword is a word of its own, and a name that a keyword may stand before, such as `graph:x`
  after COPY, does not begin with that keyword.
- A brace in a template or in data stands after GRAPH and one name, which then are a graph and its
  triples, or it is refused: whatever the text before it is taken for, no other graph is written.
- No reader may differ on where a pattern ends: `inspection` refuses a `<` that is less-than to one
  of them where what follows it would be a string or a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kg.errors import DefaultGraphRefused, QuerySyntax, RemoteRefused
from kg.namespaces import BASE
from kg.query.inspection import inspect_update
from kg.query.lexer import Kind, lexemes, place
from kg.store.iris import named_iri


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an update, and which graphs it may write at most; see `text`."""

    writes: frozenset[str]
    """IRIs of the named graphs."""
    any_graph: bool
    """It may write any named graph: GRAPH and a variable in a template, NAMED, or ALL."""
    default: bool
    """It may write the default graph."""
    describes: bool
    """It describes its dataset itself: WITH or USING."""
    reads: bool
    """It has a pattern, or copies a graph."""
    source: str | None
    """The graph that it copies, which must be there."""
    line: int
    column: int
    _body: str = field(repr=False)
    _declarations: Sequence[str] = field(repr=False)
    _declared: int = field(repr=False)

    @property
    def text(self) -> str:
        """The operation with all that is declared before it, so that it runs by itself."""
        # Made when it is asked for: kept, many operations after a long prologue fill the memory.
        return "\n".join((*self._declarations[: self._declared], self._body))


def operations(
    update: str,
    prefixes: Mapping[str, str],
    *,
    query_bytes: int,
    nesting: int,
    plain: bool = False,
) -> tuple[Operation, ...]:
    """The operations of an update in order, in time linear in its length; none for an empty one.

    `prefixes` hold where the update declares none of that name. Raises QueryTooLarge,
    QueryTooDeep, RemoteRefused, DefaultGraphRefused for an operation that may write the default
    graph, unless `plain`, and QuerySyntax for what is no update or cannot be read for sure.
    """
    try:
        inspect_update(update, query_bytes=query_bytes, nesting=nesting)
    except RemoteRefused:
        # What is no update is said first: a client is not told to take out a call in vain.
        tuple(_Reader(update, prefixes, plain=True).operations())
        raise
    return tuple(_Reader(update, prefixes, plain=plain).operations())


@dataclass(slots=True)
class _Effect:
    """What is known of the operation that is being read."""

    keyword: str
    writes: set[str] = field(default_factory=set)
    any_graph: bool = False
    default: int | None = None
    """Where it first writes the default graph, or could."""
    describes: bool = False
    source: str | None = None

    @property
    def reads(self) -> bool:
        return self.keyword not in _BLIND and self.keyword.partition(" ")[0] not in _BLIND


_BLIND: Final = ("INSERT DATA", "DELETE DATA", "CREATE", "CLEAR", "DROP")
"""Operations that do not look at what is there."""


class _Reader:
    """One pass over the tokens of an update, by the productions of the grammar."""

    def __init__(self, update: str, prefixes: Mapping[str, str], *, plain: bool) -> None:
        self._update = update
        self._plain = plain
        self._namespaces = dict(prefixes)
        self._base = f"BASE <{BASE}>"
        self._declarations: list[str] = []
        self._labels: dict[str, _Effect] = {}
        self._lexemes = lexemes(update)
        self._line, self._line_start, self._counted = 1, 0, 0
        self._passed = 0
        """The end of the last token read."""
        self._kind, self._text, self._start = "", "", 0
        self._advance()

    # --- Update, Prologue, Update1 --------------------------------------------------------

    def operations(self) -> Iterator[Operation]:
        """The operations; raises as the function of this name does."""
        self._prologue()
        while self._kind:
            yield self._operation()
            if self._kind:
                self._expect(";")
            self._prologue()

    def _prologue(self) -> None:
        while self._is("BASE", "PREFIX", "VERSION"):
            begin, keyword = self._start, self._text.upper()
            self._advance()
            if keyword == "BASE":
                self._base = f"BASE <{self._iri(Kind.IRIREF)}>"
            elif keyword == "PREFIX":
                self._prefix()
            else:
                self._take("a version in quotes", Kind.STRING)
            self._declarations.append(self._update[begin : self._passed])

    def _prefix(self) -> None:
        if self._text.find(":") != len(self._text) - 1:
            raise self._unexpected("a prefix that ends with a colon")
        prefix = self._take("a prefix", Kind.PREFIXED_NAME)
        self._namespaces[prefix[:-1]] = self._iri(Kind.IRIREF)

    def _operation(self) -> Operation:
        begin, (line, column) = self._start, self._place()
        effect = self._effect()
        if effect.default is not None and not self._plain:
            raise DefaultGraphRefused(effect.keyword, *place(self._update, effect.default))
        return Operation(
            writes=frozenset(effect.writes),
            any_graph=effect.any_graph,
            default=effect.default is not None,
            describes=effect.describes,
            reads=effect.reads,
            source=effect.source,
            line=line,
            column=column,
            _body=self._update[begin : self._passed],
            _declarations=self._declarations,
            _declared=len(self._declarations),
        )

    def _effect(self) -> _Effect:
        effect = _Effect(self._text.upper())
        if self._is("LOAD"):
            self._load(effect)
        elif self._is("CLEAR", "DROP"):
            self._clear(effect)
        elif self._is("CREATE"):
            self._create(effect)
        elif self._is("ADD", "MOVE", "COPY"):
            self._copy(effect)
        elif self._is("INSERT", "DELETE", "WITH"):
            self._change(effect)
        else:
            raise self._unexpected("an operation such as INSERT DATA")
        return effect

    # --- graph management -----------------------------------------------------------------

    def _load(self, effect: _Effect) -> None:
        """LOAD, of which only the grammar is read: `inspection` has refused the call."""
        start = self._start
        self._advance()
        silent = self._skip("SILENT")
        self._iri(but=() if silent else ("SILENT",))
        if self._skip("INTO"):
            self._expect("GRAPH")
            effect.writes.add(self._iri())
        else:
            effect.default = start

    def _clear(self, effect: _Effect) -> None:
        """CLEAR and DROP with a GraphRefAll."""
        start = self._start
        self._advance()
        self._skip("SILENT")
        if self._skip("GRAPH"):
            effect.writes.add(self._iri())
            return
        if not self._is("DEFAULT", "NAMED", "ALL"):
            raise self._unexpected("GRAPH, DEFAULT, NAMED or ALL")
        effect.keyword += f" {self._text.upper()}"
        effect.any_graph = not self._is("DEFAULT")
        effect.default = None if self._is("NAMED") else start
        self._advance()

    def _create(self, effect: _Effect) -> None:
        self._advance()
        self._skip("SILENT")
        self._expect("GRAPH")
        effect.writes.add(self._iri())

    def _copy(self, effect: _Effect) -> None:
        """ADD, MOVE and COPY; MOVE removes what it moves."""
        moves = self._is("MOVE")
        self._advance()
        silent = self._skip("SILENT")
        source = self._graph_or_default(effect, *(() if silent else ("SILENT",)), written=moves)
        effect.source = None if silent else source
        self._expect("TO")
        self._graph_or_default(effect, written=True)

    def _graph_or_default(self, effect: _Effect, *before: str, written: bool) -> str | None:
        """The IRI of the graph; None for the default graph."""
        start = self._start
        if self._skip("DEFAULT"):
            if written and effect.default is None:
                effect.default = start
            return None
        graph = self._iri() if self._skip("GRAPH") else self._iri(but=(*before, "GRAPH", "DEFAULT"))
        if written:
            effect.writes.add(graph)
        return graph

    # --- INSERT DATA, DELETE DATA, DELETE WHERE, Modify -----------------------------------

    def _change(self, effect: _Effect) -> None:
        given = ""
        if self._skip("WITH"):
            given, effect.describes = self._iri(), True
        begins_with = self._text.upper()
        if not (self._skip("INSERT") or self._skip("DELETE")):
            raise self._unexpected("INSERT or DELETE")
        effect.keyword = begins_with
        data = () if given else ("DATA",) if begins_with == "INSERT" else ("DATA", "WHERE")
        if self._is(*data):
            effect.keyword += f" {self._text.upper()}"
            self._advance()
            self._quads(effect, given)
            return
        self._quads(effect, given)
        if begins_with == "DELETE" and self._skip("INSERT"):
            self._quads(effect, given)
        self._where(effect)

    def _where(self, effect: _Effect) -> None:
        while self._skip("USING"):
            effect.describes = True
            named = self._skip("NAMED")
            self._iri(but=() if named else ("NAMED",))
        self._expect("WHERE")
        self._pattern()

    def _quads(self, effect: _Effect, given: str) -> None:
        """QuadPattern or QuadData: in its braces graphs, and triples of `given` or the default."""
        self._expect("{")
        while self._text != "}":
            if self._skip("GRAPH"):
                self._graph(effect)
            elif self._text == "{" or not self._kind:
                raise self._unexpected("GRAPH <…> before a brace, or a brace at the end")
            else:
                self._triple(effect, given)
        self._advance()

    def _graph(self, effect: _Effect) -> None:
        """GRAPH, then a VarOrIri, then triples in braces, in which no brace is."""
        if self._kind == Kind.VAR:
            effect.any_graph = True
            self._advance()
        else:
            effect.writes.add(self._iri())
        self._expect("{")
        while self._text != "}":
            if self._text == "{" or not self._kind:
                raise self._unexpected("a brace that ends the graph")
            self._label(effect)
            self._advance()
        self._advance()

    def _triple(self, effect: _Effect, given: str) -> None:
        """One token outside of GRAPH."""
        if self._text != ".":
            self._label(effect)
            if given:
                effect.writes.add(given)
            elif effect.default is None:
                effect.default = self._start
        self._advance()

    def _label(self, effect: _Effect) -> None:
        """A blank node of INSERT DATA belongs to one operation (section 19.6 of the query spec)."""
        if self._kind != Kind.BLANK_NODE_LABEL or effect.keyword != "INSERT DATA":
            return
        if self._labels.setdefault(self._text, effect) is not effect:
            raise self._syntax(f"{self._text[:40]} is a blank node of an operation before this one")

    def _pattern(self) -> None:
        """GroupGraphPattern: everything up to the brace that closes it."""
        self._expect("{")
        depth = 1
        while depth:
            if not self._kind:
                raise self._unexpected("a brace that ends the pattern")
            depth += (self._text == "{") - (self._text == "}")
            self._advance()

    # --- tokens ---------------------------------------------------------------------------

    def _advance(self) -> None:
        """Go to the next token that is no comment; at the end its kind is empty."""
        self._passed = self._start + len(self._text)
        following = (token for token in self._lexemes if token[0] != Kind.COMMENT)
        self._kind, self._text, self._start = next(following, ("", "", len(self._update)))

    def _is(self, *words: str) -> bool:
        return self._kind == Kind.WORD and self._text.upper() in words

    def _skip(self, word: str) -> bool:
        """Whether the keyword stands here; it is then behind us."""
        found = self._is(word)
        if found:
            self._advance()
        return found

    def _expect(self, wanted: str) -> None:
        """Go past a keyword or a mark."""
        kind = Kind.WORD if wanted.isalpha() else Kind.MARK
        if self._kind != kind or self._text.upper() != wanted:
            raise self._unexpected(wanted)
        self._advance()

    def _take(self, wanted: str, *kinds: Kind) -> str:
        if self._kind not in kinds:
            raise self._unexpected(wanted)
        text = self._text
        self._advance()
        return text

    def _iri(
        self,
        *kinds: Kind,
        but: tuple[str, ...] = (),
    ) -> str:
        """The IRI that stands here; its name may not begin with one of the keywords `but`."""
        start = self._start
        if self._kind == Kind.PREFIXED_NAME and self._text.upper().startswith(but):
            raise self._syntax(
                f"“{self._text[:40]}” can be read in two ways here; put a space after the keyword,"
                " or write the IRI in full"
            )
        name = self._take("an IRI", *(kinds or (Kind.IRIREF, Kind.PREFIXED_NAME)))
        try:
            return named_iri(name, self._base if name[0] == "<" else self._declared(name))
        except ValueError as error:
            raise QuerySyntax(str(error), *place(self._update, start)) from error

    def _declared(self, name: str) -> str:
        prefix = name.partition(":")[0]
        if prefix not in self._namespaces:
            raise ValueError(f"the prefix “{prefix}:” is not declared")
        return f"PREFIX {prefix}: <{self._namespaces[prefix]}>"

    def _unexpected(self, wanted: str) -> QuerySyntax:
        met = f"“{self._text[:40]}”" if self._kind else "the end"
        return self._syntax(f"{wanted} must stand here, not {met} (a space ends a keyword)")

    def _syntax(self, problem: str) -> QuerySyntax:
        return QuerySyntax(problem, *place(self._update, self._start))

    def _place(self) -> tuple[int, int]:
        """The line and column of this token; each part of the text is counted once."""
        self._line += self._update.count("\n", self._counted, self._start)
        newline = self._update.rfind("\n", self._counted, self._start)
        self._line_start = newline + 1 or self._line_start
        self._counted = self._start
        return self._line, self._start - self._line_start + 1
