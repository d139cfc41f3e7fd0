/** Ways out of the sandbox in which tools run programs, and ways to make them run with more than it. */

import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Attempt, demand, same } from "./attempt.ts";
import { demandNoLeak } from "./paths.ts";
import { admin, canary, fingerprint, operator, type Stage, type Who } from "./stage.ts";

/** The interpreter under one name: a file with several is none that a tier may run. */
function perlFor({ data }: Stage): string {
  const copy = join(data, "work/perl");
  if (!existsSync(copy)) {
    copyFileSync("/usr/bin/perl", copy);
    chmodSync(copy, 0o755);
  }
  return copy;
}

const sandboxes = ["closed", "observer", "network"] as const;
/** Numbers of system calls as perl needs them: x86-64, else arm64's. */
const number = (x64: number, arm64: number): number => (process.arch === "x64" ? x64 : arm64);

interface Ran {
  readonly status: number | null;
  readonly out: string;
}

/** Runs a script for a person who may: the strongest sandbox has to hold by itself. */
async function runs(stage: Stage, script: string, more: Record<string, unknown> = {}, who: Who = "tactical"): Promise<Ran> {
  const answer = await spawned(stage, [perlFor(stage), "-e", script], more, who);
  demand(`the program did not run: ${answer.status}: ${answer.text}`, answer.status === "done");
  const { status, stdout } = answer.out as { status: number | null; stdout: string };
  return { status, out: stdout };
}

async function spawned(stage: Stage, argv: readonly string[], more: Record<string, unknown>, who: Who) {
  const answer = await stage.call(who, "process.spawn", { argv, timeout_ms: 100_000, ...more });
  if (answer.status !== "waiting") return answer;
  // What cannot be taken back waits: a person who does not look closely says yes.
  const result = await stage.ask(admin, "approvals/decide", { call: answer.call, approve: true, reason: "looks fine" });
  const { _meta, structuredContent } = result as unknown as {
    _meta: { status: typeof answer.status; text: string };
    structuredContent: null | Record<string, unknown>;
  };
  return { status: _meta.status, text: _meta.text, call: answer.call, out: structuredContent ?? {} };
}

/** A script that tries something and says `got in` when it worked; in every sandbox. */
function inside(name: string, script: (stage: Stage) => string): Attempt {
  return {
    name,
    by: "a program in its sandbox",
    async run(stage) {
      const tried = sandboxes.map(async (sandbox) => {
        const { out } = await runs(stage, `$| = 1; print "ran\\n"; ${script(stage)}`, { sandbox });
        demand(`${sandbox}: the script did not run`, out.startsWith("ran\n"));
        demand(`${sandbox}: ${out}`, !out.includes("got in"));
        demandNoLeak(sandbox, out);
      });
      await Promise.all(tried);
    },
  };
}

const call = (what: string, ...args: (string | number)[]): string =>
  `my $r = syscall(${args.join(", ")}); print "got in: ${what}\\n" if $r >= 0;`;

const namespaces = {
  mount: 0x20000,
  user: 0x10000000,
  net: 0x40000000,
  pid: 0x20000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  cgroup: 0x2000000,
  time: 0x80,
};

export const processes: readonly Attempt[] = [
  inside("becoming root by setuid, setgid and their kin", () =>
    [
      call("setuid", number(105, 146), 0),
      call("setgid", number(106, 144), 0),
      call("setresuid", number(117, 147), 0, 0, 0),
      call("setgroups", number(116, 159), 0, 0),
      call("setfsuid", number(122, 151), 0).replace("$r >= 0", `syscall($n = ${number(122, 151)}, -1) == 0`),
      `print "got in: root\\n" if $> == 0 or $< == 0;`,
    ].join(" { no strict; } "),
  ),
  inside("namespaces of its own, with a root in them", () =>
    Object.entries(namespaces)
      .map(([name, flag]) => `{ ${call(name, number(272, 97), flag)} }`)
      .join(" "),
  ),
  inside(
    "namespaces by clone and clone3",
    () =>
      `{ my $r = syscall(${number(56, 220)}, ${0x10000000 | 17}, 0, 0, 0, 0); exit 0 if $r == 0; print "got in: clone\\n" if $r > 0; } { my $a = pack("Q11", ${0x10000000}, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0); my $r = syscall(435, $a, 88); exit 0 if $r == 0; print "got in: clone3\\n" if $r > 0; }`,
  ),
  inside(
    "the namespaces of others, by setns",
    (stage) =>
      `for my $pid (1, ${stage.broker_pid}, getppid()) { for my $ns (qw(mnt net pid user)) { open(my $f, "<", "/proc/$pid/ns/$ns") or next; my $r = syscall(${number(308, 268)}, fileno($f), 0); print "got in: $pid $ns\\n" if $r == 0; } }`,
  ),
  inside("mounting, remounting writable and moving the root", () =>
    [
      `{ my ($a, $b, $c) = ("none", "/tmp", "tmpfs"); ${call("mount", number(165, 40), "$a", "$b", "$c", 0, 0)} }`,
      `{ my ($a, $b, $c) = ("none", "/", ""); ${call("remount", number(165, 40), "$a", "$b", "$c", 32, 0)} }`,
      `{ my $b = "/proc"; ${call("umount", number(166, 39), "$b", 2)} }`,
      `{ my ($a, $b) = ("/tmp", "/tmp"); ${call("pivot_root", number(155, 41), "$a", "$b")} }`,
      `{ my $a = "/tmp"; ${call("chroot", number(161, 51), "$a")} }`,
      `{ my $t = "tmpfs"; ${call("fsopen", 430, "$t", 0)} }`,
      `{ my $d = "/"; ${call("open_tree", 428, -100, "$d", 1)} }`,
    ].join(" "),
  ),
  inside(
    "writing to the root that it sees",
    () =>
      `for my $p (qw(/x /etc/passwd /etc/x /usr/bin/x /run/x /proc/sys/kernel/hostname /sys/x /var/tmp/x /root/x /run/launch)) { print "got in: $p\\n" if open(my $f, ">>", $p) and syswrite($f, "x"); }`,
  ),
  inside(
    "the data, the sockets and the keys",
    (stage) =>
      `for my $p ("${stage.data}/console/keys", "${stage.data}/broker/planted", "${stage.data}/memory/memory.db", "/etc/shadow") { open(my $f, "<", $p) or next; print "got in: $p ", <$f>; } print "got in: $_\\n" for glob("${stage.data}/broker/* ${stage.run}/broker/*/sock ${stage.run}/*");`,
  ),
  inside(
    "the broker's sockets, by their paths and through /proc",
    (stage) =>
      `use Socket; for my $p ("${stage.run}/broker/console/sock", "${stage.run}/broker/tactical/sock", "/run/aios/broker/console/sock", map { "/proc/$_/root${stage.run}/broker/console/sock" } (1, ${stage.broker_pid}, getppid())) { next if length($p) > 107; socket(my $s, AF_UNIX, SOCK_STREAM, 0) or next; print "got in: $p\\n" if connect($s, pack_sockaddr_un($p)); }`,
  ),
  inside(
    "the root, folder, memory and environment of other processes",
    (stage) =>
      `opendir(my $d, "/proc"); for my $pid (grep { /^\\d+$/ && $_ != $$ } readdir $d) { my $own = (stat("/proc/$pid"))[4]; next if $own == $>; for my $f (qw(mem environ maps root/etc/passwd cwd/x fd/0 auxv)) { print "got in: $pid $f\\n" if open(my $h, "<", "/proc/$pid/$f") and sysread($h, my $b, 1); } } for my $f (qw(mem environ)) { print "got in: broker $f\\n" if open(my $h, "<", "/proc/${stage.broker_pid}/$f") and sysread($h, my $b, 1) and $f eq "environ" and $b ne ""  and -e "/proc/${stage.broker_pid}/root${stage.data}"; }`,
  ),
  inside(
    "ptrace, process_vm_readv, pidfd_getfd and kcmp on others",
    (stage) =>
      `for my $pid (1, ${stage.broker_pid}, getppid()) { { ${call("ptrace", number(101, 117), 16, "$pid", 0, 0)} } { my $r = syscall(434, $pid, 0); if ($r >= 0) { for my $fd (0..20) { print "got in: getfd\\n" if syscall(438, $r, $fd, 0) >= 0; } } } { my $buf = "\\0" x 64; my $io = pack("pQ", $buf, 8); my $ro = pack("QQ", 0x400000, 8); my $r = syscall(${number(310, 270)}, $pid, $io, 1, $ro, 1, 0); print "got in: vm_readv\\n" if $r > 0; } }`,
  ),
  inside(
    "signals to the broker and to PID 1",
    (stage) =>
      `for my $pid (1, ${stage.broker_pid}, getppid()) { next if -e "/proc/$pid/comm" && (stat("/proc/$pid"))[4] == $>; kill("KILL", $pid); kill("STOP", $pid); }`,
  ),
  inside(
    "device nodes, of the kernel's memory and of disks",
    () =>
      `for my $n (["mem", 1, 1], ["sda", 8, 0], ["vda", 254, 0], ["kmsg", 1, 11]) { my $p = "/tmp/$n->[0]"; { my $r = syscall(${number(133, -1)}, $p, 0020666, $n->[1] * 256 + $n->[2]) if ${number(133, -1)} > 0; } { my $r = syscall(${number(259, 33)}, -100, $p, 0060666, $n->[1] * 256 + $n->[2]); } print "got in: $p\\n" if -b $p or -c $p; } for my $p (qw(/dev/mem /dev/kmem /dev/port /dev/sda /dev/vda /dev/kmsg /dev/fuse /dev/loop-control)) { print "got in: $p\\n" if open(my $f, "+<", $p); }`,
  ),
  inside("loading code into the kernel: modules, kexec, bpf, perf, userfaultfd", () =>
    [
      `{ my $e = ""; ${call("init_module", number(175, 105), '"x" x 64', 64, "$e")} }`,
      `{ my $e = ""; ${call("finit_module", number(313, 273), 0, "$e", 0)} }`,
      `{ ${call("kexec_load", number(246, 104), 0, 0, 0, 0)} }`,
      `{ my $e = ""; ${call("kexec_file_load", number(320, 294), 0, 0, 0, "$e", 0)} }`,
      `{ my $a = "\\0" x 128; ${call("bpf", number(321, 280), 0, "$a", 72)} }`,
      `{ my $a = "\\0" x 128; ${call("perf_event_open", number(298, 241), "$a", 0, -1, -1, 0)} }`,
      `{ ${call("userfaultfd", number(323, 282), 0)} }`,
      `{ my $a = "\\0" x 128; ${call("io_uring_setup", 425, 8, "$a")} }`,
    ].join(" "),
  ),
  inside("the whole machine: reboot, clock, host name, swap, log, quota", () =>
    [
      `{ ${call("reboot", number(169, 142), 0xfee1dead, 672274793, 0, 0)} }`,
      `{ my $t = pack("QQ", 1, 0); ${call("settimeofday", number(164, 170), "$t", 0)} }`,
      `{ my $t = pack("QQ", 1, 0); ${call("clock_settime", number(227, 112), 0, "$t")} }`,
      `{ my $n = "taken"; ${call("sethostname", number(170, 161), "$n", 5)} }`,
      `{ my $n = "/tmp/x"; ${call("swapon", number(167, 224), "$n", 0)} }`,
      `{ my $b = "\\0" x 64; ${call("syslog", number(103, 116), 3, "$b", 64)} }`,
      `{ ${call("vhangup", number(153, 58))} }`,
    ].join(" "),
  ),
  inside(
    "raw sockets, packet sockets and others than the usual families",
    () =>
      `use Socket; for my $s ([2, 3, 1], [2, 3, 255], [17, 3, 768], [17, 2, 768], [38, 5, 0], [40, 1, 0], [10, 3, 58], [44, 3, 0]) { my $r = syscall(${number(41, 198)}, @$s); print "got in: @$s\\n" if $r >= 0; }`,
  ),
  inside(
    "the network's settings by netlink",
    () =>
      `my $r = syscall(${number(41, 198)}, 16, 3, 0); if ($r >= 0) { my $m = pack("LSSLL CxSlLL", 32, 16, 5, 1, 0, 0, 0, 1, 0, 1); my $a = pack("SSLL", 16, 0, 0, 0); syscall(${number(44, 206)}, $r, $m, 32, 0, $a, 12); my $b = "\\0" x 256; my $n = syscall(${number(45, 207)}, $r, $b, 256, 0x40, 0, 0); print "got in: link changed\\n" if $n > 20 and unpack("x4S", $b) == 2 and unpack("x16l", $b) == 0; }`,
  ),
  inside(
    "keys that are typed into another's terminal (TIOCSTI)",
    () =>
      `for my $p (qw(/dev/tty /dev/console /dev/tty0 /dev/tty1 /dev/pts/0 /dev/stdin)) { open(my $f, "+<", $p) or next; my $c = "x"; print "got in: $p\\n" if ioctl($f, 0x5412, $c); } my $c = "x"; for my $fd (0..2) { my $r = syscall(${number(16, 29)}, $fd, 0x5412, $c); print "got in: $fd\\n" if $r == 0; $r = syscall(${number(16, 29)}, $fd, 0x7fffffff00005412, $c); print "got in: $fd disguised\\n" if $r == 0; }`,
  ),
  inside(
    "its cgroup and those of others",
    () =>
      `for my $p (glob("/sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/*/*/cgroup.procs /sys/fs/cgroup/*/memory.max /sys/fs/cgroup/*/*/release_agent /sys/fs/cgroup/*/release_agent")) { open(my $f, ">", $p) or next; print "got in: $p\\n" if defined syswrite($f, "$$\\n"); } print "got in: folder\\n" if mkdir("/sys/fs/cgroup/taken") or mkdir("/sys/fs/cgroup/unified/taken");`,
  ),
  inside(
    "a setuid program of the root that it sees",
    () =>
      `for my $p (glob("/usr/bin/su /usr/bin/sudo /usr/bin/passwd /usr/bin/mount /usr/bin/newgrp /usr/bin/chsh")) { next unless -u $p; open(my $o, "-|", $p, "--help") or next; my @x = <$o>; } open(my $s, "<", "/proc/self/status"); for (<$s>) { print "got in: $_" if /^Cap(Eff|Prm|Inh|Amb):\\s*0*[1-9a-f]/ or /^NoNewPrivs:\\s*0/ or /^Seccomp:\\s*0/; }`,
  ),
  {
    name: "a program of another caller, by a signal from the sandbox that sees processes",
    by: "a program of the tactical tier",
    async run(stage) {
      const { out } = await stage.must(admin, "process.spawn", { argv: ["/usr/bin/sleep", "300"], background: true });
      const pid = Number(out["pid"]);
      await runs(stage, `kill("KILL", ${pid}); kill("STOP", ${pid});`, { sandbox: "observer" });
      await Bun.sleep(50);
      const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0] : "gone";
      demand(`the other's program is ${state}`, state === "S");
      await stage
        .must(admin, "process.signal", { process: String(out["handle"]), signal: "SIGKILL" })
        .catch(() => process.kill(pid, "SIGKILL"));
    },
  },
  {
    name: "the environment, memory and files of another caller's program, from the sandbox that sees processes",
    by: "a program of the tactical tier",
    async run(stage) {
      const { out } = await stage.must(admin, "process.spawn", {
        argv: ["/usr/bin/sleep", "300"],
        background: true,
        env: { TOKEN: canary },
      });
      const pid = Number(out["pid"]);
      const script = `for my $f (qw(environ mem root/etc/passwd cwd/etc/passwd fd/1 map_files)) { if (open(my $h, "<", "/proc/${pid}/$f")) { sysread($h, my $b, 4096); print "$f: $b\\n"; } }`;
      const { out: said } = await runs(stage, script, { sandbox: "observer" });
      process.kill(pid, "SIGKILL");
      demandNoLeak("observer", said);
      same("what it could open", said, "");
    },
  },
  {
    name: "variables that load code, or change what the runtime or the sandbox does",
    by: "tactical and an admin",
    async run(stage) {
      const library = join(stage.work, "evil.so");
      writeFileSync(library, "no library, but the loader would say so\n");
      const names = [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LD_AUDIT",
        "LD_DEBUG",
        "BUN_BE_BUN",
        "BUN_JSC_useJIT",
        "BUN_OPTIONS",
        "NODE_OPTIONS",
        "PERL5LIB",
        "PERL5OPT",
        "PYTHONPATH",
        "BASH_ENV",
        "ENV",
        "GLIBC_TUNABLES",
        "GCONV_PATH",
        "IFS",
      ];
      for (const who of ["tactical", admin] as const)
        for (const name of names) {
          const answer = await stage.call(who, "process.spawn", { argv: ["/usr/bin/env"], env: { [name]: library } });
          demand(`${name} ended as ${answer.status}`, answer.status === "failed");
        }
      for (const name of ["LD_PRELOAD=x", "A\nB", "A\0B", "", "1A", "AIOS GIVEN"]) {
        const answer = await stage.wrong("tactical", "process.spawn", { argv: ["/usr/bin/env"], env: { [name]: "x" } });
        demand(`${JSON.stringify(name)} ended as ${answer.status}`, answer.status === "invalid" || answer.status === "failed");
      }
    },
  },
  {
    name: "a PATH and a HOME of its own for what starts the program",
    by: "tactical",
    async run(stage) {
      const folder = join(stage.work, "bin");
      mkdirSync(folder);
      for (const name of ["bwrap", "launch", "env"]) {
        writeFileSync(join(folder, name), `#!/bin/sh\necho taken > ${stage.outside}/taken\n`);
        chmodSync(join(folder, name), 0o755);
      }
      await spawned(
        stage,
        ["/usr/bin/env"],
        { env: { PATH: folder, HOME: folder, AIOS_CALL: "x", AIOS_GIVEN_LD_PRELOAD: join(folder, "env") }, reads: [stage.work] },
        "tactical",
      );
      demand("another program ran", !existsSync(join(stage.outside, "taken")));
      const { out } = await runs(stage, `print join(",", grep { /^(LD_|BUN_|AIOS_CALL)/ } keys %ENV);`, {});
      same("variables that it sees", out, "");
    },
  },
  {
    name: "options of the sandbox in the argument vector",
    by: "tactical",
    async run(stage) {
      for (const argv of [
        ["--bind", "/", "/", "/usr/bin/id"],
        ["/usr/bin/echo", "--", "--uid", "0", "--cap-add", "ALL"],
        ["/usr/bin/id", "-u", "--share-net"],
        ["-c", "id"],
      ]) {
        const { status, out } = await spawned(stage, argv, {}, "tactical");
        if (status === "done") demand(`it ran as root: ${JSON.stringify(out)}`, !/^0$/m.test(String(out["stdout"])));
      }
      const { out } = await runs(stage, `print "$> $<";`, { cwd: "/" });
      demand(`it runs as ${out}`, !out.split(" ").includes("0"));
    },
  },
  {
    name: "a working folder and texts with shell syntax",
    by: "tactical",
    async run(stage) {
      for (const text of [
        `$(touch ${stage.work}/taken)`,
        `; touch ${stage.work}/taken`,
        `| tee ${stage.work}/taken`,
        `\`touch ${stage.work}/taken\``,
        `x\ntouch ${stage.work}/taken`,
      ]) {
        await spawned(stage, ["/usr/bin/echo", text], { writes: [], stdin: text }, "tactical");
        await stage.call("tactical", "process.spawn", { argv: ["/usr/bin/echo"], cwd: `/${text}` });
      }
      same("what is in its folder", readdirSync(stage.work), []);
    },
  },
  {
    name: "what is protected, named as what the program may read or write",
    by: "tiers and an admin",
    async run(stage) {
      for (const who of ["tactical", "strategic", admin, operator] as const)
        for (const path of ["broker", "console", "memory", "memory/memory.db", "broker/planted", "console/keys"].map((name) =>
          join(stage.data, name),
        ))
          for (const more of [{ reads: [path] }, { writes: [path] }]) {
            const answer = await spawned(stage, ["/usr/bin/cat", path], more, who);
            demand(`${JSON.stringify(more)} ended as ${answer.status}`, answer.status !== "done");
          }
    },
  },
  {
    name: "the folders above what is protected, named as what the program may write",
    by: "an admin and an operator",
    async run(stage) {
      for (const who of [admin, operator] as const)
        for (const path of [stage.data, "/", "/etc", "/usr", "/var", "/proc", "/dev"]) {
          const answer = await stage.call(who, "process.spawn", { argv: ["/usr/bin/true"], writes: [path] });
          demand(
            `writes: ${path} by ${JSON.stringify(who)} ended as ${answer.status}`,
            answer.status === "refused" || answer.status === "failed",
          );
        }
    },
  },
  {
    name: "a folder to write that is swapped for a link after it was authorised",
    by: "tactical",
    async run(stage) {
      const [folder, link] = [join(stage.work, "folder"), join(stage.work, "link")];
      mkdirSync(folder);
      chmodSync(stage.outside, 0o777);
      symlinkSync(stage.outside, link);
      const swap = number(316, 276);
      const swapper = Bun.spawn(["perl", "-e", `while (1) { syscall(${swap}, -100, $ARGV[0], -100, $ARGV[1], 2) }`, folder, link]);
      try {
        for (let round = 0; round < 8; round += 1) {
          const answer = await stage.call("tactical", "process.spawn", {
            argv: [
              perlFor(stage),
              "-e",
              `open(my $f, ">", "$ARGV[0]/planted-${round}"); open($f, ">", $_) for glob("/var/lib/*/*/planted")`,
              folder,
            ],
            writes: [folder],
          });
          if (answer.status !== "waiting") continue;
          await stage.refusal(admin, "approvals/decide", { call: answer.call, approve: true, reason: "fine" });
        }
      } finally {
        swapper.kill("SIGKILL");
        await swapper.exited;
      }
      same("what is outside", readdirSync(stage.outside), []);
    },
  },
  {
    name: "a program that is swapped for another after it was authorised",
    by: "tactical",
    async run(stage) {
      const [good, evil] = [join(stage.work, "good"), join(stage.work, "evil")];
      writeFileSync(good, "#!/bin/sh\necho good\n");
      chmodSync(good, 0o755);
      writeFileSync(join(stage.outside, "evil"), "#!/bin/sh\necho evil\n");
      chmodSync(join(stage.outside, "evil"), 0o700);
      symlinkSync(join(stage.outside, "evil"), evil);
      const swapper = Bun.spawn([
        "perl",
        "-e",
        `while (1) { syscall(${number(316, 276)}, -100, $ARGV[0], -100, $ARGV[1], 2) }`,
        good,
        evil,
      ]);
      try {
        for (let round = 0; round < 8; round += 1) {
          const answer = await stage.call("tactical", "process.spawn", { argv: [good] });
          if (answer.status === "done") demand(`it ran ${String(answer.out["stdout"])}`, !String(answer.out["stdout"]).includes("evil"));
        }
      } finally {
        swapper.kill("SIGKILL");
        await swapper.exited;
      }
    },
  },
  {
    name: "a setuid program by process.spawn and service.define",
    by: "tactical and an admin",
    async run(stage) {
      const path = join(stage.work, "su");
      writeFileSync(path, "#!/bin/sh\nid\n");
      chmodSync(path, 0o4755);
      for (const who of ["tactical", admin] as const) {
        const ran = await stage.call(who, "process.spawn", { argv: [path] });
        demand(`process.spawn ended as ${ran.status}`, ran.status === "refused");
        const defined = await stage.call(who, "service.define", { name: "escape-su", argv: [path], start: false });
        demand(`service.define ended as ${defined.status}`, defined.status === "refused");
      }
    },
  },
  {
    name: "processes without end, memory without end, output without end",
    by: "a program in its sandbox",
    async run(stage) {
      const { out } = await runs(stage, `$| = 1; for (1..20000) { print "x" x 1000 }`, { memory_max_bytes: 64 * 1024 * 1024 });
      demand("all of its output came", out.length <= 64 * 1024);
      await spawned(stage, [perlFor(stage), "-e", `fork() for 1..6; sleep 60`], { pids_max: 16, timeout_ms: 1500 }, "tactical");
      await Bun.sleep(300);
      const left = Bun.spawnSync(["pgrep", "-f", "fork\\(\\) for 1..6"]).stdout.toString().trim();
      same("what is left of it", left, "");
    },
  },
  {
    name: "a program that goes on after its call has ended",
    by: "a program in its sandbox",
    async run(stage) {
      await runs(
        stage,
        `if (!fork()) { syscall(${number(112, 157)}); if (!fork()) { close(STDOUT); close(STDERR); sleep 61; } exit 0 } print "ended\\n";`,
      );
      await Bun.sleep(200);
      same("what is left of it", Bun.spawnSync(["pgrep", "-f", "sleep 61; }"]).stdout.toString().trim(), "");
    },
  },
  {
    name: "services by names and with rights of the system's own",
    by: "tactical and an admin",
    async run(stage) {
      for (const who of ["tactical", admin] as const) {
        for (const name of ["broker", "memory", "console", "init", "reactive", "tactical"]) {
          const answer = await stage.call(who, "service.define", { name, argv: ["/usr/bin/true"], start: false });
          demand(`"${name}" ended as ${answer.status}`, answer.status === "failed" || answer.status === "refused");
        }
        for (const more of [
          { uid: 0 },
          { user: "root" },
          { capabilities: ["cap_sys_admin"] },
          { sandbox: "none" },
          { name: "../broker" },
          { name: "a/b" },
          { name: "Broker" },
          { name: "broker\n" },
        ]) {
          const answer = await stage.wrong(who, "service.define", { name: "escape-x", argv: ["/usr/bin/true"], start: false, ...more });
          demand(`${JSON.stringify(more)} ended as ${answer.status}`, answer.status === "invalid");
        }
      }
      for (const path of ["/etc", "/usr/bin", stage.outside, join(stage.data, "console"), join(stage.data, "broker"), stage.data]) {
        const answer = await stage.call("tactical", "service.define", {
          name: "escape-w",
          argv: ["/usr/bin/true"],
          start: false,
          writes: [path],
        });
        demand(`writes ${path} ended as ${answer.status}`, answer.status !== "done");
      }
      same("folders of services", existsSync(join(stage.data, "services")) ? readdirSync(join(stage.data, "services")) : [], []);
    },
  },
  {
    name: "signals, priorities and limits of the broker and of PID 1",
    by: "tiers and an admin",
    async run(stage) {
      const before = readFileSync(`/proc/${stage.broker_pid}/limits`, "utf8");
      for (const who of ["tactical", "strategic"] as const)
        for (const pid of [stage.broker_pid, 1])
          for (const [tool, args] of [
            ["process.kill", {}],
            ["process.signal", { signal: "SIGSTOP" }],
            ["process.priority", { nice: 19 }],
            ["process.limits", { nofile: 1 }],
          ] as const) {
            const answer = await stage.wrong(who, tool, { process: pid, ...args });
            demand(`${tool} of ${pid} ended as ${answer.status}`, answer.status !== "done");
          }
      same("its limits", readFileSync(`/proc/${stage.broker_pid}/limits`, "utf8"), before);
    },
  },
  {
    name: "a file of root, through a granted folder in which the program makes links",
    by: "a program and the tier that started it",
    async run(stage) {
      const victim = join(stage.outside, "file");
      writeFileSync(victim, "victim\n", { mode: 0o600 });
      const before = fingerprint(victim);
      const folder = join(stage.work, "shared");
      mkdirSync(folder);
      chmodSync(folder, 0o777);
      await spawned(
        stage,
        [
          perlFor(stage),
          "-e",
          `symlink("${victim}", "${folder}/soft"); link("/etc/passwd", "${folder}/hard"); symlink("${stage.outside}", "${folder}/dir");`,
        ],
        { writes: [folder] },
        "tactical",
      );
      for (const name of ["soft", "hard", "dir/file"]) {
        await stage.call("tactical", "fs.write", { path: join(folder, name), content: "mine", how: "write" });
        await stage.call("tactical", "fs.chmod", { path: join(folder, name), mode: "0777" });
      }
      await stage.call("tactical", "fs.chmod", { path: folder, mode: "0777", recursive: true });
      await stage.call("tactical", "fs.chown", { path: folder, uid: 890, recursive: true });
      same("the file", fingerprint(victim), before);
    },
  },
];
