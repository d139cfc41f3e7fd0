/** The embedding process as the memory service sees it: one model for good, loaded when there is memory for it. */

import { embed_methods, embed_notifications } from "../../contracts/embed.ts";
import { doesNotFit, hasToGo, type MemoryRoom, memoryRoom } from "../../wire/model-process/fit.ts";
import { type ChildEvents, type ChildPipes, ModelKeeper } from "../../wire/model-process/keeper.ts";
import type { Peer } from "../../wire/peer.ts";
import { pipePeer } from "../../wire/pipe.ts";

/** What the process takes besides the model file: the runtime, llama.cpp, and the work space of its lanes. */
const process_bytes = 72 * 1024 * 1024;

const group = { folder: "/sys/fs/cgroup/system/memory", of: "the memory service" };

type EmbedPeer = Peer<Record<never, never>, typeof embed_notifications, typeof embed_methods, Record<never, never>>;

export interface Loaded {
  readonly model: string;
  readonly dimensions: number;
  readonly lanes: number;
  readonly peer: EmbedPeer;
  readonly pid: number;
}

export interface WorkerOptions {
  /** The command; the model file and the number of lanes are appended. */
  readonly command: readonly string[];
  /** null: no model is wanted, since `off`. */
  readonly model_path: string | null;
  readonly off?: string;
  readonly lanes: number;
  readonly log: (line: string) => void;
  /** Called when a model is there, or is there no more. */
  readonly onChange: () => void;
  readonly room?: () => MemoryRoom;
  readonly backoff_first_ms?: number;
  readonly watch_ms?: number;
}

export type EmbedWorker = ModelKeeper<Loaded>;

export function startEmbedWorker(options: WorkerOptions): EmbedWorker {
  const { command, model_path, off = "no embedding model is configured", lanes, log, room = () => memoryRoom([group]), ...rest } = options;
  return new ModelKeeper<Loaded>({
    ...rest,
    log,
    what: "the embedding process",
    argv: [...command, model_path ?? "", String(lanes)],
    refusal: () => (model_path === null ? off : doesNotFit(model_path, process_bytes, room())),
    hasToGo: () => hasToGo(room()),
    connect: (pipes, events) => connect(pipes, events, log),
  });
}

function connect({ input, output, pid }: ChildPipes, events: ChildEvents<Loaded>, log: (line: string) => void): EmbedPeer {
  const peer: EmbedPeer = pipePeer(input, output, {
    serves: { methods: {}, handlers: {} },
    hears: {
      notifications: embed_notifications,
      listeners: {
        loaded: ({ model, dimensions, lanes }) => {
          log(`embedding model "${model}" is loaded, ${lanes} at once`);
          events.loaded({ model, dimensions, lanes, peer, pid });
        },
        failed: ({ reason }) => events.failed(reason),
      },
    },
    calls: embed_methods,
    tells: {},
  });
  return peer;
}
