/**
 * Secrets that stand in free text, by their form: taken out before the text is kept anywhere. Only forms that hardly anything
 * else has, so that nothing is taken out wrongly; what looks like any other word (a password by itself) is not found. It is
 * care, no border: secrets belong into the vault.
 */

interface Form {
  readonly name: string;
  /** Group `kept` stays; the rest of the match goes. */
  readonly pattern: RegExp;
}

const forms: readonly Form[] = [
  // RFC 7468, OpenSSH and OpenPGP; a block that was cut goes to the end of the text
  {
    name: "private key",
    pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]*?-----END [A-Z0-9 ]{1,60}-----|[\s\S]*$)/g,
  },
  { name: "AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { name: "GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})\b/g },
  { name: "Slack token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{20,255}/g },
  { name: "API key", pattern: /\bsk-(?:ant-|proj-)?(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{24,255}/g },
  // RFC 7519: the header is JSON and so begins with `{"` in base64
  { name: "JSON Web Token", pattern: /\beyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{10,4096}/g },
  // RFC 6750
  { name: "bearer token", pattern: /(?<kept>\bBearer\s{1,4})(?=[A-Za-z._~+/-]*\d)[A-Za-z0-9._~+/-]{16,4096}=*/gi },
  // RFC 3986, user information
  { name: "password in a URL", pattern: /(?<kept>\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@?#]{1,100}:)[^\s@/?#]{3,200}(?=@)/gi },
  {
    name: "password",
    pattern:
      /(?<kept>\b[\w-]{0,30}(?:password|passwd|passphrase|secret|token|api[_-]?key)(?:=|["']\s{0,4}[:=]\s{0,4})["']?)(?![<$*{[(])[^\s"'&,;]{6,500}/gi,
  },
];

/** One of these stands in every form: most texts have none, and are looked at no further. */
const sign = /PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat|xox|sk-|eyJ|bearer|:\/\/|passw|passph|secret|token|api[_-]?key/i;

interface WithoutSecrets {
  /** Never longer than it was given: it fits wherever that did. */
  readonly text: string;
  /** What was taken out, by kind; in the text stands `[redacted: KIND]`, or less where the secret was shorter. */
  readonly redacted: readonly string[];
}

export function withoutSecrets(given: string): WithoutSecrets {
  if (!sign.test(given)) return { text: given, redacted: [] };
  const redacted = new Set<string>();
  let text = given;
  for (const { name, pattern } of forms) {
    text = text.replace(pattern, (...match: unknown[]) => {
      redacted.add(name);
      const groups = match.at(-1);
      const kept = typeof groups === "object" && groups !== null && "kept" in groups ? String(groups.kept) : "";
      return `${kept}${markOf(name, String(match[0]).length - kept.length)}`;
    });
  }
  return { text, redacted: [...redacted] };
}

function markOf(name: string, chars_max: number): string {
  return [`[redacted: ${name}]`, "[redacted]"].find(({ length }) => length <= chars_max) ?? "[…]";
}

/** Members of these names are secrets by themselves. */
const secret_name = /^[\w-]{0,30}(?:password|passwd|passphrase|api[_-]?key)$/i;
/** The shortest form that there is. */
const secret_chars_min = 8;

/** Takes secrets out of all strings of a value as JSON has them, in place. */
export function takeSecretsOut(value: unknown): void {
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) value[at] = withoutSecret(value[at], "");
  } else if (isMembers(value)) {
    for (const name of Object.keys(value)) {
      const given = value[name];
      const left = withoutSecret(given, name);
      if (left !== given) value[name] = left;
    }
  }
}

function withoutSecret(value: unknown, name: string): unknown {
  if (typeof value !== "string") {
    if (typeof value === "object" && value !== null) takeSecretsOut(value);
    return value;
  }
  if (value.length < secret_chars_min) return value;
  return secret_name.test(name) && !value.startsWith("[") && !/\s/.test(value)
    ? markOf("password", value.length)
    : withoutSecrets(value).text;
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
