// The island of the chart: results of a query as bars, as points with intervals, or as lines.
import { scaleLinear, scaleUtc } from "d3-scale";
import { atEachWidth, choice, unused } from "./drawing";
import { html, numeral, shortened, svg } from "./elements";
import { type Binding, NUMERIC, type SparqlResults } from "./results-type";
import { labelsOf, localName } from "./server";

type Form = "bars" | "intervals" | "lines";
type Choice = { form: Form; name: string; number: string; lower: string; upper: string };
/** `bare`: it has IRIs that nothing is called by. */
type Column = { name: string; numeric: boolean; dated: boolean; bare: boolean };
/** Whether a bound is a value too: a result may tell by a column such as ?lowerOpen. */
type End = "open" | "closed" | "untold";
/** The numbers of a row; one that is not there is NaN. */
type Numbers = { number: number; lower: number; upper: number; lowerEnd: End; upperEnd: End };
/** One row to draw. */
type Mark = Numbers & { name: string; group: string; at: number; told: string };
type Drawing = { svg: SVGSVGElement; marks: SVGElement[] };

const MOST_MARKS = 200;
const MOST_LOOKED_AT = 1000;
const ROW = 26;
const SERIES = 4;
const FORMS = { bars: "Bars", intervals: "Points and intervals", lines: "Lines over time" };

export async function mount(place: HTMLElement): Promise<void> {
  const written = place.querySelector('script[type="application/json"]')?.textContent;
  if (written) await drawChart(place, JSON.parse(written) as SparqlResults);
}

/** A chart of the results, with choices of what is on which axis; or what it would need. */
export async function drawChart(place: HTMLElement, results: SparqlResults): Promise<void> {
  const labels = await labelsOf(irisOf(results));
  const columns = results.head.vars.map((name) => columnOf(results, name, labels));
  const numbers = columns.filter((column) => column.numeric);
  if (!numbers.length) {
    place.replaceChildren(
      html("p", { class: "note" },
        "No column of this result has numbers, and a chart needs one, such as ?value in "
        + "“?claim sdmx-measure:obsValue ?value”. The table has everything."),
    );
    return;
  }
  const draw = (chosen: Choice): void => show(place, results, columns, labels, chosen, draw);
  draw(firstChoice(columns, numbers));
}

// --- what is chosen -------------------------------------------------------------------------

function columnOf(results: SparqlResults, name: string, labels: Map<string, string>): Column {
  const values = results.results.bindings.flatMap((row) => row[name] ?? []).slice(0, MOST_LOOKED_AT);
  const dated = values.length > 0 && values.every((value) => momentOf(value) !== undefined);
  const numeric = values.length > 0 && !dated && values.every((value) => numberOf(value) !== undefined);
  const bare = values.some(({ type, value }) => type === "uri" && !labels.has(value));
  return { name, numeric, dated, bare };
}

function firstChoice(columns: Column[], numbers: Column[]): Choice {
  const called = (pattern: RegExp): string => numbers.find((column) => pattern.test(column.name))?.name ?? "";
  const [lower, upper] = [called(/^(lower|least|low|min)/i), called(/^(upper|most|high|max)/i)];
  const bounds = new Set([lower, upper]);
  const number = called(/^(value|number|obsValue)$/i) || (numbers.find((column) => !bounds.has(column.name))?.name ?? "");
  const dated = columns.find((column) => column.dated)?.name;
  const worded = columns.filter((column) => !column.numeric && !column.dated);
  const words = (worded.find((column) => !column.bare) ?? worded[0])?.name ?? "";
  if (lower || upper) return { form: "intervals", name: words, number, lower, upper };
  if (dated && !words) return { form: "lines", name: dated, number, lower: "", upper: "" };
  return { form: "bars", name: words || (dated ?? ""), number, lower: "", upper: "" };
}

function choices(columns: Column[], chosen: Choice, draw: (chosen: Choice) => void): HTMLElement {
  const numbers = columns.filter((column) => column.numeric);
  const dated = columns.some((column) => column.dated);
  const named = (list: Column[]): [string, string][] => list.map(({ name }) => [name, `?${name}`]);
  const forms = (Object.entries(FORMS) as [Form, string][]).filter(([form]) => form !== "lines" || dated);
  const fields = html("div", { class: "fields" });
  fields.append(
    choice("Kind of chart", forms, chosen.form, (form) => {
      const name = form === "lines" ? (columns.find((column) => column.dated)?.name ?? "") : chosen.name;
      draw({ ...chosen, form: form as Form, name });
    }),
  );
  const names = chosen.form === "lines" ? columns.filter((column) => column.dated) : columns.filter((column) => !column.numeric);
  fields.append(
    choice(chosen.form === "lines" ? "Time" : "Names", [...named(names), ["", "Number of the row"]], chosen.name, (name) => draw({ ...chosen, name })),
    choice("Number", [...named(numbers), ...(chosen.form === "intervals" ? [["", "None"] as [string, string]] : [])], chosen.number, (number) => draw({ ...chosen, number })),
  );
  if (chosen.form === "intervals") {
    const bounds: [string, string][] = [["", "None"], ...named(numbers)];
    fields.append(
      choice("Lower bound", bounds, chosen.lower, (lower) => draw({ ...chosen, lower })),
      choice("Upper bound", bounds, chosen.upper, (upper) => draw({ ...chosen, upper })),
    );
  }
  return fields;
}

// --- what is drawn --------------------------------------------------------------------------

function show(
  place: HTMLElement,
  results: SparqlResults,
  columns: Column[],
  labels: Map<string, string>,
  chosen: Choice,
  draw: (chosen: Choice) => void,
): void {
  const focused = focusedChoice(place);
  const marks = marksOf(results, columns, labels, chosen);
  const drawn = marks.slice(0, MOST_MARKS);
  const canvas = html("div", { class: "chart-canvas" });
  const told = html("output", { class: "chart-told" });
  place.replaceChildren(choices(columns, chosen, draw), ...notes(results.results.bindings.length, marks.length, drawn.length), canvas);
  if (drawn.length) {
    let shown: SVGElement[] = [];
    const slider = stepper(drawn, told, () => shown);
    place.append(slider);
    atEachWidth(canvas, (width) => {
      const { svg: drawing, marks: elements } = chosen.form === "lines" ? lines(drawn, chosen, width) : rows(drawn, chosen, width);
      shown = elements;
      canvas.replaceChildren(drawing);
    });
  }
  if (focused !== undefined) place.querySelectorAll("select")[focused]?.focus();
}

/** Which of the choices has the focus, which drawing anew would take away. */
function focusedChoice(place: HTMLElement): number | undefined {
  const index = [...place.querySelectorAll("select")].findIndex((each) => each === document.activeElement);
  return index < 0 ? undefined : index;
}

function notes(all: number, usable: number, drawn: number): HTMLElement[] {
  const said = [];
  if (usable < all) said.push(`${numeral(all - usable)} of ${numeral(all)} rows have nothing to draw here; the table has them.`);
  if (drawn < usable) said.push(`Only the first ${drawn} of ${numeral(usable)} rows are drawn: ask for fewer, or take another order.`);
  return said.map((text) => html("p", { class: "note" }, text));
}

function marksOf(results: SparqlResults, columns: Column[], labels: Map<string, string>, chosen: Choice): Mark[] {
  const grouping = columns.find((column) => !column.numeric && !column.dated)?.name;
  return results.results.bindings.flatMap((row, index) => {
    const name = chosen.name ? textOf(row[chosen.name], labels) : String(index + 1);
    const numbers = numbersOf(row, columns, chosen);
    const at = chosen.form === "lines" ? (momentOf(row[chosen.name]) ?? NaN) : index;
    if ([numbers.number, numbers.lower, numbers.upper].every(Number.isNaN) || Number.isNaN(at)) return [];
    const group = chosen.form === "lines" && grouping ? textOf(row[grouping], labels) : "";
    const words = chosen.form === "intervals" ? said(numbers, Boolean(chosen.lower || chosen.upper)) : numeral(numbers.number);
    return [{ ...numbers, name, group, at, told: `${group ? `${group}, ` : ""}${name}: ${words}` }];
  }).sort((one, two) => one.at - two.at);
}

function numbersOf(row: Record<string, Binding>, columns: Column[], chosen: Choice): Numbers {
  const bound = (name: string): number => (chosen.form === "intervals" ? numberOf(row[name]) : undefined) ?? NaN;
  const end = (name: string): End => {
    const flag = `${name}Open`;
    if (!columns.some((column) => column.name === flag)) return "untold";
    return /^(true|1)$/.test(row[flag]?.value ?? "") ? "open" : "closed";
  };
  return {
    number: numberOf(row[chosen.number]) ?? NaN,
    lower: bound(chosen.lower),
    upper: bound(chosen.upper),
    lowerEnd: end(chosen.lower),
    upperEnd: end(chosen.upper),
  };
}

/** What a row says, and no more: a bound of which nothing is told is neither open nor closed. */
function said(numbers: Numbers, bounded: boolean): string {
  const { number, lower, upper } = numbers;
  const [low, high] = [!Number.isNaN(lower), !Number.isNaN(upper)];
  if (lower === upper && lower === number) return numeral(number);
  const parts = Number.isNaN(number) || isLoneBound(numbers) ? [] : [numeral(number)];
  if (low && high && numbers.lowerEnd !== "open" && numbers.upperEnd !== "open") parts.push(`between ${numeral(lower)} and ${numeral(upper)}`);
  else {
    if (low) parts.push({ open: `more than ${numeral(lower)}`, closed: `${numeral(lower)} or more`, untold: `lower bound ${numeral(lower)}` }[numbers.lowerEnd]);
    if (high) parts.push({ open: `less than ${numeral(upper)}`, closed: `${numeral(upper)} or less`, untold: `upper bound ${numeral(upper)}` }[numbers.upperEnd]);
  }
  if (bounded && !low && !high) parts.push("no bounds given");
  return parts.join(", ");
}

/** Whether its number is no value but the one bound that it has, as in “more than 40,000”. */
function isLoneBound({ number, lower, upper }: Numbers): boolean {
  return (number === lower && Number.isNaN(upper)) || (number === upper && Number.isNaN(lower));
}

/** A slider through the marks: the keyboard's way to read each of them. */
function stepper(marks: Mark[], told: HTMLOutputElement, elements: () => SVGElement[]): HTMLElement {
  const slider = html("input", { type: "range", min: 1, max: marks.length, value: 1, step: 1, id: unused() });
  const tell = (): void => {
    const index = Number(slider.value) - 1;
    const words = shortened(marks[index]?.told ?? "", 300);
    told.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    elements().forEach((element, at) => element.classList.toggle("chosen", at === index));
  };
  slider.addEventListener("input", tell);
  slider.setAttribute("aria-valuetext", shortened(marks[0]?.told ?? "", 300));
  return html("div", { class: "chart-step" }, html("div", {}, html("label", { for: slider.id }, "Read row by row"), slider), told);
}

// --- bars, points and intervals ---------------------------------------------------------------

function rows(marks: Mark[], chosen: Choice, width: number): Drawing {
  const left = Math.min(220, Math.max(80, Math.floor(width * 0.3)));
  const [top, bottom, right] = [8, 44, 28];
  const height = top + marks.length * ROW + bottom;
  const values = marks.flatMap((mark) => [mark.number, mark.lower, mark.upper]).filter((value) => !Number.isNaN(value));
  const scale = scaleLinear().domain([Math.min(0, ...values), Math.max(0, ...values) || 1]).range([left, width - right]).nice(5);
  const drawing = canvas(width, height, chosen);
  axis(drawing, scale.ticks(Math.max(2, Math.min(8, Math.floor((width - left) / 80)))), scale, top, height - bottom);
  drawing.append(svg("text", { x: width - right, y: height - 6, "text-anchor": "end", class: "axis-name" }, axisName(chosen)));
  const elements = marks.map((mark, index) => {
    const y = top + index * ROW + ROW / 2;
    const element = svg("g", { class: "mark" }, svg("title", {}, shortened(mark.told, 300)));
    element.append(svg("text", { x: left - 8, y, dy: "0.35em", "text-anchor": "end" }, shortened(mark.name, Math.floor(left / 7.5))));
    element.append(...(chosen.form === "bars" ? [bar(mark, scale, y)] : interval(mark, scale, y, [left, width - right])));
    drawing.append(element);
    return element;
  });
  return { svg: drawing, marks: elements };
}

type Scale = (value: number) => number;

function bar(mark: Mark, scale: Scale, y: number): SVGElement {
  const [from, to] = [scale(0), scale(mark.number)];
  return svg("rect", { x: Math.min(from, to), y: y - 8, width: Math.max(1, Math.abs(to - from)), height: 16, class: "data" });
}

/**
 * An end that is not known runs to the edge as an arrow. One that is a value too ends in a bar, one
 * that is none in a ring; where neither is told the line just ends. A number is a dot where its
 * bounds are it, a ring where it has none: it may be “about” so many.
 */
function interval(mark: Mark, scale: Scale, y: number, [left, right]: [number, number]): SVGElement[] {
  const parts: SVGElement[] = [];
  const [low, high] = [!Number.isNaN(mark.lower), !Number.isNaN(mark.upper)];
  if (low || high) {
    const from = low ? scale(mark.lower) : left + 2;
    const to = high ? scale(mark.upper) : right;
    parts.push(svg("line", { x1: from, x2: to, y1: y, y2: y, class: "data-line" }));
    parts.push(...(low ? end(mark.lowerEnd, from, y) : [arrow(from, y, 1)]), ...(high ? end(mark.upperEnd, to, y) : [arrow(to, y, -1)]));
  }
  if (!Number.isNaN(mark.number) && !isLoneBound(mark)) parts.push(low || high ? svg("circle", { cx: scale(mark.number), cy: y, r: 5, class: "data" }) : ring(scale(mark.number), y));
  return parts;
}

function end(kind: End, x: number, y: number): SVGElement[] {
  if (kind === "open") return [ring(x, y)];
  return kind === "closed" ? [svg("line", { x1: x, x2: x, y1: y - 6, y2: y + 6, class: "data-line" })] : [];
}

function ring(x: number, y: number): SVGElement {
  return svg("circle", { cx: x, cy: y, r: 4.5, class: "data-line ring" });
}

function arrow(x: number, y: number, to: 1 | -1): SVGElement {
  return svg("path", { d: `M${x + to * 7},${y - 5}L${x},${y}L${x + to * 7},${y + 5}`, class: "data-line" });
}

// --- lines ------------------------------------------------------------------------------------

function lines(marks: Mark[], chosen: Choice, width: number): Drawing {
  const [left, right, top, bottom] = [64, 16, 12, 48];
  const height = Math.max(240, Math.min(420, Math.floor(width * 0.5)));
  const values = marks.map((mark) => mark.number);
  const y = scaleLinear().domain([Math.min(0, ...values), Math.max(0, ...values) || 1]).range([height - bottom, top]).nice(5);
  const times = marks.map((mark) => mark.at);
  const x = scaleUtc().domain([Math.min(...times), Math.max(...times)]).range([left + 8, width - right]);
  const drawing = canvas(width, height, chosen);
  for (const tick of y.ticks(5)) {
    drawing.append(svg("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }));
    drawing.append(svg("text", { x: left - 8, y: y(tick), dy: "0.35em", "text-anchor": "end" }, numeral(tick)));
  }
  const format = x.tickFormat();
  for (const tick of x.ticks(Math.max(2, Math.min(8, Math.floor(width / 110))))) {
    drawing.append(svg("text", { x: x(tick), y: height - bottom + 18, "text-anchor": "middle" }, format(tick)));
  }
  drawing.append(svg("text", { x: width - right, y: height - 6, "text-anchor": "end", class: "axis-name" }, axisName(chosen)));
  const groups = [...new Set(marks.map((mark) => mark.group))];
  // More lines than can be told apart are no lines: then each number is a point.
  if (groups.length <= SERIES) groups.forEach((group, index) => drawing.append(line(marks.filter((mark) => mark.group === group), x, y, index)));
  const elements = marks.map((mark) => {
    const series = groups.length <= SERIES ? groups.indexOf(mark.group) + 1 : 1;
    const point = svg("circle", { cx: x(mark.at), cy: y(mark.number), r: 4, class: `data series-${series}` });
    const element = svg("g", { class: "mark" }, svg("title", {}, shortened(mark.told, 300)), point);
    drawing.append(element);
    return element;
  });
  return { svg: drawing, marks: elements };
}

function line(marks: Mark[], x: (at: number) => number, y: Scale, index: number): SVGElement {
  const group = svg("g", {});
  const d = marks.map((mark, at) => `${at ? "L" : "M"}${x(mark.at).toFixed(1)},${y(mark.number).toFixed(1)}`).join("");
  group.append(svg("path", { d, class: `data-line series-${index + 1} dash-${index + 1}` }));
  const last = marks.at(-1);
  // Its name stands at its end, so that colour is not all that tells it.
  if (last?.group) group.append(svg("text", { x: x(last.at) - 6, y: y(last.number) - 8, "text-anchor": "end" }, shortened(last.group, 30)));
  return group;
}

// --- both -------------------------------------------------------------------------------------

function canvas(width: number, height: number, chosen: Choice): SVGSVGElement {
  const what = `${FORMS[chosen.form]}: ${axisName(chosen)}${chosen.name ? ` by ?${chosen.name}` : ""}`;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": what, class: "chart" });
  drawing.append(svg("title", {}, what), svg("desc", {}, "Each row of the result is one mark; the table has the same numbers."));
  return drawing;
}

function axisName(chosen: Choice): string {
  const names = [chosen.number, chosen.form === "intervals" ? chosen.lower : "", chosen.form === "intervals" ? chosen.upper : ""];
  return names.filter(Boolean).map((name) => `?${name}`).join(", ");
}

function axis(drawing: SVGSVGElement, ticks: number[], scale: Scale, top: number, bottom: number): void {
  for (const tick of ticks) {
    drawing.append(svg("line", { x1: scale(tick), x2: scale(tick), y1: top, y2: bottom, class: tick === 0 ? "zero" : "grid" }));
    drawing.append(svg("text", { x: scale(tick), y: bottom + 16, "text-anchor": "middle" }, numeral(tick)));
  }
}

// --- terms ------------------------------------------------------------------------------------

function numberOf(term: Binding | undefined): number | undefined {
  if (!term || term.type === "uri" || term.type === "bnode" || !NUMERIC.test(term.datatype ?? "")) return undefined;
  const number = Number(term.value);
  return Number.isFinite(number) ? number : undefined;
}

/** A date, a month or a year, and nothing else: a time of day is left out. */
function momentOf(term: Binding | undefined): number | undefined {
  if (!term || !/#(date|dateTime|gYear|gYearMonth)$/.test(term.datatype ?? "")) return undefined;
  const [, year = "", month = "01", day = "01"] = term.value.match(/^(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?/) ?? [];
  return year ? Date.UTC(Number(year), Number(month) - 1, Number(day)) : undefined;
}

function textOf(term: Binding | undefined, labels: Map<string, string>): string {
  if (!term) return "–";
  return term.type === "uri" ? (labels.get(term.value) ?? localName(term.value)) : term.value;
}

/** Of each column as many as may be looked at: a few groups are not crowded out by many keys. */
function irisOf(results: SparqlResults): Set<string> {
  const ofColumn = (name: string): string[] => {
    const terms = results.results.bindings.flatMap((row) => row[name] ?? []).filter((term) => term.type === "uri");
    return [...new Set(terms.map((term) => term.value))].slice(0, MOST_LOOKED_AT);
  };
  return new Set(results.head.vars.flatMap(ofColumn));
}
