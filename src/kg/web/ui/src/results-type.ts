// The results of a SELECT query, as SPARQL 1.1 Query Results JSON writes them.

export type Binding = { type: string; value: string; "xml:lang"?: string; datatype?: string };

/** Datatypes of numbers. */
export const NUMERIC = /#(?:integer|decimal|double|float|long|int|short|byte|(?:non(?:Positive|Negative)|positive|negative)Integer|unsigned\w+)$/;

export type SparqlResults = {
  head: { vars: string[] };
  results: { bindings: Record<string, Binding>[] };
};
