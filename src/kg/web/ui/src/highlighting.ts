// The colours of tokens, and the line below the place where something is wrong.
import { type EditorState, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { type Kind, type Token, tokens } from "./sparql";

/** The tokens of the document as it is now. */
export const tokenField = StateField.define<Token[]>({
  create: (state) => tokens(state.doc.toString()),
  update: (found, change) => (change.docChanged ? tokens(change.state.doc.toString()) : found),
});

/** Where something is wrong; null where nothing is known to be. */
export const setWrong = StateEffect.define<{ from: number; to: number } | null>();

export const wrongField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(found, change) {
    let now = change.docChanged ? Decoration.none : found;
    for (const effect of change.effects) {
      if (!effect.is(setWrong)) continue;
      const at = effect.value;
      now = at && at.from < at.to ? Decoration.set([WRONG.range(at.from, at.to)]) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function isWrong(state: EditorState): boolean {
  return state.field(wrongField).size > 0;
}

const WRONG = Decoration.mark({ class: "wrong" });

const CLASSES: Partial<Record<Kind, Decoration>> = Object.fromEntries(
  (
    [
      ["WORD", "word"],
      ["VAR", "variable"],
      ["IRIREF", "name"],
      ["PREFIXED_NAME", "name"],
      ["BLANK_NODE_LABEL", "name"],
      ["STRING", "string"],
      ["LANG_DIR", "string"],
      ["NUMERIC_LITERAL", "string"],
      ["COMMENT", "comment"],
      ["UNKNOWN", "unknown"],
    ] as const
  ).map(([kind, name]) => [kind, Decoration.mark({ class: `token-${name}` })]),
);

const coloured = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = colours(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.viewportChanged) this.decorations = colours(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function colours(view: EditorView): DecorationSet {
  const { from, to } = view.viewport;
  const marks = [];
  for (const token of view.state.field(tokenField)) {
    if (token.end <= from) continue;
    if (token.start >= to) break;
    const mark = CLASSES[token.kind];
    if (mark) marks.push(mark.range(token.start, token.end));
  }
  return Decoration.set(marks);
}

const theme = EditorView.theme({
  "&": {
    color: "var(--text)",
    backgroundColor: "var(--ground)",
    border: "1px solid var(--edge)",
    borderRadius: "var(--radius)",
    fontSize: "0.92rem",
  },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "28rem", overflow: "auto" },
  ".cm-content": { minHeight: "10rem", caretColor: "var(--text)", padding: "0.5rem 0" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "0" },
  ".token-word": { color: "var(--data-4)", fontWeight: "600" },
  ".token-variable": { color: "var(--data-2)" },
  ".token-name": { color: "var(--data-1)" },
  ".token-string": { color: "var(--data-3)" },
  ".token-comment": { color: "var(--quiet)", fontStyle: "italic" },
  ".token-unknown": { color: "var(--bad)" },
  ".wrong": { textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px", backgroundColor: "var(--mark)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    border: "1px solid var(--edge)",
    borderRadius: "var(--radius)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem", maxWidth: "min(40rem, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.5rem", minHeight: "24px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--link)",
    color: "var(--ground)",
  },
  ".cm-completionDetail": { fontStyle: "normal", color: "var(--quiet)", fontFamily: "system-ui, sans-serif" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
});

export const highlighting: Extension = [tokenField, wrongField, coloured, theme];
