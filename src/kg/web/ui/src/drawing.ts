// What maps and charts are drawn with besides elements.
import { html, numeral, shortened } from "./elements";

/** A labelled choice; `changed` hears of the value. */
export function choice(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: string,
  changed: (value: string) => void,
): HTMLElement {
  const select = html("select", { id: unused() });
  for (const [value, text] of options) {
    const option = html("option", { value }, shortened(text, 60));
    option.selected = value === chosen;
    select.append(option);
  }
  select.addEventListener("change", () => changed(select.value));
  return html("div", {}, html("label", { for: select.id }, label), select);
}

let used = 0;

/** An id that no other element has. */
export function unused(): string {
  used += 1;
  return `drawn-${used}`;
}

/** Calls `draw` with the width of the place now, and when it changes. */
export function atEachWidth(place: HTMLElement, draw: (width: number) => void): void {
  let last = 0;
  const watching = new ResizeObserver(() => {
    const width = Math.floor(place.clientWidth);
    if (!place.isConnected) watching.disconnect();
    if (!width || width === last) return;
    last = width;
    draw(width);
  });
  watching.observe(place);
}

/** “1 figure”, “2 figures”. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${numeral(number)} ${number === 1 ? one : many}`;
}
