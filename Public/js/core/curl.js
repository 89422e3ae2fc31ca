// Requests as commands of a shell.

/** A text as one word of a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The curl command that posts `body`; with a token from the environment where the daemon needs one. */
export function curlText(path, body, needsToken) {
  const token = needsToken ? ' -H "Authorization: Bearer $VICREGD_TOKEN"' : "";
  const type = "-H 'Content-Type: application/json'";
  return `curl ${location.origin}${path}${token} ${type} -d ${quoted(JSON.stringify(body))}`;
}
