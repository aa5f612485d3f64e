// The editor of the query page: it asks the endpoint itself, and shows what comes back.
import { autocompletion, closeBrackets, completionKeymap, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineKeepIndent } from "@codemirror/commands";
import { EditorState, type Transaction } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { Asking, type Problem, Refused } from "./asking";
import { Completing } from "./completing";
import { button, html, numeral, sentence } from "./elements";
import { highlighting, isWrong, setWrong, tokenField } from "./highlighting";
import { Results } from "./results";
import { type Config, configOf } from "./settings-of-page";
import { offsetOf } from "./sparql";

const QUICK_MS = 2000;
const LONGEST_ADDRESS = 20_000;
const HINT =
  "Tab leaves the editor. Control and Space offers words, names and prefixes. Control and Enter runs the query.";

export function mount(place: HTMLElement): void {
  new Page(place, configOf(place));
}

class Page {
  private readonly form: HTMLFormElement;
  private readonly text: HTMLTextAreaElement;
  private readonly view: EditorView;
  private readonly run: HTMLButtonElement;
  private readonly cancel = button("Cancel", () => void this.asking?.cancel());
  private readonly clock = html("span", { class: "quiet" });
  private readonly limit: HTMLProgressElement;
  private readonly running: HTMLElement;
  /** Read out: that a query runs, that it ended, and how. */
  private readonly status = html("p", { role: "status", class: "unseen" });
  private readonly outcome = html("div");
  private asking: Asking | null = null;
  private shown = address();

  constructor(
    place: HTMLElement,
    private readonly config: Config,
  ) {
    this.form = needed(place, "form#ask");
    this.text = needed(place, "textarea");
    this.run = needed(place, ".run button");
    this.limit = html("progress", { max: String(config.deadline), "aria-label": "Of the time that a query may take" });
    this.running = html("p", { class: "run" }, this.cancel, this.limit, this.clock);
    this.running.hidden = true;
    const sent = place.querySelector<HTMLElement>(".answer, .error");
    this.view = this.edit(new Completing(config));
    this.run.parentElement?.after(this.running, this.status);
    this.form.addEventListener("submit", (event) => this.submitted(event));
    place.append(this.outcome);
    if (sent) this.outcome.append(sent);
    window.addEventListener("popstate", () => this.moved());
    this.goOn(sent);
  }

  /** The editor in place of the text area; in a shadow tree its styles need no inline style. */
  private edit(completing: Completing): EditorView {
    const host = html("div", { class: "code" });
    const root = host.attachShadow({ mode: "open" });
    const hint = html("p", { id: "hint" }, HINT);
    hint.hidden = true;
    const label = this.text.labels?.[0]?.textContent ?? "Query";
    root.append(hint);
    this.text.after(host);
    const view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: this.text.value,
        extensions: [
          keymap.of([
            { key: "Mod-Enter", run: () => (void this.ask(), true) },
            { key: "Ctrl-Space", run: startCompletion },
            { key: "Enter", run: insertNewlineKeepIndent },
          ]),
          // Completion takes Enter before that, while its list is open.
          autocompletion({ override: [completing.source], icons: false, defaultKeymap: true, maxRenderedOptions: 80 }),
          keymap.of([...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          history(),
          closeBrackets(),
          lineNumbers(),
          EditorView.lineWrapping,
          highlighting,
          EditorView.contentAttributes.of((view) => ({
            tabindex: "0",
            "aria-label": label,
            "aria-describedby": "hint",
            "aria-invalid": String(isWrong(view.state)),
            spellcheck: "false",
            autocapitalize: "off",
          })),
          EditorView.domEventHandlers({ beforeinput: typedOver }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) this.text.value = update.state.doc.toString();
          }),
        ],
      }),
    });
    this.text.hidden = true;
    this.text.required = false;
    this.text.labels?.[0]?.addEventListener("click", () => view.focus());
    const keys = html("p", { class: "quiet keys" });
    keys.append(html("kbd", {}, "Ctrl+Space"), " completes, ", html("kbd", {}, "Ctrl+Enter"), " runs, ", html("kbd", {}, "Tab"), " leaves.");
    host.after(keys);
    return view;
  }

  /** Shows what was wrong with what the server was asked, or opens its answer to sort and draw. */
  private goOn(sent: HTMLElement | null): void {
    const wrong = sent?.dataset["wrong"];
    if (wrong) {
      const { line, column } = JSON.parse(wrong) as Pick<Problem, "line" | "column">;
      this.underline(line, column);
    }
    const took = sent?.dataset["milliseconds"];
    if (took === undefined) return;
    if (Number(took) < QUICK_MS) void this.ask({ again: true, quick: true });
    else sent?.querySelector("h2")?.after(html("p", {}, button("Sort, filter or draw this answer", () => void this.ask({ again: true }))));
  }

  private submitted(event: SubmitEvent): void {
    const sender = event.submitter;
    // Cite and the like go to the server, with the query that stands in the editor.
    if (sender?.hasAttribute("formaction") || sender?.hasAttribute("name")) return;
    event.preventDefault();
    void this.ask();
  }

  /** Runs the query; `again` where it is what the page came with, `quick` where nobody waits for it. */
  private async ask({ again = false, quick = false } = {}): Promise<void> {
    if (this.asking) return;
    const query = this.view.state.doc.toString();
    const asking = new Asking(this.config, query);
    this.asking = asking;
    this.underline(null, null);
    const stop = this.tick(!again, !quick);
    try {
      const answer = await asking.answer();
      const results = new Results(answer, query, this.config);
      if (!again) this.remember(results.permalink);
      this.show(results.place, again ? "" : results.sentence);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.refuse(error.problem, query);
    } finally {
      stop();
      this.asking = null;
    }
  }

  /** Says how long the query runs, and gives what ends that. */
  private tick(aloud: boolean, seen: boolean): () => void {
    const started = performance.now();
    const show = (): void => {
      const seconds = (performance.now() - started) / 1000;
      this.limit.value = Math.min(seconds, this.config.deadline);
      this.clock.textContent = `${Math.floor(seconds)} s of at most ${numeral(this.config.deadline)} s; at most ${numeral(this.config.rows)} rows`;
    };
    show();
    this.run.setAttribute("aria-disabled", "true");
    this.outcome.setAttribute("aria-busy", "true");
    const waiting = window.setTimeout(() => {
      this.running.hidden = !seen; // Over an answer that is there it would only push that down.
      if (aloud) this.outcome.replaceChildren(); // What is there is the answer to another query.
    }, 250);
    const ticking = window.setInterval(show, 500);
    if (aloud) this.status.textContent = "The query runs.";
    return () => {
      clearTimeout(waiting);
      clearInterval(ticking);
      if (this.running.contains(document.activeElement)) this.run.focus();
      this.running.hidden = true;
      this.run.removeAttribute("aria-disabled");
      this.outcome.removeAttribute("aria-busy");
    };
  }

  private show(place: HTMLElement, sentence: string): void {
    this.outcome.replaceChildren(place);
    this.status.textContent = sentence;
  }

  private refuse(problem: Problem, query: string): void {
    const where = problem.line && problem.column ? `Line ${problem.line}, column ${problem.column}. ` : "";
    const told = html("section", { class: "error", "aria-labelledby": "wrong" });
    told.append(html("h2", { id: "wrong" }, "No answer"), html("p", {}, `${sentence(problem.detail)} ${problem.remedy}`));
    const line = query.split("\n")[(problem.line ?? 0) - 1];
    if (where && line !== undefined) {
      const go = button(`Go to line ${problem.line}`, () => this.goTo(problem));
      told.append(html("p", {}, where), html("pre", {}, html("code", {}, line.slice(0, 300))), html("p", {}, go));
    }
    this.show(told, `No answer. ${sentence(problem.detail)}`);
    this.underline(problem.line, problem.column);
  }

  /** Underlines the token at that place, or the end of the text; nothing for null. */
  private underline(line: number | null, column: number | null): void {
    const { state } = this.view;
    if (!line || !column) {
      this.view.dispatch({ effects: setWrong.of(null) });
      return;
    }
    const at = offsetOf(state.doc.toString(), line, column);
    const found = state.field(tokenField);
    const token = found.find((each) => each.start <= at && at < each.end) ?? found.find((each) => each.start >= at) ?? found.at(-1);
    if (at < 0 || !token) return;
    // What has no end runs to the end of the text: its first line says enough.
    const end = token.kind === "UNKNOWN" ? Math.min(token.end, state.doc.lineAt(token.start).to) : token.end;
    const from = token.start;
    this.view.dispatch({ effects: setWrong.of({ from, to: Math.max(end, from + 1) }) });
  }

  private goTo(problem: Problem): void {
    const at = offsetOf(this.view.state.doc.toString(), problem.line ?? 1, problem.column ?? 1);
    const anchor = Math.min(Math.max(at, 0), this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor }, scrollIntoView: true });
    this.view.focus();
  }

  private remember(permalink: string): void {
    if (permalink.length > LONGEST_ADDRESS) return;
    if (address() === permalink) return;
    window.history.pushState(null, "", permalink);
    this.shown = permalink;
  }

  /** The reader went back or on to another query; a place in this page is no other. */
  private moved(): void {
    if (address() !== this.shown) location.reload();
  }
}

function address(): string {
  return `${location.pathname}${location.search}`;
}

/** What is typed over a selection: a browser would keep its look as inline style, which is refused. */
function typedOver(event: InputEvent, view: EditorView): boolean {
  const { from, to } = view.state.selection.main;
  const text = event.data;
  if (event.inputType !== "insertText" || text === null || from === to || view.composing) return false;
  event.preventDefault();
  const insert = (): Transaction =>
    view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
  const taken = view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, text, insert));
  if (!taken) view.dispatch(insert());
  return true;
}

function needed<Found extends HTMLElement>(place: HTMLElement, selector: string): Found {
  const found = place.querySelector<Found>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}
