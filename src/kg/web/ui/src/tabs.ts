// Tabs as ARIA has them: one is reached by Tab, the others by the arrow keys (APG, Tabs).
import { html } from "./elements";

export interface Tab {
  name: string;
  /** Called when the tab is shown for the first time. */
  fill: (panel: HTMLElement) => void | Promise<void>;
}

let made = 0;

export function tabs(label: string, all: Tab[]): HTMLElement {
  const list = html("div", { role: "tablist", "aria-label": label, class: "tabs" });
  const place = html("div", {}, list);
  const filled = new Set<number>();
  const id = `tabs-${(made += 1)}`;

  const heads = all.map((tab, index) => {
    const head = html(
      "button",
      { type: "button", role: "tab", id: `${id}-${index}`, "aria-controls": `${id}-${index}-panel` },
      tab.name,
    );
    head.addEventListener("click", () => show(index));
    head.addEventListener("keydown", (event) => {
      const next = moved(event.key, index, all.length);
      if (next === null) return;
      event.preventDefault();
      show(next);
      heads[next]?.focus();
    });
    list.append(head);
    return head;
  });
  const panels = all.map((_, index) => {
    const panel = html("div", {
      role: "tabpanel",
      id: `${id}-${index}-panel`,
      "aria-labelledby": `${id}-${index}`,
      tabindex: "0",
    });
    place.append(panel);
    return panel;
  });

  function show(index: number): void {
    heads.forEach((head, other) => {
      head.setAttribute("aria-selected", String(other === index));
      head.tabIndex = other === index ? 0 : -1;
    });
    panels.forEach((panel, other) => (panel.hidden = other !== index));
    const [panel, tab] = [panels[index], all[index]];
    if (!panel || !tab || filled.has(index)) return;
    filled.add(index);
    void Promise.resolve(tab.fill(panel)).catch(() => {
      filled.delete(index);
      panel.replaceChildren(html("p", {}, "A part of this page could not be loaded, perhaps because the server has a newer one. Load the page again; the table has everything."));
    });
  }

  show(0);
  return place;
}

function moved(key: string, index: number, count: number): number | null {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
