/** `aiosctl watch`: on a terminal the live view, elsewhere one plain frame each interval. */

import { Box, render, Text, useApp, useInput, useWindowSize } from "ink";
import { useEffect, useReducer } from "react";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { say } from "../output.ts";
import { noPaint, type Paint } from "../text/style.ts";
import { frame } from "./frame.ts";
import { emptyModel, keepFresh, type Model } from "./model.ts";

const plain_size = { columns: 100, rows: 40 };
/** Milliseconds: what comes within one is drawn together. */
const draw_ms = 50;

export async function watch(context: Context, interval_ms: number): Promise<number> {
  return context.is_terminal ? await live(context, interval_ms) : await plainly(context, interval_ms);
}

async function live(context: Context, interval_ms: number): Promise<number> {
  const model = emptyModel();
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const screen = { draw: (): void => {} };
  const view = (
    <Screen
      model={model}
      paint={context.view.paint}
      onDraw={(redraw) => {
        screen.draw = redraw;
      }}
    />
  );
  const app = render(view, { alternateScreen: true, exitOnCtrlC: true, patchConsole: false });
  let due = false;
  keepFresh(context.client, model, interval_ms, signal, () => {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      screen.draw();
    }, draw_ms);
  });
  context.signal.addEventListener("abort", () => app.unmount());
  await app.waitUntilExit();
  stop.abort();
  return exit.ok;
}

interface ScreenProps {
  readonly model: Model;
  readonly paint: Paint;
  readonly onDraw: (redraw: () => void) => void;
}

function Screen({ model, paint, onDraw }: ScreenProps) {
  const { exit: leave } = useApp();
  const { columns, rows } = useWindowSize();
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => onDraw(redraw), [onDraw]);
  useInput((input, key) => {
    if (input === "q" || key.escape) leave();
  });
  const lines = frame(model, { columns, rows: rows - 1 }, paint);
  return (
    <Box flexDirection="column">
      {lines.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line of the screen is its place
        <Text key={index} wrap="truncate">
          {text === "" ? " " : text}
        </Text>
      ))}
    </Box>
  );
}

async function plainly(context: Context, interval_ms: number): Promise<number> {
  const model = emptyModel();
  keepFresh(context.client, model, interval_ms, context.signal, () => {});
  while (!context.signal.aborted) {
    await untilAborted(interval_ms, context.signal);
    if (context.json) say(JSON.stringify(model));
    else
      say([
        ...frame(model, plain_size, noPaint)
          .map((line) => line.trimEnd())
          .filter((line) => line !== "" && line !== "q quit"),
        "",
      ]);
  }
  return exit.ok;
}

function untilAborted(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
