/**
 * Makes the calls of tasks when they are due.
 *
 * - Once for each time: what is about to run is written down first, with the key of its call, and a call with a known key
 *   is not made again. So after a crash it is asked for anew, and the answer is that of the first call, if there was one.
 * - One that is late by more than a minute was missed (the machine was off, the broker was down). Its `missed` says what
 *   then: `run` runs it once, however often it was missed; `skip` waits for the next time.
 * - A clock that jumps: intervals are real time and move along with it. `at` and cron are wall time: what the jump passed
 *   over was missed; what comes a second time because the clock was set back is not run again, unless the clock was set
 *   back by more than a day: then it was wrong before, and times are reckoned anew.
 * - A task whose last call has not ended is not run beside itself: that time is missed.
 */

import type { CallStatus, Principal, Role } from "../../../contracts/tool.ts";
import type { Clock, State } from "../../context.ts";
import { nextAfter } from "./shared/schedule.ts";
import { allTasks, dropTask, keepTask, readTask, type Task } from "./shared/task.ts";

/** A call to be made, as whoever makes it needs it. */
export interface TaskCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly reason: string;
  readonly principal: Principal;
  readonly role: Role | null;
  readonly owner: Principal | null;
  readonly tainted: readonly string[];
  readonly key: string;
}

export interface TaskOutcome {
  readonly call: string;
  readonly status: CallStatus;
  readonly text: string;
}

interface TaskRunnerPorts {
  /** Values of the family `task`. */
  readonly state: State;
  readonly clock: Clock;
  /** Makes it like any other call: authorised now, recorded, never throws. */
  call(call: TaskCall): Promise<TaskOutcome>;
  readonly log: (text: string) => void;
}

const look_interval_ms = 1000;
/** Later than this is missed. */
const late_ms = 60_000;
/** The clock and the monotonic clock further apart than before by this much: it was set. */
const jump_ms = 5000;
const day_ms = 86_400_000;
/** Tasks that are over, kept for those who ask how they went. */
const over_max = 100;
const text_chars_max = 500;

export class TaskRunner {
  readonly #ports: TaskRunnerPorts;
  readonly #running = new Map<string, Promise<void>>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #offset_ms: number;

  constructor(ports: TaskRunnerPorts) {
    this.#ports = ports;
    this.#offset_ms = this.#offset();
  }

  /** First takes up what a crash has cut off. */
  start(): void {
    for (const task of allTasks(this.#ports.state)) if (task.running_due_ms !== null) this.#make(task, task.running_due_ms);
    this.look();
    this.#timer = setInterval(() => this.look(), look_interval_ms);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Ends when no call is being made. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  /** Runs what is due now. Never throws. */
  look(): void {
    try {
      this.#heedClock();
      const now = this.#ports.clock.now_ms();
      for (const task of allTasks(this.#ports.state)) if (task.next_ms !== null && task.next_ms <= now) this.#due(task, task.next_ms, now);
    } catch (error) {
      this.#ports.log(`looking for tasks that are due failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #offset(): number {
    return this.#ports.clock.now_ms() - this.#ports.clock.boot_ms();
  }

  #heedClock(): void {
    const jump = this.#offset() - this.#offset_ms;
    this.#offset_ms += jump;
    if (Math.abs(jump) < jump_ms) return;
    const now = this.#ports.clock.now_ms();
    this.#ports.log(`the clock was set by ${Math.round(jump)} ms; tasks follow`);
    for (const task of allTasks(this.#ports.state)) {
      if (task.next_ms === null) continue;
      if ("every_ms" in task.schedule) keepTask({ ...task, next_ms: task.next_ms + jump }, this.#ports.state);
      else if ("cron" in task.schedule && jump < -day_ms) keepTask({ ...task, next_ms: nextAfter(task.schedule, now) }, this.#ports.state);
    }
  }

  #due(task: Task, due_ms: number, now: number): void {
    const busy = this.#running.has(task.name);
    const missed = now - due_ms > late_ms && task.missed === "skip";
    const next_ms = nextAfter(task.schedule, now);
    if (busy || missed) {
      const text = busy
        ? "the call before had not ended yet"
        : `it was due ${Math.round((now - due_ms) / 1000)} s before anything could run`;
      this.#end({ ...task, next_ms, last: { due_ms, at_ms: now, call: null, status: "missed", text } });
      return;
    }
    const begun = { ...task, next_ms, running_due_ms: due_ms };
    keepTask(begun, this.#ports.state);
    this.#make(begun, due_ms);
  }

  #make(task: Task, due_ms: number): void {
    const { name, tool, reason, principal, role, owner, tainted } = task;
    const key = `task:${name}:${task.scheduled_by}:${due_ms}`;
    const call: TaskCall = { tool, arguments: task.arguments, reason: `task "${name}": ${reason}`, principal, role, owner, tainted, key };
    const working = this.#ports
      .call(call)
      .catch(
        (error: unknown): TaskOutcome => ({ call: "", status: "failed", text: error instanceof Error ? error.message : String(error) }),
      )
      .then((outcome) => this.#made(task, due_ms, outcome))
      .catch((error: unknown) => this.#ports.log(`recording the run of task "${name}" failed: ${String(error)}`))
      .finally(() => void this.#running.delete(name));
    this.#running.set(name, working);
  }

  #made(task: Task, due_ms: number, { call, status, text }: TaskOutcome): void {
    const now = readTask(task.name, this.#ports.state);
    if (now?.scheduled_by !== task.scheduled_by) return; // cancelled meanwhile, or another of its name
    const at_ms = this.#ports.clock.now_ms();
    const last = { due_ms, at_ms, call: call === "" ? null : call, status, text: text.slice(0, text_chars_max) };
    this.#end({ ...now, running_due_ms: null, runs: now.runs + 1, last });
  }

  #end(task: Task): void {
    const { state } = this.#ports;
    keepTask(task, state);
    if (task.next_ms !== null) return;
    const over = allTasks(state)
      .filter(({ next_ms, running_due_ms }) => next_ms === null && running_due_ms === null)
      .sort((a, b) => (a.last?.at_ms ?? 0) - (b.last?.at_ms ?? 0));
    for (const old of over.slice(0, Math.max(0, over.length - over_max))) dropTask(old.name, state);
  }
}
