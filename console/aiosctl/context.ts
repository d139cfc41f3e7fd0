/** What every command has: the client, the options that all share, and where its output goes. */

import { existsSync } from "node:fs";
import { console_socket } from "../../contracts/paths.ts";
import { Client } from "./client.ts";
import { paintFor } from "./text/style.ts";
import type { View } from "./views/view.ts";

const checkout_socket = "./build/run/console.sock";

export interface Context {
  readonly client: Client;
  readonly json: boolean;
  readonly view: View;
  /** Ends on Ctrl-C and on TERM. */
  readonly signal: AbortSignal;
  readonly is_terminal: boolean;
  /** With which a person edits a text here. */
  readonly editor: string | undefined;
}

export interface SharedOptions {
  readonly socket?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface Surroundings {
  readonly aios_socket: string | undefined;
  readonly no_color: string | undefined;
  readonly is_terminal: boolean;
  readonly columns: number | undefined;
  readonly editor: string | undefined;
}

export function readSurroundings(): Surroundings {
  return {
    aios_socket: process.env["AIOS_SOCKET"],
    no_color: process.env["NO_COLOR"],
    is_terminal: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    editor: process.env["VISUAL"] ?? process.env["EDITOR"],
  };
}

export function makeContext(options: SharedOptions, around: Surroundings, signal: AbortSignal): Context {
  return {
    client: new Client(socketPath(options.socket, around.aios_socket)),
    json: options.json === true,
    view: { paint: paintFor(around.is_terminal, around.no_color), width: around.is_terminal ? (around.columns ?? 80) : undefined },
    signal,
    is_terminal: around.is_terminal,
    editor: around.editor,
  };
}

function socketPath(option: string | undefined, variable: string | undefined): string {
  if (option !== undefined) return option;
  if (variable !== undefined && variable !== "") return variable;
  return existsSync(checkout_socket) ? checkout_socket : console_socket;
}
