import { expect, test } from "bun:test";
import { codeOf, errno_by_code } from "./errors.ts";
import { openLibc } from "./libc.ts";

test("the symbols are those of the C library, for every errno that it knows", () => {
  const libc = openLibc();
  for (let errno = 1; errno <= 133; errno++) {
    if (libc.error("", errno).message.includes("Unknown error")) continue;
    expect(codeOf(errno)).toMatch(/^E[A-Z0-9]*[A-Z]/);
    expect(errno_by_code.get(codeOf(errno))).toBe(errno);
  }
  expect([11, 95, 35, 16, 98].map(codeOf)).toEqual(["EAGAIN", "EOPNOTSUPP", "EDEADLK", "EBUSY", "EADDRINUSE"]);
  expect(codeOf(999)).toBe("E999");
});
