// What the server says to the editor, in the JSON block of its place.

export interface Config {
  /** The path below which the server lies, without a slash at its end. */
  root: string;
  /** The endpoint, in the release that the page looks at. */
  sparql: string;
  vocabulary: string;
  labels: string;
  names: string;
  search: string | null;
  cite: string | null;
  /** The server's absolute address, with a slash at its end. */
  base: string;
  release: string;
  /** Seconds, rows and bytes that an answer may take. */
  deadline: number;
  rows: number;
  bytes: number;
  /** Formats by name and label, the default first. */
  solutions: [string, string][];
  graphs: [string, string][];
}

export function configOf(place: HTMLElement): Config {
  const block = place.querySelector<HTMLScriptElement>('script[type="application/json"]');
  return JSON.parse(block?.textContent ?? "") as Config;
}
