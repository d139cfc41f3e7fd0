/** Both halves of a proof in one program, to be compiled (compile.ts): `serve …` is serve.ts, everything else is prove.ts. */

if (process.argv[2] === "serve") {
  process.argv.splice(2, 1);
  await import("./serve.ts");
} else await import("./prove.ts");

export {};
