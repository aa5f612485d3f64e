// A table of any number of solutions: sorted, filtered, and shown one part at a time.
import { button, html, numeral, shortened } from "./elements";
import { type Binding, NUMERIC, type SparqlResults } from "./results-type";
import { address } from "./server";

type Row = Record<string, Binding>;
type Named = Record<string, { text: string; language: string; place: string }>;

const PART = 100;
const MOST_NAMED = 500;
const PLAIN = /#(?:string|langString|boolean|date)$/;
const FILTER_MS = 200;

export class ResultTable {
  readonly place = html("div");
  private readonly variables: string[];
  private readonly rows: Row[];
  private shown: Row[];
  private first = 0;
  private sorted: { variable: string; down: boolean } | null = null;
  private iris = false;
  private readonly named: Named = {};
  /** The links of the rows that are shown, each with its IRI. */
  private readonly links = new Map<HTMLElement, string>();
  private readonly count = html("p", { role: "status" });
  private readonly region = html("div", {
    class: "scroll",
    role: "region",
    "aria-label": "What matches",
    tabindex: "0",
  });
  private readonly pager = html("nav", { class: "pager", "aria-label": "Parts of the answer" });
  private readonly filter = html("input", { type: "search", autocomplete: "off" });

  constructor(
    results: SparqlResults,
    private readonly labels: string,
  ) {
    this.variables = results.head.vars;
    this.rows = results.results.bindings;
    this.shown = this.rows;
    if (this.rows.length > 1) this.place.append(this.controls());
    else if (this.hasIris()) this.place.append(this.irisBox());
    this.place.append(this.count, this.region, this.pager);
    this.show();
  }

  private controls(): HTMLElement {
    let waiting = 0;
    this.filter.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = window.setTimeout(() => this.arrange(), FILTER_MS);
    });
    const label = html("label", {}, "Only rows with ", this.filter);
    return html("div", { class: "fields" }, label, ...(this.hasIris() ? [this.irisBox()] : []));
  }

  private hasIris(): boolean {
    return this.rows.slice(0, PART).some((row) => Object.values(row).some((term) => term.type === "uri"));
  }

  private irisBox(): HTMLElement {
    const box = html("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      this.iris = box.checked;
      this.show();
    });
    return html("label", { class: "choice" }, box, " Show IRIs");
  }

  /** Filters and sorts all rows anew, and shows the first part. */
  private arrange(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    const rows = wanted ? this.rows.filter((row) => this.has(row, wanted)) : [...this.rows];
    this.shown = this.sorted ? this.inOrder(rows, this.sorted) : rows;
    this.first = 0;
    this.show();
  }

  private has(row: Row, wanted: string): boolean {
    return this.variables.some((variable) => {
      const term = row[variable];
      if (!term) return false;
      const label = this.named[term.value]?.text ?? "";
      return term.value.toLowerCase().includes(wanted) || label.toLowerCase().includes(wanted);
    });
  }

  private inOrder(rows: Row[], by: { variable: string; down: boolean }): Row[] {
    const collator = new Intl.Collator("en", { numeric: true });
    const keyed = rows.map((row) => ({ row, key: this.key(row[by.variable]) }));
    const sign = by.down ? -1 : 1;
    keyed.sort(({ key: one }, { key: other }) => {
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      if (typeof one === "number" && typeof other === "number") return sign * (one - other);
      if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
      return sign * collator.compare(String(one), String(other));
    });
    return keyed.map(({ row }) => row);
  }

  private key(term: Binding | undefined): string | number | null {
    if (!term) return null;
    if (NUMERIC.test(term.datatype ?? "")) return Number(term.value);
    return (!this.iris && this.named[term.value]?.text) || written(term);
  }

  private async sort(variable: string): Promise<void> {
    const down = this.sorted?.variable === variable && !this.sorted.down;
    this.sorted = { variable, down };
    const iris = this.shown.map((row) => row[variable]).filter((term) => term?.type === "uri");
    const unnamed = new Set(iris.map((term) => term?.value ?? "").filter((iri) => !(iri in this.named)));
    // By name, where the names are few enough to ask for.
    if (unnamed.size <= MOST_NAMED) await this.name(unnamed);
    this.arrange();
    this.region.querySelector<HTMLElement>("[aria-sort] button")?.focus();
  }

  private show(): void {
    const rows = this.shown.slice(this.first, this.first + PART);
    const last = this.first + rows.length;
    const of = this.shown.length === this.rows.length ? "" : ` that match, of ${numeral(this.rows.length)}`;
    this.count.textContent = !rows.length
      ? `No rows${of}.`
      : this.shown.length > PART
        ? `Rows ${numeral(this.first + 1)}–${numeral(last)} of ${numeral(this.shown.length)}${of}.`
        : of && `${numeral(this.shown.length)} ${this.shown.length === 1 ? "row" : "rows"}${of}.`;
    this.links.clear();
    const body = html("tbody", {}, ...rows.map((row) => this.line(row)));
    const head = html("thead", {}, html("tr", {}, ...this.variables.map((each) => this.head(each))));
    this.region.replaceChildren(html("table", {}, head, body));
    this.page();
    void this.rename(rows);
  }

  private head(variable: string): HTMLElement {
    const of = this.sorted?.variable === variable ? this.sorted : null;
    const cell = html("th", { scope: "col" });
    if (of) cell.setAttribute("aria-sort", of.down ? "descending" : "ascending");
    if (this.rows.length < 2) {
      cell.append(variable);
      return cell;
    }
    const sort = button(variable, () => void this.sort(variable));
    const mark = html("span", { "aria-hidden": "true" }, of ? (of.down ? " ▼" : " ▲") : " ↕");
    sort.append(mark);
    cell.append(sort);
    return cell;
  }

  private line(row: Row): HTMLElement {
    return html("tr", {}, ...this.variables.map((variable) => this.cell(row[variable])));
  }

  private cell(term: Binding | undefined): HTMLElement {
    if (!term) return html("td", { class: "quiet" }, "–");
    if (term.type === "uri") return html("td", {}, this.link(term.value));
    const type = term.datatype ?? "";
    const cell = html("td", NUMERIC.test(type) ? { class: "number" } : {});
    if (term.type === "literal" || term.type === "typed-literal") {
      const language = term["xml:lang"];
      const text = html("bdi", { class: "literal" }, shortened(term.value));
      if (language) text.lang = language;
      cell.append(text);
      if (type && !NUMERIC.test(type) && !PLAIN.test(type)) {
        cell.append(" ", html("small", { class: "quiet" }, type.split(/[/#]/).pop() ?? type));
      }
    } else {
      cell.append(html("code", {}, shortened(written(term))));
    }
    return cell;
  }

  private link(iri: string): HTMLElement {
    const named = this.iris ? undefined : this.named[iri];
    const text = html("bdi", {}, shortened(named?.text ?? iri));
    if (named?.language) text.lang = named.language;
    const href = named?.place ?? address(iri);
    const made = html("a", { href, title: shortened(iri) }, text);
    this.links.set(made, iri);
    return made;
  }

  private page(): void {
    const parts = [];
    if (this.first > 0) parts.push(button("Earlier rows", () => this.turn(-PART)));
    if (this.first + PART < this.shown.length) parts.push(button("Next rows", () => this.turn(PART)));
    this.pager.hidden = !parts.length;
    this.pager.replaceChildren(...parts);
  }

  private turn(by: number): void {
    this.first = Math.max(this.first + by, 0);
    this.show();
    this.region.focus();
    this.region.scrollIntoView({ block: "nearest" });
  }

  /** Shows the names of what these rows have, as soon as they are there. */
  private async rename(rows: Row[]): Promise<void> {
    if (this.iris) return;
    const iris = new Set(
      rows.flatMap((row) => this.variables.map((each) => row[each]).filter((it) => it?.type === "uri")).map((it) => it?.value ?? ""),
    );
    const unnamed = [...iris].filter((iri) => !(iri in this.named));
    if (!unnamed.length) return;
    await this.name(unnamed);
    for (const [link, iri] of [...this.links]) {
      if (iri in this.named && !this.iris && link.isConnected) link.replaceWith(this.link(iri));
    }
  }

  private async name(iris: Iterable<string>): Promise<void> {
    const all = [...iris];
    for (let done = 0; done < all.length; done += MOST_NAMED) {
      const form = new URLSearchParams(all.slice(done, done + MOST_NAMED).map((iri) => ["iri", iri]));
      try {
        const response = await fetch(this.labels, { method: "POST", body: form });
        if (response.ok) Object.assign(this.named, await response.json());
      } catch {
        return; // IRIs do as well.
      }
    }
  }
}

/** A term as text, a triple term as SPARQL writes it. */
export function written(term: Binding): string {
  if (term.type === "bnode") return `_:${term.value}`;
  if (term.type !== "triple") return term.value;
  const inner = term.value as unknown as { subject: Binding; predicate: Binding; object: Binding };
  const part = (each: Binding): string => (each.type === "uri" ? `<${each.value}>` : each.type === "literal" ? JSON.stringify(each.value) : written(each));
  return `<<( ${part(inner.subject)} ${part(inner.predicate)} ${part(inner.object)} )>>`;
}
