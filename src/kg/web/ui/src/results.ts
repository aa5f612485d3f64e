// What came back of a query: a table, a chart, a map, the server's own text, and ways to keep it.
import type { Answer } from "./asking";
import { button, html, numeral } from "./elements";
import type { SparqlResults } from "./results-type";
import type { Config } from "./settings-of-page";
import { curl, python } from "./snippets";
import { ResultTable } from "./table";
import { tabs } from "./tabs";

const RAW = 50_000;
const LONGEST_LINK = 4000;
const TYPES: Record<string, string> = { json: "application/sparql-results+json", turtle: "text/turtle" };

export class Results {
  readonly place = html("section", { class: "answer", "aria-labelledby": "answer" });
  /** What came back, in a sentence that is read out. */
  readonly sentence: string;
  private readonly endpoint: string;
  private readonly formats: [string, string][];

  constructor(
    private readonly answer: Answer,
    private readonly query: string,
    private readonly config: Config,
  ) {
    const isGraph = answer.type === "text/turtle";
    const found = isGraph ? null : (JSON.parse(answer.text) as Partial<SparqlResults> & { boolean?: boolean });
    this.endpoint = `${config.base}r/${answer.release}/sparql`;
    this.formats = isGraph ? config.graphs : config.solutions;
    this.sentence = this.told(found);
    this.place.append(
      html("h2", { id: "answer" }, "Answer"),
      html("p", {}, this.sentence, " ", html("span", { class: "quiet" }, this.time())),
      this.shown(found),
      html("h3", { id: "take" }, "Take it along"),
      this.downloads(),
      this.links(),
      this.snippet("As a command of curl", curl(this.endpoint, query, this.type())),
      this.snippet("As a program in Python", python(this.endpoint, query, this.type())),
    );
  }

  /** The address of this answer: it names the release, and is good as long as that is kept. */
  get permalink(): string {
    const asked = new URLSearchParams({ query: this.query });
    return `${this.config.root}/r/${this.answer.release}/query?${asked}`;
  }

  private told(found: (Partial<SparqlResults> & { boolean?: boolean }) | null): string {
    const release = `release ${this.answer.release}`;
    if (found === null) return `A graph, from ${release}.`;
    if (found.boolean !== undefined) {
      return found.boolean ? `Yes. ${release} has what the query asks for.`.replace("release", "Release") : `No. Nothing in ${release} is as the query asks.`;
    }
    const rows = found.results?.bindings.length ?? 0;
    if (!rows) return `Nothing in ${release} is as the query asks.`;
    return `${numeral(rows)} ${rows === 1 ? "row" : "rows"}, from ${release}.`;
  }

  private time(): string {
    const all = `${seconds(this.answer.elapsed)} until all was here`;
    return this.answer.worked === null ? all : `${all}, ${seconds(this.answer.worked)} of it in the query`;
  }

  private shown(found: (Partial<SparqlResults> & { boolean?: boolean }) | null): HTMLElement {
    const results = found?.results && found.head ? (found as SparqlResults) : null;
    if (results ? !results.results.bindings.length : found?.boolean !== undefined) return html("div");
    if (!results) return this.raw();
    return tabs("Ways to see the answer", [
      { name: "Table", fill: (panel) => panel.append(new ResultTable(results, this.config.labels).place) },
      {
        name: "Chart",
        fill: async (panel) => {
          const { drawChart } = await import("./chart");
          await drawChart(panel, results);
        },
      },
      {
        name: "Map",
        fill: async (panel) => {
          const { drawMap } = await import("./map");
          await drawMap(panel, results);
        },
      },
      { name: "Raw", fill: (panel) => panel.append(this.raw()) },
    ]);
  }

  /** The server's own text, as much of it as a screen takes. */
  private raw(): HTMLElement {
    const { text } = this.answer;
    const place = html("div");
    if (text.length > RAW) {
      const told = `The first ${numeral(RAW)} of ${numeral(text.length)} characters; the formats below have all.`;
      place.append(html("p", {}, told));
    }
    const shown = html("pre", {}, html("code", {}, text.slice(0, RAW)));
    place.append(
      html("div", { class: "scroll tall", role: "region", "aria-label": "The answer as text", tabindex: "0" }, shown),
    );
    return place;
  }

  private downloads(): HTMLElement {
    const list = html("ul", { class: "formats", "aria-labelledby": "take" });
    for (const [format, label] of this.formats) {
      const asked = new URLSearchParams({ query: this.query, format });
      const link = `${this.config.root}/r/${this.answer.release}/sparql?${asked}`;
      const whole =
        link.length <= LONGEST_LINK
          ? html("a", { href: link }, label)
          : this.form(`/r/${this.answer.release}/sparql`, { query: this.query, format }, label);
      list.append(html("li", {}, whole));
    }
    return list;
  }

  private links(): HTMLElement {
    const place = html("p", { class: "run" });
    const link = html("a", { href: this.permalink }, "A link to this answer");
    place.append(html("span", {}, link, " names the release, and leads to the same answer as long as that release is kept."));
    if (this.config.cite) {
      place.append(this.form(this.config.cite.slice(this.config.root.length), { query: this.query, release: this.answer.release }, "Cite it"));
    }
    return place;
  }

  /** A button that sends a form to the server: what it sends is too long for an address, or stores. */
  private form(path: string, fields: Record<string, string>, label: string): HTMLElement {
    const inputs = Object.entries(fields).map(([name, value]) => {
      const input = html("input", { type: "hidden", name });
      input.value = value;
      return input;
    });
    return html("form", { method: "post", action: `${this.config.root}${path}` }, ...inputs, html("button", {}, label));
  }

  private snippet(title: string, text: string): HTMLElement {
    const told = html("span", { role: "status", class: "quiet" });
    const copy = button("Copy", () => {
      copied(text).then(
        () => (told.textContent = " Copied."),
        () => (told.textContent = " Not copied: select the text above."),
      );
    });
    const shown = html("pre", { tabindex: "0" }, html("code", {}, text));
    return html("details", {}, html("summary", {}, title), shown, html("p", {}, copy, told));
  }

  private type(): string {
    return TYPES[this.formats[0]?.[0] ?? "json"] ?? "*/*";
  }
}

/** Puts the text on the clipboard, which browsers offer on secure pages alone. */
async function copied(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.max(Math.round(milliseconds), 1)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
