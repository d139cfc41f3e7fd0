import { expect, test } from "bun:test";
import { takeSecretsOut, withoutSecrets } from "./secrets-in-text.ts";

// put together here, so that no scanner takes this file for a leak
const aws = `AKIA${"ABCDEFGH23456722"}`;
const github = `ghp_${"a1B2".repeat(9)}`;
const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${"c2lnbmF0dXJl".repeat(2)}`;
const block = `-----BEGIN OPENSSH PRIVATE KEY-----\n${"b3BlbnNzaC1r\n".repeat(3)}-----END OPENSSH PRIVATE KEY-----`;

test.each([
  [`use ${aws} for it`, "use [redacted] for it"],
  [`push with ${github}.`, "push with [redacted: GitHub token]."],
  [`key:\n${block}\nkeep it`, "key:\n[redacted: private key]\nkeep it"],
  [`it said ${block.slice(0, 60)}`, "it said [redacted: private key]"],
  [`Authorization: Bearer ${"abc123DEF456".repeat(2)}`, "Authorization: Bearer [redacted: bearer token]"],
  [`session ${jwt} ended`, "session [redacted: JSON Web Token] ended"],
  ["postgres://app:hunter22@db:5432/app", "postgres://app:[…]@db:5432/app"],
  ["started with --db-password=correct-horse -v", "started with --db-password=[redacted] -v"],
  ['{"user":"app","password": "hunter22x"}', '{"user":"app","password": "[…]"}'],
  ["GET /x?token=0123456789&page=2", "GET /x?token=[redacted]&page=2"],
])("a secret is taken out and said: %p", (given, left) => {
  const { text, redacted } = withoutSecrets(given);
  expect(text).toBe(left);
  expect(redacted).toHaveLength(1);
  expect(text.length).toBeLessThanOrEqual(given.length);
  // what has been taken out is not taken for a secret again
  expect(withoutSecrets(text).text).toBe(left);
});

test.each([
  "Failed password for root from 203.0.113.7 port 22 ssh2",
  "password: authentication failed for user app",
  "the token expired; ask for a new token",
  "AKIA is how their keys begin, AKIASHORT is none",
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "the bearer of bad news came again and again",
  "Bearer authentication-is-not-configured-here",
  "http://192.0.2.1:8080/path@home and ssh://git@host/repo",
  "set password=$DB_PASSWORD, token=<yours>, secret=***",
  "task-runner-with-a-long-name-0123456789 finished",
  "PRIVATE KEY of nginx is in the vault under the name web",
  "disk-12345678901234567890123456 is full",
])("what only looks like one stays as it is: %p", (given) => {
  expect(withoutSecrets(given)).toEqual({ text: given, redacted: [] });
});

test("a long line of what nearly is one takes no time to speak of", () => {
  const near = `${"token ".repeat(2000)}${"a-".repeat(20_000)}${"-----BEGIN ".repeat(500)}${"x://y".repeat(2000)}`;
  expect(withoutSecrets(near).redacted).toEqual([]);
}, 20_000);

test("wherever it stands in a value", () => {
  const value = {
    ...{ id: "0badcafe-note-1", n: 1, none: null },
    why: { text: "with token=0123456789abcdef0123" },
    argv: ["run", "--password=correct-horse", ["--api-key=0123456789"]],
    arguments: { db_password: "correct-horse", password: "not set here", secret: "name-of-one", password_file: "/run/secrets/db" },
  };
  takeSecretsOut(value);
  expect(value).toEqual({
    ...{ id: "0badcafe-note-1", n: 1, none: null },
    why: { text: "with token=[redacted: password]" },
    argv: ["run", "--password=[redacted]", ["--api-key=[redacted]"]],
    arguments: { db_password: "[redacted]", password: "not set here", secret: "name-of-one", password_file: "/run/secrets/db" },
  });
});
