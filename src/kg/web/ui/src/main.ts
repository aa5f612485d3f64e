// Each island is loaded when it is about to be seen; the page works without it.

type Mount = (place: HTMLElement) => void | Promise<void>;

const islands: Record<string, () => Promise<{ mount: Mount }>> = {
  chart: () => import("./chart"),
  editor: () => import("./editor"),
  map: () => import("./map"),
};

async function load(place: HTMLElement): Promise<void> {
  const island = islands[place.dataset["island"] ?? ""];
  if (!island) return;
  try {
    const { mount } = await island();
    await mount(place);
    place.dataset["state"] = "ready";
  } catch (error) {
    // What the server sent stays on the page.
    place.dataset["state"] = "failed";
    console.error(error);
  }
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      void load(entry.target as HTMLElement);
    }
  },
  { rootMargin: "200px" },
);

for (const place of document.querySelectorAll<HTMLElement>("[data-island]")) seen.observe(place);
