// The server that this page came from: addresses of resources there, and small questions to it.
import type { SparqlResults } from "./results-type";

const BASE = "https://w3id.org/reported-figures/";
const MOST = 300;

/** The address of the server's root, or of the release that the page shows; it ends with a slash. */
export function root(): string {
  // This file is at <root>/static/ui/.
  const server = new URL(/* @vite-ignore */ "../../", import.meta.url);
  const release = location.pathname.slice(server.pathname.length).match(/^r\/[^/]+\//);
  return new URL(release?.[0] ?? "", server).href;
}

/** Where a resource is described: the same address as the server's own links have. */
export function address(iri: string): string {
  // A browser would take “..” in a path for the folder above.
  if (iri.startsWith(BASE) && !/[?#]|\/\.\.?(\/|$)/.test(iri)) {
    return `${root()}id/${iri.slice(BASE.length).split("/").map(encodeURIComponent).join("/")}`;
  }
  return `${root()}resource?iri=${encodeURIComponent(iri)}`;
}

/** The end of an IRI, for people. */
export function localName(iri: string): string {
  return iri.replace(/[/#]+$/, "").split(/[/#]/).pop() || iri;
}

/** What these resources are called; one without a name is not there, nor any where none answers. */
export async function labelsOf(iris: Iterable<string>): Promise<Map<string, string>> {
  const [all, parts] = [[...new Set(iris)], [] as string[][]];
  for (let done = 0; done < all.length; done += MOST) parts.push(all.slice(done, done + MOST));
  const found = await Promise.all(parts.map(labelsOfFew));
  return new Map(found.flatMap((labels) => [...labels]));
}

async function labelsOfFew(iris: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const values = written(iris);
  if (!values) return found;
  const rows = await asked(`
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    PREFIX schema: <https://schema.org/>
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    SELECT ?it ?label WHERE {
      VALUES ?it { ${values} }
      ?it skos:prefLabel|schema:headline|schema:name|rdfs:label ?label .
    } ORDER BY ?it DESC(LANG(?label) = "en") ?label`);
  for (const row of rows) {
    const [it, label] = [row["it"]?.value, row["label"]?.value];
    if (it && label && !found.has(it)) found.set(it, label);
  }
  return found;
}

/** The M49 codes of areas, by their IRI or by any other code that they have. */
export async function codesOf(names: Iterable<string>): Promise<Map<string, string>> {
  const all = [...new Set(names)].slice(0, MOST);
  const found = new Map(all.filter((name) => /^\d{3}$/.test(name)).map((name) => [name, name]));
  const iris = written(all);
  const codes = all.filter((name) => /^[A-Za-z]{2,3}$/.test(name)).map((name) => `"${name.toUpperCase()}"`);
  const parts = [];
  if (iris) parts.push(`{ VALUES ?area { ${iris} } BIND(STR(?area) AS ?name) }`);
  if (codes.length) parts.push(`{ VALUES ?name { ${codes.join(" ")} } ?area skos:notation ?other . FILTER(STR(?other) = ?name) }`);
  if (!parts.length) return found;
  const rows = await asked(`
    PREFIX rf: <${BASE}ns/>
    PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
    SELECT ?name ?code WHERE {
      ${parts.join(" UNION ")}
      ?area skos:notation ?code . FILTER(DATATYPE(?code) = rf:m49)
    }`);
  for (const row of rows) {
    const [name, code] = [row["name"]?.value, row["code"]?.value];
    if (name && code) found.set(name, code);
  }
  return found;
}

function written(iris: string[]): string {
  const safe = iris.filter((iri) => /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]*$/i.test(iri));
  return safe.map((iri) => `<${iri}>`).join(" ");
}

async function asked(query: string): Promise<SparqlResults["results"]["bindings"]> {
  const answer = await fetch(`${root()}sparql`, {
    method: "POST",
    headers: { "Content-Type": "application/sparql-query", Accept: "application/sparql-results+json" },
    body: query,
  });
  if (!answer.ok) return [];
  return ((await answer.json()) as SparqlResults).results.bindings;
}
