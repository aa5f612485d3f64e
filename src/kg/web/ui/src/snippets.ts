// A query as people send it from a shell, and from Python: says what src/kg/web/pages/snippets.py says.

export function curl(endpoint: string, query: string, type: string): string {
  return [
    `curl --fail-with-body --header 'Accept: ${type}' \\`,
    `  --data-urlencode ${shell(`query=${query}`)} \\`,
    `  ${shell(endpoint)}`,
  ].join("\n");
}

export function python(endpoint: string, query: string, type: string): string {
  return `from urllib.parse import urlencode
from urllib.request import Request, urlopen

query = ${literal(query)}
form = urlencode({"query": query}).encode()
request = Request(${literal(endpoint)}, form, {"Accept": ${literal(type)}})
with urlopen(request) as answer:
    print(answer.read().decode("utf-8"))`;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** A literal of Python: the escapes of JSON are among its own, unless a character needs two. */
function literal(text: string): string {
  const plain = text.includes("\n") && !/["\\\r\0]/.test(text);
  if (plain) return `"""${text}"""`;
  return JSON.stringify(text).replace(/\u007f|[\u2028\u2029]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
