/**
 * Log lines with known templates: what sshd, nginx, the kernel and others really write, with values of many kinds in the
 * gaps, some templates a thousand times as frequent as others. The same seed makes the same lines.
 */

import { seeded } from "../../wire/seeded.ts";

interface KnownLine {
  readonly source: string;
  readonly text: string;
  /** Which template it was made from. */
  readonly known: number;
}

/** Gaps in braces; what is in them is below. */
const known_templates: Readonly<Record<string, readonly string[]>> = {
  sshd: [
    "Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:{base64}",
    "Accepted password for {user} from {ip} port {port} ssh2",
    "Failed password for {user} from {ip} port {port} ssh2",
    "Failed password for invalid user {user} from {ip} port {port} ssh2",
    "Invalid user {user} from {ip} port {port}",
    "Connection closed by authenticating user {user} {ip} port {port} [preauth]",
    "Connection reset by {ip} port {port} [preauth]",
    "Received disconnect from {ip} port {port}:11: disconnected by user",
    "Disconnected from user {user} {ip} port {port}",
    "pam_unix(sshd:session): session opened for user {user}(uid={small}) by (uid=0)",
    "pam_unix(sshd:session): session closed for user {user}",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip}  user={user}",
    "Unable to negotiate with {ip} port {port}: no matching key exchange method found. Their offer: {kex} [preauth]",
    "error: maximum authentication attempts exceeded for {user} from {ip} port {port} ssh2 [preauth]",
    "Server listening on {ip} port 22.",
  ],
  nginx: [
    '{ip} - - [{clf}] "GET {path} HTTP/1.1" {status} {number} "{url}" "{agent}"',
    '{ip} - - [{clf}] "POST {path} HTTP/1.1" {status} {number} "{url}" "{agent}"',
    '{date} {clock} [error] {number}#{small}: *{number} open() "{path}" failed (2: No such file or directory), client: {ip}, server: {host}, request: "GET {path} HTTP/1.1", host: "{host}"',
    '{date} {clock} [error] {number}#{small}: *{number} connect() failed (111: Connection refused) while connecting to upstream, client: {ip}, server: {host}, request: "GET {path} HTTP/1.1", upstream: "{url}", host: "{host}"',
    '{date} {clock} [warn] {number}#{small}: *{number} a client request body is buffered to a temporary file {path}, client: {ip}, server: {host}, request: "POST {path} HTTP/1.1", host: "{host}"',
    "{date} {clock} [notice] {number}#{small}: signal process started",
    "{date} {clock} [alert] {number}#{small}: worker process {number} exited on signal {small}",
  ],
  kernel: [
    "usb {small}-{small}: new high-speed USB device number {small} using xhci_hcd",
    "usb {small}-{small}: USB disconnect, device number {small}",
    "{nic}: Link is Up - {number} Mbps Full Duplex",
    "{nic}: Link is Down",
    "Out of memory: Killed process {number} ({program}) total-vm:{number}kB, anon-rss:{number}kB, file-rss:{number}kB, shmem-rss:0kB, UID:{small} pgtables:{number}kB oom_score_adj:{small}",
    "EXT4-fs ({disk}): mounted filesystem {uuid} r/w with ordered data mode. Quota mode: none.",
    "EXT4-fs error (device {disk}): ext4_lookup:{number}: inode #{number}: comm {program}: deleted inode referenced: {number}",
    "blk_update_request: I/O error, dev {disk}, sector {number} op 0x0:(READ) flags 0x{hex} phys_seg {small} prio class 0",
    'audit: type=1400 audit({epoch}:{number}): apparmor="DENIED" operation="open" profile="{path}" name="{path}" pid={number} comm="{program}"',
    "IN={nic} OUT= MAC={macs} SRC={ip} DST={ip} LEN={small} TOS=0x00 PREC=0x00 TTL={small} ID={number} PROTO=TCP SPT={port} DPT={port} WINDOW={number} RES=0x00 SYN URGP=0",
    "IN={nic} OUT= MAC={macs} SRC={ip} DST={ip} LEN={small} TOS=0x00 PREC=0x00 TTL={small} ID={number} PROTO=UDP SPT={port} DPT={port} LEN={small}",
    "CPU{small}: Core temperature above threshold, cpu clock throttled (total events = {number})",
    "nvme nvme{small}: I/O {number} QID {small} timeout, aborting",
    "TCP: request_sock_TCP: Possible SYN flooding on port {port}. Sending cookies.",
    "{program}[{number}]: segfault at {hex16} ip {hex16} sp {hex16} error {small} in {library}[{hex16}+{hex8}]",
  ],
  systemd: [
    "Started {unit}.",
    "Stopping {unit}...",
    "Stopped {unit}.",
    "{unit}: Main process exited, code=exited, status={small}/FAILURE",
    "{unit}: Failed with result 'exit-code'.",
    "{unit}: Scheduled restart job, restart counter is at {small}.",
    "{unit}: Consumed {seconds} CPU time.",
    "Reached target {target}.",
    "New session {small} of user {user}.",
    "Removed session {small}.",
  ],
  postgres: [
    "{date} {clock} UTC [{number}] LOG:  checkpoint starting: time",
    "{date} {clock} UTC [{number}] LOG:  checkpoint complete: wrote {number} buffers ({fraction}%); 0 WAL file(s) added, 0 removed, {small} recycled; write={fraction} s, sync={fraction} s, total={fraction} s",
    "{date} {clock} UTC [{number}] LOG:  connection received: host={ip} port={port}",
    "{date} {clock} UTC [{number}] LOG:  connection authorized: user={user} database={table} application_name={program}",
    '{date} {clock} UTC [{number}] ERROR:  duplicate key value violates unique constraint "{table}_pkey"',
    "{date} {clock} UTC [{number}] DETAIL:  Key (id)=({number}) already exists.",
    '{date} {clock} UTC [{number}] LOG:  duration: {fraction} ms  statement: "{sql}"',
    '{date} {clock} UTC [{number}] FATAL:  password authentication failed for user "{user}"',
    '{date} {clock} UTC [{number}] LOG:  automatic vacuum of table "{table}.public.{table}": index scans: {small}',
  ],
  dhcp: [
    "DHCPDISCOVER from {mac} via {nic}",
    "DHCPOFFER on {ip} to {mac} via {nic}",
    "DHCPREQUEST for {ip} from {mac} via {nic}",
    "DHCPACK on {ip} to {mac} ({name}) via {nic}",
    "{nic}: leased {ip} for {number} seconds",
    "{nic}: adding default route via {ip}",
    "{nic}: carrier lost",
  ],
  chrony: ["Selected source {ip} ({host})", "System clock wrong by {fraction} seconds", "Source {ip} offline"],
  app: [
    '{"level":"info","time":"{iso}","msg":"request completed","method":"GET","path":"{path}","status":{status},"duration_ms":{number},"request_id":"{uuid}"}',
    '{"level":"error","time":"{iso}","msg":"payment declined","order":{number},"reason":"{reason}","request_id":"{uuid}"}',
    '{"level":"info","time":"{iso}","msg":"job finished","queue":"{table}","job":"{hex16}","took":"{seconds}"}',
    '{"level":"warn","time":"{iso}","msg":"cache miss rate high","rate":{fraction},"node":"{host}"}',
    "cache: evicted {number} entries ({size}) in {seconds}",
    "worker {small} picked up job {uuid} from queue {table}",
    "retrying {url} in {seconds} (attempt {small} of 5): connection timed out",
    "user {email} logged in from {ip}",
    "wrote {size} to {path} in {seconds}",
    "config reloaded from {path}, version {version}",
    "commit {sha} deployed to {host} by {user}",
  ],
};

/** How much more frequent the first is than the tenth: Zipf's law, as logs have it. */
const skew = 1.2;

export class LogLines {
  readonly #random: () => number;
  readonly #made: { readonly source: string; readonly parts: readonly string[]; readonly up_to: number }[] = [];

  constructor(seed: number) {
    this.#random = seeded(seed);
    const all = Object.entries(known_templates).flatMap(([source, texts]) => texts.map((text) => ({ source, text })));
    const ranks = shuffled(all, this.#random);
    const total = ranks.reduce((sum, _, rank) => sum + 1 / (rank + 1) ** skew, 0);
    let sum = 0;
    for (const [rank, { source, text }] of ranks.entries()) {
      sum += 1 / (rank + 1) ** skew / total;
      this.#made.push({ source, parts: text.split(/[{](\w+)[}]/), up_to: sum });
    }
  }

  get templates(): number {
    return this.#made.length;
  }

  next(): KnownLine {
    const at = this.#random();
    const found = this.#made.findIndex(({ up_to }) => at < up_to);
    const known = found < 0 ? this.#made.length - 1 : found;
    const made = this.#made[known];
    if (made === undefined) throw new Error("making a log line failed: there are no templates");
    // every second part is the name of a gap
    const text = made.parts.map((part, n) => (n % 2 === 0 ? part : this.#gap(part))).join("");
    return { source: made.source, text, known };
  }

  take(count: number): KnownLine[] {
    return Array.from({ length: count }, () => this.next());
  }

  #gap(name: string): string {
    const fill = gaps[name];
    if (fill === undefined) throw new Error(`making a log line failed: there is no gap "${name}"`);
    return fill({
      int: (max) => Math.floor(this.#random() * max),
      pick: (words) => words[Math.floor(this.#random() * words.length)] ?? "",
    });
  }
}

interface Dice {
  int(max: number): number;
  pick(words: readonly string[]): string;
}

const users =
  "root admin deploy backup git postgres alice bob carol dave erin frank grace heidi test oracle ubuntu www-data pi guest".split(" ");
const programs = "nginx postgres python3 java node chronyd rsync backup-agent php-fpm redis-server".split(" ");
const folders = "var srv home api v1 v2 users orders static img data lib cache reports".split(" ");
const names = "web db cache build edge mail ldap proxy".split(" ");
const agents = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "curl/8.14.1",
  "Go-http-client/2.0",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
];
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const two = (value: number): string => String(value).padStart(2, "0");
const hex = (dice: Dice, digits: number): string => Array.from({ length: digits }, () => dice.int(16).toString(16)).join("");
const clock = (dice: Dice): string => `${two(dice.int(24))}:${two(dice.int(60))}:${two(dice.int(60))}`;
const ip = (dice: Dice): string => `${1 + dice.int(223)}.${dice.int(256)}.${dice.int(256)}.${1 + dice.int(254)}`;
const mac = (dice: Dice, pairs: number): string => Array.from({ length: pairs }, () => hex(dice, 2)).join(":");
const host = (dice: Dice): string => `${dice.pick(names)}${dice.int(20)}.example.com`;
const path = (dice: Dice): string => `/${Array.from({ length: 1 + dice.int(4) }, () => dice.pick(folders)).join("/")}/${dice.int(9999)}`;
const date = (dice: Dice): string => `2026-${two(1 + dice.int(12))}-${two(1 + dice.int(28))}`;

const gaps: Readonly<Record<string, (dice: Dice) => string>> = {
  user: (dice) => dice.pick(users),
  ip,
  port: (dice) => String(1024 + dice.int(60_000)),
  small: (dice) => String(dice.int(64)),
  number: (dice) => String(dice.int(10 ** (1 + dice.int(6)))),
  fraction: (dice) => `${dice.int(100)}.${two(dice.int(100))}${dice.int(10)}`,
  status: (dice) => dice.pick(["200", "301", "304", "404", "500"]),
  seconds: (dice) => dice.pick([`${dice.int(60)}.${dice.int(1000)}s`, `${dice.int(900)}ms`, `${1 + dice.int(9)}min`]),
  size: (dice) => `${dice.int(900)}.${dice.int(10)}${dice.pick(["KiB", "MiB", "GiB"])}`,
  base64: (dice) =>
    Array.from({ length: 43 }, () => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[dice.int(62)]).join(""),
  kex: (dice) => dice.pick(["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "ecdh-sha2-nistp256"]),
  clf: (dice) => `${two(1 + dice.int(28))}/${dice.pick(months)}/2026:${clock(dice)} +0000`,
  date,
  clock,
  iso: (dice) => `${date(dice)}T${clock(dice)}.${dice.int(1000)}Z`,
  epoch: (dice) => `17${dice.int(10 ** 8)}.${dice.int(1000)}`,
  path,
  url: (dice) => `https://${host(dice)}${path(dice)}`,
  agent: (dice) => dice.pick(agents),
  host,
  name: (dice) => `${dice.pick(names)}-${dice.int(50)}`,
  email: (dice) => `${dice.pick(users)}@${host(dice)}`,
  nic: (dice) => dice.pick(["eth0", "eth1", "enp3s0", "wlan0"]),
  disk: (dice) => dice.pick(["sda1", "sdb", "nvme0n1p2", "vda3"]),
  program: (dice) => dice.pick(programs),
  library: (dice) => dice.pick(["libc.so.6", "libssl.so.3", "nginx", "libz.so.1"]),
  uuid: (dice) => [8, 4, 4, 4, 12].map((digits) => hex(dice, digits)).join("-"),
  hex: (dice) => hex(dice, 1 + dice.int(5)),
  hex8: (dice) => hex(dice, 8),
  hex16: (dice) => hex(dice, 16),
  sha: (dice) => hex(dice, 40),
  mac: (dice) => mac(dice, 6),
  macs: (dice) => mac(dice, 14),
  unit: (dice) => `${dice.pick(programs)}.${dice.pick(["service", "socket", "timer"])}`,
  target: (dice) => `${dice.pick(["multi-user", "network-online", "basic"])}.target`,
  table: (dice) => dice.pick(["orders", "users", "invoices", "events", "sessions"]),
  sql: (dice) => `SELECT * FROM ${dice.pick(["orders", "users"])} WHERE id = ${dice.int(99_999)}`,
  reason: (dice) => dice.pick(["card expired", "insufficient funds", "issuer unavailable"]),
  version: (dice) => `${dice.int(9)}.${dice.int(20)}.${dice.int(99)}`,
};

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const held = mixed[at] as T;
    mixed[at] = mixed[other] as T;
    mixed[other] = held;
  }
  return mixed;
}
