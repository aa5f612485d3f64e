// The tokens of a SPARQL 1.2 query or update: the terminals of src/kg/query/lexer.py, in its order.

export type Kind =
  | "IRIREF"
  | "PREFIXED_NAME"
  | "BLANK_NODE_LABEL"
  | "VAR"
  | "LANG_DIR"
  | "NUMERIC_LITERAL"
  | "STRING"
  | "NIL"
  | "ANON"
  | "WORD"
  | "MARK"
  | "COMMENT"
  /** The rest of the text from the first place where no terminal matches. */
  | "UNKNOWN";

/** One token; `start` and `end` count UTF-16 units from 0. */
export interface Token {
  kind: Kind;
  text: string;
  start: number;
  end: number;
}

const HEX = "[0-9A-Fa-f]";
const PN_CHARS_BASE =
  "A-Za-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d" +
  "\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}";
const PN_CHARS_U = `${PN_CHARS_BASE}_`;
const VARNAME = `${PN_CHARS_U}0-9\\u00b7\\u0300-\\u036f\\u203f\\u2040`;
const PN_CHARS = `${VARNAME}\\-`;

// A UCHAR of a surrogate, or beyond U+10FFFF, is none (SPARQL 1.2, section 19.2).
const UCHAR = `\\\\(?:u(?![Dd][89A-Fa-f])${HEX}{4}|U(?!0000[Dd][89A-Fa-f])00(?:0${HEX}|10)${HEX}{4})`;
const ESCAPE = `(?:\\\\[tbnrf"'\\\\]|${UCHAR})`;
const PLX = `(?:%${HEX}{2}|\\\\[_~.\\-!$&'()*+,;=/?#@%])`;
const IRI_CHARS = '[^<>"{}\\|\\^`\\\\\\x00-\\x20]';
const PN_PREFIX = `[${PN_CHARS_BASE}][${PN_CHARS}]*(?:\\.+[${PN_CHARS}]+)*`;
const PN_LOCAL = `(?:[${PN_CHARS_U}:0-9]|${PLX})(?:\\.*(?:[${PN_CHARS}:]+|${PLX}))*`;
const WORD = "[A-Za-z][A-Za-z0-9_]*";

function long(quote: string): string {
  const plain = `[^${quote}\\\\]*`;
  return `${quote.repeat(3)}${plain}(?:(?:${ESCAPE}|${quote}(?!${quote.repeat(2)}))${plain})*${quote.repeat(3)}`;
}

function short(quote: string): string {
  const plain = `[^${quote}\\\\\\r\\n]*`;
  return `${quote}(?!${quote.repeat(2)})${plain}(?:${ESCAPE}${plain})*${quote}`;
}

type Terminal = [Kind | "RUN", RegExp];

const at = (source: string): RegExp => new RegExp(source, "uy");

const UNAMBIGUOUS: Terminal[] = [
  ["IRIREF", at(`<${IRI_CHARS}*(?:${UCHAR}${IRI_CHARS}*)*>`)],
  ["NIL", at("\\([ \\t\\r\\n]*\\)")],
  ["ANON", at("\\[[ \\t\\r\\n]*\\]")],
  ["VAR", at(`[?$][${PN_CHARS_U}0-9][${VARNAME}]*`)],
  [
    "NUMERIC_LITERAL",
    at("[+\\-]?(?:(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)[eE][+\\-]?[0-9]+|[0-9]*\\.[0-9]+|[0-9]+)"),
  ],
  [
    "MARK",
    at("<<\\(|\\)>>|<<|>>|\\{\\||\\|\\}|\\|\\||&&|\\^\\^|<=|>=|!=|[{}\\[\\]\\(\\);,.+\\-*\\/<>=!\\^\\|~?]"),
  ],
  ["COMMENT", at("#[^\\r\\n]*")],
  ["STRING", at(`${long("'")}|${long('"')}|${short("'")}|${short('"')}`)],
  ["LANG_DIR", at("@[A-Za-z]+(?:-[A-Za-z0-9]+)*(?:--[A-Za-z]+)?")],
  ["BLANK_NODE_LABEL", at(`_:[${PN_CHARS_U}0-9][${PN_CHARS}]*(?:\\.+[${PN_CHARS}]+)*`)],
];
const PREFIXED_NAME = at(`(?:${PN_PREFIX})?:(?:${PN_LOCAL})?`);
const A_WORD = at(WORD);
const MORE_OF_A_NAME = at(`\\.*[${PN_CHARS}]`);
const RUN = at(PN_PREFIX);
const WHITE_SPACE = at("[ \\t\\r\\n]*");

/** The tokens of the text in order, comments included, white space not. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let position = 0;
  let runEnd = 0;
  while (true) {
    const start = position + (matched(WHITE_SPACE, text, position) ?? "").length;
    if (start >= text.length) return found;
    const inRun = position < runEnd;
    const next = one(text, start, inRun);
    if (next === null) {
      // A run of what could be a prefix and has no colon is read again without names.
      runEnd = start + (matched(RUN, text, start) ?? "").length;
      position = start;
      continue;
    }
    const end = start + next[1].length;
    found.push({ kind: next[0], text: next[1], start, end });
    position = end;
  }
}

/** The kind and the text of the token that begins there; null where a run does. */
function one(text: string, start: number, inRun: boolean): [Kind, string] | null {
  for (const [kind, pattern] of UNAMBIGUOUS) {
    const value = matched(pattern, text, start);
    if (value !== null) return [kind as Kind, value];
  }
  if (inRun) {
    const word = matched(A_WORD, text, start);
    return word === null ? ["UNKNOWN", text.slice(start)] : ["WORD", word];
  }
  const name = matched(PREFIXED_NAME, text, start);
  if (name !== null) return ["PREFIXED_NAME", name];
  const word = matched(A_WORD, text, start);
  if (word !== null && matched(MORE_OF_A_NAME, text, start + word.length) === null) {
    return ["WORD", word];
  }
  return matched(RUN, text, start) === null ? ["UNKNOWN", text.slice(start)] : null;
}

function matched(pattern: RegExp, text: string, start: number): string | null {
  pattern.lastIndex = start;
  return pattern.exec(text)?.[0] ?? null;
}

/** The UTF-16 offset of a line and column, both from 1, columns in code points; -1 for none. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let passed = 1; passed < line; passed++) {
    const end = text.indexOf("\n", start);
    if (end < 0) return -1;
    start = end + 1;
  }
  let offset = start;
  for (let passed = 1; passed < column && offset < text.length; passed++) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/** The prefixes that a text declares itself. */
export function declared(found: Token[]): Map<string, string> {
  const prefixes = new Map<string, string>();
  const code = found.filter((token) => token.kind !== "COMMENT");
  code.forEach((token, place) => {
    const [name, iri] = [code[place + 1], code[place + 2]];
    if (token.text.toUpperCase() !== "PREFIX" || !name || !iri) return;
    if (name.kind === "PREFIXED_NAME" && iri.kind === "IRIREF") {
      prefixes.set(name.text.slice(0, -1), iri.text.slice(1, -1));
    }
  });
  return prefixes;
}
