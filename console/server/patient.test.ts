import { expect, test } from "bun:test";
import { patient } from "./patient.ts";
import { ProblemError } from "./problem.ts";

test("a quick answer is passed on as it is, and so is a quick failure", async () => {
  const answer = new Response('{"a":1}', { headers: { "aios-source": "init" } });
  expect(await patient(Promise.resolve(answer))).toBe(answer);
  await expect(patient(Promise.reject(new ProblemError(404, "nothing")))).rejects.toThrow("nothing");
});

test("a slow answer begins with a blank and is still the same JSON", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const response = await patient(promise, 5);
  expect(response.status).toBe(200);
  resolve(new Response('{"a":1}'));
  const text = await response.text();
  expect(text).toBe('\n{"a":1}');
  expect(JSON.parse(text)).toEqual({ a: 1 });
});

test("what fails late is a problem in the body", async () => {
  const { promise, reject } = Promise.withResolvers<Response>();
  const response = await patient(promise, 5);
  reject(new ProblemError(503, "the broker is away"));
  expect(await response.json()).toMatchObject({ status: 503, detail: "the broker is away" });
});

test("a reader who leaves disturbs nobody", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const response = await patient(promise, 5);
  await response.body?.cancel();
  resolve(new Response("{}"));
  await promise;
});
