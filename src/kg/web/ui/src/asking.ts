// One query sent to the endpoint, which may be cancelled while it runs.
import type { Config } from "./settings-of-page";

export interface Answer {
  release: string;
  /** The media type, without parameters. */
  type: string;
  text: string;
  /** Milliseconds until all was here, and of these what a worker took; null where it was kept. */
  elapsed: number;
  worked: number | null;
}

export interface Problem {
  title: string;
  detail: string;
  remedy: string;
  /** The stable name of the problem, such as `deadline-exceeded`. */
  kind: string;
  line: number | null;
  column: number | null;
}

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

const ACCEPT = "application/sparql-results+json, text/turtle, application/problem+json";

export class Asking {
  private readonly id = random();
  private readonly key = random();
  private readonly left = new AbortController();

  constructor(
    private readonly config: Config,
    private readonly query: string,
  ) {}

  /** The answer; throws Refused for whatever comes in its place. */
  async answer(): Promise<Answer> {
    const started = performance.now();
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.config.sparql, {
        method: "POST",
        body: this.query,
        headers: {
          "Content-Type": "application/sparql-query",
          Accept: ACCEPT,
          "KG-Query-Id": this.id,
          "KG-Query-Key": this.key,
        },
        signal: this.left.signal,
      });
      text = await response.text();
    } catch (error) {
      throw new Refused(this.left.signal.aborted ? CANCELLED : unreachable(error));
    }
    if (!response.ok) throw new Refused(problemOf(response, text));
    return {
      release: response.headers.get("KG-Release") ?? this.config.release,
      type: (response.headers.get("Content-Type") ?? "").split(";")[0] ?? "",
      text,
      elapsed: performance.now() - started,
      worked: worked(response.headers.get("Server-Timing")),
    };
  }

  /** Ends the query on the server; what it had not begun yet, or is sending, is left. */
  async cancel(): Promise<void> {
    try {
      const ended = await fetch(`${this.config.root}/queries/${this.id}`, {
        method: "DELETE",
        headers: { "KG-Query-Key": this.key },
      });
      if (!ended.ok) this.left.abort();
    } catch {
      this.left.abort();
    }
  }
}

const CANCELLED: Problem = {
  title: "Cancelled",
  detail: "The query was cancelled",
  remedy: "Run it again when you like.",
  kind: "query-cancelled",
  line: null,
  column: null,
};

function unreachable(error: unknown): Problem {
  const detail = "The server could not be reached, or the answer was cut off on the way";
  const remedy = "Look whether you are connected, and run it again.";
  return { title: String(error), detail, remedy, kind: "unreachable", line: null, column: null };
}

function problemOf(response: Response, text: string): Problem {
  try {
    const told = JSON.parse(text) as Record<string, unknown>;
    const kind = String(told["type"] ?? "").split("/").pop() ?? "";
    if (kind === "query-cancelled") return CANCELLED;
    return {
      title: String(told["title"] ?? ""),
      detail: String(told["detail"] ?? `The server answered ${response.status}`),
      remedy: String(told["remedy"] ?? ""),
      kind,
      line: numberOr(told["line"]),
      column: numberOr(told["column"]),
    };
  } catch {
    const detail = `The server answered ${response.status}, and nothing that explains it`;
    return { title: "", detail, remedy: "", kind: "", line: null, column: null };
  }
}

function numberOr(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function worked(timing: string | null): number | null {
  const found = timing?.match(/work;dur=([0-9.]+)/);
  return found ? Number(found[1]) : null;
}

/** 16 random letters and digits; `randomUUID` is not there without https. */
function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
