// Elements, made without markup: what others wrote is only ever text.

const SVG = "http://www.w3.org/2000/svg";

type Attributes = Record<string, string | number | undefined>;
type Part = Node | string;

export function html<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...parts: Part[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(name), attributes, parts);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...parts: Part[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, name), attributes, parts);
}

export function button(text: string, action: () => void): HTMLButtonElement {
  const made = html("button", { type: "button" }, text);
  made.addEventListener("click", action);
  return made;
}

/** A number for people: thin spaces between thousands. */
export function numeral(value: number): string {
  const [whole = "", part] = String(Math.abs(value)).split(".");
  if (whole.includes("e")) return String(value);
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${value < 0 ? "−" : ""}${spaced}${part ? `.${part}` : ""}`;
}

/** The text, or its beginning and an ellipsis. */
export function shortened(text: string, most = 300): string {
  const characters = [...text.slice(0, most * 2)];
  return characters.length <= most && text.length <= most * 2 ? text : `${characters.slice(0, most - 1).join("")}…`;
}

/** The text with a great letter first and a full stop last. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/[.…]+$/, (end) => end.charAt(0))}${/[.…!?]$/.test(text) ? "" : "."}`;
}

function filled<E extends Element>(element: E, attributes: Attributes, parts: Part[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...parts);
  return element;
}
