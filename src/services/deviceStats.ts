/** Figures of this device and what it runs on. Read from the system in the background: whoever asks never waits. */
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { arch, availableParallelism, cpus, freemem, release, totalmem } from "node:os";
import { architectureOf } from "../model/architecture.ts";
import { type Ms, seconds } from "../model/duration.ts";
import type { DeviceStats, Machine } from "../model/wireReport.ts";

export function machineHere(): Machine {
  const { name, variant } = architectureOf(arch());
  return { os: `linux ${distribution()} ${release()}`, arch: name, variant };
}

function distribution(): string {
  const words = Object.fromEntries(
    readOr("/etc/os-release", "")
      .split("\n")
      .map((line) => line.split("=", 2).map((word) => word.replaceAll('"', ""))),
  ) as Record<string, string>;
  return `${words["ID"] ?? "unknown"} ${words["VERSION_ID"] ?? ""}`.trim();
}

interface Times {
  readonly idle: number;
  readonly all: number;
}

/** Keeps the newest figures; they are read anew when they are asked for and older than `freshFor`. */
export class Stats {
  readonly #appsDir: string;
  readonly #now: () => number;
  readonly #freshFor: Ms;
  #newest: DeviceStats;
  #readAt = -Infinity;
  #times: Times;

  constructor(appsDir: string, now: () => number, freshFor: Ms = seconds(10)) {
    this.#appsDir = appsDir;
    this.#now = now;
    this.#freshFor = freshFor;
    this.#times = timesNow();
    this.#newest = { ...memoryNow(), ...NO_DISK, cpu_count: availableParallelism(), cpu_usage: 0 };
    this.#refresh();
  }

  read(): DeviceStats {
    if (this.#now() - this.#readAt >= this.#freshFor) this.#refresh();
    return this.#newest;
  }

  #refresh(): void {
    this.#readAt = this.#now();
    const times = timesNow();
    const all = times.all - this.#times.all;
    const cpu_usage = all > 0 ? Math.round(1_000 * (1 - (times.idle - this.#times.idle) / all)) / 10 : 0;
    this.#times = times;
    this.#newest = { ...this.#newest, ...memoryNow(), cpu_usage };
    Promise.all([diskOf("/"), diskOf(this.#appsDir)]).then(
      ([root, apps]) => {
        this.#newest = {
          ...this.#newest,
          storage_total: root.total,
          storage_used: root.used,
          storage_free: root.free,
          docker_apps_total: apps.total,
          docker_apps_used: apps.used,
          docker_apps_free: apps.free,
          docker_apps_mounted: apps.total > 0 && apps.total !== root.total,
        };
      },
      () => {
        // A disk that cannot be asked keeps its last figures.
      },
    );
  }
}

const NO_DISK = {
  storage_total: 0,
  storage_used: 0,
  storage_free: 0,
  docker_apps_total: 0,
  docker_apps_used: 0,
  docker_apps_free: 0,
  docker_apps_mounted: false,
};

function memoryNow() {
  const available =
    Number(/^MemAvailable:\s+(\d+) kB/m.exec(readOr("/proc/meminfo", ""))?.[1] ?? 0) * 1_024 || freemem();
  return { memory_total: totalmem(), memory_used: totalmem() - available, memory_available: available };
}

function timesNow(): Times {
  const all = cpus().map(({ times }) => times);
  const sum = (of: (times: (typeof all)[number]) => number) => all.reduce((total, times) => total + of(times), 0);
  return {
    idle: sum(({ idle }) => idle),
    all: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
  };
}

async function diskOf(path: string) {
  const { bsize, blocks, bfree, bavail } = await statfs(path);
  return { total: blocks * bsize, used: (blocks - bfree) * bsize, free: bavail * bsize };
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
