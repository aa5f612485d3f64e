// What the editor offers while one writes: words, prefixes, variables, and names of the data.
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { tokenField } from "./highlighting";
import type { Config } from "./settings-of-page";
import { numeral } from "./elements";
import { declared, type Token } from "./sparql";

interface Used {
  iri: string;
  count: number;
  label: string;
}

interface Vocabulary {
  prefixes: Record<string, string>;
  classes: Used[];
  properties: Used[];
}

interface Found {
  results: { iri: string; label: string; language: string; kind: string }[];
}

type Named = { iri: string; label: string };

const MOST = 60;
const LOCAL = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_-]|\.(?=[\p{L}\p{N}_-]))*$/u;
const WRITTEN = /[?$]?[\p{L}\p{N}_:.\-]*$/u;
const WORDS =
  "SELECT CONSTRUCT ASK DESCRIBE WHERE FROM NAMED PREFIX BASE VERSION DISTINCT REDUCED AS OPTIONAL UNION MINUS GRAPH FILTER BIND VALUES UNDEF EXISTS NOT IN LATERAL ORDER BY ASC DESC LIMIT OFFSET GROUP HAVING COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT SEPARATOR STR LANG LANGMATCHES LANGDIR hasLANG hasLANGDIR STRLANG STRLANGDIR DATATYPE BOUND IRI URI BNODE RAND ABS CEIL FLOOR ROUND CONCAT STRLEN UCASE LCASE ENCODE_FOR_URI CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER YEAR MONTH DAY HOURS MINUTES SECONDS TIMEZONE TZ NOW UUID STRUUID MD5 SHA1 SHA256 SHA384 SHA512 COALESCE IF STRDT sameTerm isIRI isURI isBLANK isLITERAL isNUMERIC isTRIPLE TRIPLE SUBJECT PREDICATE OBJECT REGEX SUBSTR REPLACE true false a".split(
    " ",
  );

export class Completing {
  private known: Promise<Vocabulary> | null = null;

  constructor(private readonly config: Config) {}

  /** Fetches what the data use, once; a failure is tried again. */
  vocabulary(): Promise<Vocabulary> {
    this.known ??= fetch(this.config.vocabulary)
      .then((response) => {
        if (!response.ok) throw new Error(`${this.config.vocabulary} answered ${response.status}`);
        return response.json() as Promise<Vocabulary>;
      })
      .catch(() => {
        this.known = null;
        return { prefixes: {}, classes: [], properties: [] };
      });
    return this.known;
  }

  readonly source = async (context: CompletionContext): Promise<CompletionResult | null> => {
    const found = context.state.field(tokenField);
    if (isText(found, context.pos)) return null;
    const line = context.state.doc.lineAt(context.pos);
    const written = line.text.slice(0, context.pos - line.from).match(WRITTEN)?.[0] ?? "";
    if (!written && !context.explicit) return null;
    const from = context.pos - written.length;
    const options = /^[?$]/.test(written)
      ? variables(found, written, context.pos)
      : await this.names(context, found, written, from);
    return options.length ? { from, options, filter: false } : null;
  };

  private async names(
    context: CompletionContext,
    found: Token[],
    written: string,
    from: number,
  ): Promise<Completion[]> {
    const vocabulary = await this.vocabulary();
    const prefixes = inOrder(written, declared(found), vocabulary.prefixes);
    const colon = written.indexOf(":");
    const local = colon < 0 ? written : written.slice(colon + 1);
    const base = colon < 0 ? null : prefixes.get(written.slice(0, colon));
    if (base === undefined) return [];
    const wantsClass = isAfterA(found, from);
    const used = [...(wantsClass ? [] : vocabulary.properties), ...vocabulary.classes];
    const classes = new Set(vocabulary.classes);
    const fits = (each: Used): boolean =>
      base === null ? written.length > 1 && matches(each, written) : each.iri.startsWith(base) && matches(each, local);
    const names = ranked(used.filter(fits), local).map((each) =>
      option(each.iri, prefixes, `${each.label || ""} · ${numeral(each.count)}`, classes.has(each) ? "class" : "property"),
    );
    const words = base === null ? plain(written, prefixes) : [];
    const entities = wantsClass ? [] : await this.entities(context, local, base, prefixes);
    return distinct([...words, ...names.slice(0, MOST), ...entities]);
  }

  private async entities(
    context: CompletionContext,
    written: string,
    base: string | null,
    prefixes: Map<string, string>,
  ): Promise<Completion[]> {
    if (!this.config.search || written.length < (base === null ? 3 : 2)) return [];
    const left = new AbortController();
    context.addEventListener("abort", () => left.abort(), { onDocChange: true });
    const words = asked<Found>(this.config.search, { format: "json", q: written, limit: "20" }, left.signal);
    const begun = base === null ? null : asked<Named[]>(this.config.names, { begins: base + written }, left.signal);
    const names = ((await begun) ?? []).map((each) => option(each.iri, prefixes, each.label, "constant"));
    const found = ((await words)?.results ?? [])
      .filter((each) => base === null || each.iri.startsWith(base))
      .map((each) => option(each.iri, prefixes, `${each.label} · ${each.kind}`, "constant"));
    return [...names, ...found];
  }
}

/** What the server says there as JSON; nothing where it does not, or is not waited for any more. */
async function asked<Answer>(address: string, what: Record<string, string>, signal: AbortSignal): Promise<Answer | null> {
  try {
    const response = await fetch(`${address}?${new URLSearchParams(what)}`, { signal, headers: { Accept: "application/json" } });
    return response.ok ? ((await response.json()) as Answer) : null;
  } catch {
    return null;
  }
}

/** The name as it is written in a query with these prefixes, else the IRI. */
export function compact(iri: string, prefixes: Map<string, string>): string {
  let [best, length] = ["", 0];
  for (const [prefix, base] of prefixes) {
    if (base.length <= length || !iri.startsWith(base)) continue;
    const local = iri.slice(base.length);
    if (LOCAL.test(local)) [best, length] = [`${prefix}:${local}`, base.length];
  }
  return best || `<${iri}>`;
}

/** The prefix that is being written first, then those of the query, then those of the server. */
function inOrder(written: string, own: Map<string, string>, server: Record<string, string>): Map<string, string> {
  const all = new Map([...own, ...Object.entries(server).filter(([prefix]) => !own.has(prefix))]);
  const [prefix] = written.split(":");
  const base = all.get(prefix ?? "");
  return base === undefined ? all : new Map([[prefix ?? "", base], ...all]);
}

function option(iri: string, prefixes: Map<string, string>, detail: string, type: string): Completion {
  return { label: compact(iri, prefixes), detail: detail.replace(/^ · /, "").slice(0, 80), type };
}

function plain(written: string, prefixes: Map<string, string>): Completion[] {
  const start = written.toLowerCase();
  if (!start) return [];
  const upper = WORDS.filter((word) => word.toLowerCase().startsWith(start) && word.length > 1);
  const names = [...prefixes.keys()].filter((prefix) => prefix.toLowerCase().startsWith(start)).sort();
  return [
    ...upper.map((label) => ({ label, type: "keyword" })),
    ...names.map((prefix) => ({ label: `${prefix}:`, detail: prefixes.get(prefix) ?? "", type: "namespace" })),
  ];
}

function variables(found: Token[], written: string, position: number): Completion[] {
  const names = found
    .filter((token) => token.kind === "VAR" && token.end !== position)
    .map((token) => written.charAt(0) + token.text.slice(1));
  const fitting = [...new Set(names)].filter((name) => name.startsWith(written) && name !== written);
  return fitting.sort().map((label) => ({ label, type: "variable" }));
}

function matches(each: Used, written: string): boolean {
  const start = written.toLowerCase();
  return localOf(each.iri).toLowerCase().includes(start) || each.label.toLowerCase().includes(start);
}

/** Names that begin so come first; within these, what is used most, as they came. */
function ranked(names: Used[], written: string): Used[] {
  const begins = (each: Used): boolean =>
    localOf(each.iri).toLowerCase().startsWith(written.toLowerCase());
  return [...names.filter(begins), ...names.filter((each) => !begins(each))];
}

function localOf(iri: string): string {
  return iri.slice(Math.max(iri.lastIndexOf("/"), iri.lastIndexOf("#")) + 1);
}

function distinct(options: Completion[]): Completion[] {
  const seen = new Set<string>();
  return options.filter((each) => !seen.has(each.label) && seen.add(each.label));
}

/** Whether the place lies in a comment, in a string, or in one that has no end yet. */
function isText(found: Token[], position: number): boolean {
  return found.some((token) => {
    if (token.start >= position) return false;
    if (token.kind === "COMMENT") return position <= token.end;
    if (token.kind === "UNKNOWN") return position <= token.end && /^["'<]/.test(token.text);
    return (token.kind === "STRING" || token.kind === "IRIREF") && position < token.end;
  });
}

function isAfterA(found: Token[], from: number): boolean {
  const before = found.filter((token) => token.end <= from && token.kind !== "COMMENT").pop();
  return before?.text === "a" || before?.text === "rdf:type";
}
