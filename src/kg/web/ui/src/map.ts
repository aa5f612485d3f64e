// The island of the map: how much is reported of which area, each area a circle that leads to it.
import { geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/countries-110m.json?url";
import { atEachWidth, choice, counted } from "./drawing";
import { html, numeral, shortened, svg } from "./elements";
import { NUMERIC, type SparqlResults } from "./results-type";
import { address, codesOf, labelsOf, localName } from "./server";

/** An area to draw: `size` is what the circle's area stands for, `told` says it in words. */
type Spot = { label: string; href: string | undefined; m49: string; size: number; told: string };
type Placed = Spot & { x: number; y: number; radius: number; homeX: number; homeY: number };
type Country = Feature<Geometry, { name: string }>;

const SMALLEST = 6;
const LARGEST = 22;
/** Between the middles of two circles: what WCAG 2.2 asks of targets (2.5.8). */
const APART = 25;
const MOST_SPOTS = 250;

export async function mount(place: HTMLElement): Promise<void> {
  const written = place.querySelector('script[type="application/json"]')?.textContent ?? "{}";
  const { areas = [] } = JSON.parse(written) as {
    areas?: { href: string; label: string; m49: string; figures: number; articles: number }[];
  };
  const spots = areas.map((area) => ({
    label: area.label,
    href: area.href,
    m49: area.m49,
    size: area.figures,
    told: `${counted(area.figures, "figure")} from ${counted(area.articles, "article")}`,
  }));
  await show(place, spots, "figures");
}

/** A map of the results of a query: of the areas that one of their columns has. */
export async function drawMap(place: HTMLElement, results: SparqlResults): Promise<void> {
  place.replaceChildren(html("p", { class: "quiet" }, "Looking for the areas…"));
  const found = await areasIn(results);
  if (!found) {
    place.replaceChildren(
      html("p", { class: "note" },
        "No column of this result has areas that a map could show. It needs one with areas as the data name them, "
        + "such as ?area in “?claim sdmx-dimension:refArea ?area”, or with codes of countries (M49 or ISO 3166-1)."),
    );
    return;
  }
  const numbers = results.head.vars.filter((name) => name !== found.column && isNumeric(results, name));
  const draw = async (column: string): Promise<void> => {
    const spots = spotsOf(results, found, column);
    const choices = html("div", { class: "fields" });
    const options = [["", "Number of rows"], ...numbers.map((name) => [name, `?${name}`])] as [string, string][];
    choices.append(choice("Size of the circles", options, column, (value) => void draw(value)));
    const drawn = html("div", {});
    place.replaceChildren(choices, drawn);
    if (found.cut) drawn.before(html("p", { class: "note" }, `Only the first ${MOST_SPOTS} areas are drawn.`));
    await show(drawn, spots, column ? `?${column}` : "rows");
  };
  const single = numbers[0] !== undefined && [...rowsByArea(results, found.column).values()].every((rows) => rows.length === 1);
  await draw(single ? (numbers[0] ?? "") : "");
}

// --- what is drawn --------------------------------------------------------------------------

type Areas = { column: string; codes: Map<string, string>; labels: Map<string, string>; cut: boolean };

async function areasIn(results: SparqlResults): Promise<Areas | undefined> {
  for (const column of results.head.vars) {
    // A number of three digits is no code of a country.
    if (results.results.bindings.some((row) => NUMERIC.test(row[column]?.datatype ?? ""))) continue;
    const names = [...rowsByArea(results, column).keys()];
    const [first] = names;
    if (first === undefined || !names.every((name) => /^([A-Za-z]{2,3}|\d{3})$|^[a-z][a-z0-9+.-]*:/i.test(name))) continue;
    const shown = names.slice(0, MOST_SPOTS);
    const codes = await codesOf(shown);
    if (codes.size === 0) continue;
    const labels = await labelsOf(shown.filter((name) => name.includes(":")));
    return { column, codes, labels, cut: names.length > shown.length };
  }
  return undefined;
}

function rowsByArea(results: SparqlResults, column: string): Map<string, SparqlResults["results"]["bindings"]> {
  const found = new Map<string, SparqlResults["results"]["bindings"]>();
  for (const row of results.results.bindings) {
    const name = row[column]?.value;
    if (name === undefined) continue;
    const rows = found.get(name);
    if (rows) rows.push(row);
    else found.set(name, [row]);
  }
  return found;
}

/** Numbers of several rows are not added up: of one area the greatest is drawn, which is said. */
function spotsOf(results: SparqlResults, areas: Areas, column: string): Spot[] {
  const spots: Spot[] = [];
  for (const [name, rows] of [...rowsByArea(results, areas.column)].slice(0, MOST_SPOTS)) {
    const numbers = rows.map((row) => Number(row[column]?.value ?? NaN)).filter(Number.isFinite);
    if (column && !numbers.length) continue;
    const size = column ? Math.max(...numbers) : rows.length;
    const several = numbers.length > 1 ? ` (the greatest of ${counted(numbers.length, "row")})` : "";
    spots.push({
      label: areas.labels.get(name) ?? localName(name),
      href: name.includes(":") ? address(name) : undefined,
      m49: areas.codes.get(name) ?? "",
      size,
      told: column ? `?${column} ${numeral(size)}${several}` : counted(size, "row"),
    });
  }
  return spots;
}

function isNumeric(results: SparqlResults, column: string): boolean {
  const values = results.results.bindings.flatMap((row) => row[column]?.value ?? []);
  return values.length > 0 && values.every((value) => value !== "" && Number(value) >= 0);
}

// --- drawing --------------------------------------------------------------------------------

async function show(place: HTMLElement, spots: Spot[], counts: string): Promise<void> {
  const countries = await theWorld();
  const known = new Map(countries.features.map((country) => [String(country.id), country as Country]));
  const drawn = spots.filter((spot) => known.has(spot.m49));
  const beside = spots.filter((spot) => !known.has(spot.m49));
  const frame = html("figure", { class: "map" });
  const canvas = html("div", { class: "map-canvas" });
  const told = html("p", { class: "map-told", "aria-hidden": "true" }, "Point at a circle, or reach it with the Tab key.");
  frame.append(canvas, told, caption(drawn, counts));
  place.replaceChildren(frame);
  if (beside.length) place.append(listed(beside));
  atEachWidth(canvas, (width) => canvas.replaceChildren(drawing(countries, known, drawn, width, counts, told)));
}

let loading: Promise<FeatureCollection<Geometry, { name: string }>> | undefined;

function theWorld(): Promise<FeatureCollection<Geometry, { name: string }>> {
  loading ??= fetch(new URL(world, import.meta.url)).then(async (answer) => {
    if (!answer.ok) throw new Error(`the outlines of the countries: ${answer.status}`);
    const topology = (await answer.json()) as Topology<{ countries: GeometryCollection<{ name: string }> }>;
    return feature(topology, topology.objects.countries);
  });
  return loading;
}

function drawing(
  countries: FeatureCollection<Geometry, { name: string }>,
  known: Map<string, Country>,
  spots: Spot[],
  width: number,
  counts: string,
  told: HTMLElement,
): SVGSVGElement {
  const projection = geoEqualEarth();
  // No circle lies on Antarctica, and the map is wide enough without it.
  const shown = { ...countries, features: countries.features.filter((country) => country.id !== "010") };
  projection.fitWidth(width, shown);
  const path = geoPath(projection).digits(1);
  const height = Math.ceil(path.bounds(shown)[1][1]);
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Map: ${counts} by area` });
  const here = new Set(spots.map((spot) => spot.m49));
  for (const country of shown.features) {
    drawn.append(svg("path", { d: path(country) ?? "", class: here.has(String(country.id)) ? "land told" : "land" }));
  }
  for (const spot of placed(spots, known, path, width, height)) drawn.append(circle(spot, told));
  return drawn;
}

/** Where each circle lies: over its country, moved as little as keeps them apart. Large ones first. */
function placed(
  spots: Spot[],
  known: Map<string, Country>,
  path: ReturnType<typeof geoPath>,
  width: number,
  height: number,
): Placed[] {
  const most = Math.max(1, ...spots.map((spot) => spot.size));
  const found: Placed[] = [];
  for (const spot of [...spots].sort((a, b) => b.size - a.size)) {
    const [x, y] = path.centroid(mainland(known.get(spot.m49) as Country));
    const largest = Math.min(LARGEST, Math.max(12, width / 40));
    const radius = Math.max(SMALLEST, Math.sqrt(spot.size / most) * largest);
    if (Number.isFinite(x)) found.push({ ...spot, x, y, radius, homeX: x, homeY: y });
  }
  for (let round = 0; round < 80; round += 1) if (!pushedApart(found, width, height)) break;
  return found;
}

function pushedApart(spots: Placed[], width: number, height: number): boolean {
  let moved = false;
  spots.forEach((one, index) => {
    for (const two of spots.slice(index + 1)) {
      const [dx, dy] = [two.x - one.x || 0.1, two.y - one.y || 0.1];
      const distance = Math.hypot(dx, dy);
      const missing = Math.max(APART, one.radius + two.radius + 1) - distance;
      if (missing <= 0.5) continue;
      moved = true;
      const [byX, byY] = [((dx / distance) * missing) / 2, ((dy / distance) * missing) / 2];
      one.x -= byX; one.y -= byY; two.x += byX; two.y += byY;
    }
  });
  for (const spot of spots) {
    spot.x = Math.min(width - spot.radius - 1, Math.max(spot.radius + 1, spot.x));
    spot.y = Math.min(height - spot.radius - 1, Math.max(spot.radius + 1, spot.y));
  }
  return moved;
}

/** The largest part of a country: France's middle is not in the Atlantic. */
function mainland(country: Country): Country {
  const { geometry } = country;
  if (geometry.type !== "MultiPolygon") return country;
  const sized = geometry.coordinates.map((polygon) => ({ polygon, size: geoPath().area({ type: "Polygon", coordinates: polygon }) }));
  const largest = sized.reduce((one, two) => (two.size > one.size ? two : one));
  return { ...country, geometry: { type: "Polygon", coordinates: largest.polygon } };
}

function circle(spot: Placed, told: HTMLElement): SVGElement {
  const words = `${spot.label}: ${spot.told}`;
  const link = svg("a", { class: "spot", href: spot.href, "aria-label": shortened(words, 200) });
  if (Math.hypot(spot.x - spot.homeX, spot.y - spot.homeY) > spot.radius) {
    link.append(svg("line", { x1: spot.homeX, y1: spot.homeY, x2: spot.x, y2: spot.y }));
  }
  // As large as a finger needs, and not seen.
  link.append(svg("circle", { cx: spot.x, cy: spot.y, r: Math.max(12, spot.radius), class: "touch" }));
  link.append(svg("circle", { cx: spot.x, cy: spot.y, r: spot.radius }));
  const inside = numeral(spot.size);
  if (inside.length * 7 < spot.radius * 2 - 3) {
    link.append(svg("text", { x: spot.x, y: spot.y, dy: "0.35em", "text-anchor": "middle", "aria-hidden": "true" }, inside));
  }
  const say = (): void => { told.textContent = shortened(words, 300); };
  link.addEventListener("pointerenter", say);
  link.addEventListener("focus", say);
  return link;
}

function caption(drawn: Spot[], counts: string): HTMLElement {
  const most = drawn.reduce((one, two) => (two.size > one.size ? two : one), { size: 0, label: "", told: "" } as Spot);
  const scale = most.size ? ` The largest is ${shortened(most.label, 60)}, ${numeral(most.size)}.` : "";
  return html("figcaption", {}, `The area of a circle stands for the number of ${counts}.${scale} Borders: Natural Earth.`);
}

function listed(spots: Spot[]): HTMLElement {
  const list = html("ul", { class: "counts-beside" });
  for (const spot of spots.slice(0, 60)) {
    const name = html("bdi", {}, shortened(spot.label, 80));
    const named = spot.href ? html("a", { href: spot.href }, name) : name;
    list.append(html("li", {}, named, ` ${spot.told}`));
  }
  const rest = spots.length > 60 ? [html("p", {}, `And ${spots.length - 60} more.`)] : [];
  return html("div", {}, html("p", {}, "Not on the map, since they are no countries or have no code:"), list, ...rest);
}
