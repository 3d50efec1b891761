// Targets and tables, in Markdown.

import { table as centered } from "../tests/tables.ts";
import type { Estimate } from "./measure.ts";

/** What a section has measured. */
export interface Section {
  readonly title: string;
  readonly targets: readonly Target[];
  /** Markdown: tables with their captions. */
  readonly tables: readonly string[];
  /** The part of figures.json that plots.ts draws, by its name there. */
  readonly figures?: Record<string, unknown>;
}

/** A limit for something that is measured. */
export interface Target {
  readonly item: string;
  readonly measured: Estimate;
  readonly atMost: number;
  readonly unit: string;
  /** What the limit is, and why, for the case that the target is missed. */
  readonly why?: string;
}

export function describe({ title, targets, tables }: Section): string {
  const parts = [`### ${title}`];
  if (targets.length > 0) {
    parts.push(
      table(
        ["target", "measured", "at most", ""],
        targets.map((target) => [
          target.item,
          showEstimate(target.measured, target.unit),
          `${target.atMost} ${target.unit}`,
          judge(target),
        ]),
      ),
    );
  }
  for (const [why, items] of Object.entries(groupByReason(targets))) {
    parts.push(`- ${items.join("; ")}: ${why}`);
  }
  return [...parts, ...tables].join("\n\n");
}

function judge({ measured, atMost }: Target): string {
  if (Number.isNaN(measured.median)) return "not measured";
  if (measured.low > atMost) return "**over**";
  return measured.high <= atMost ? "ok" : "within the spread";
}

/** The targets that are missed, by the reason. */
function groupByReason(targets: readonly Target[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const target of targets) {
    if (judge(target) !== "**over**") continue;
    (groups[target.why ?? "no reason is known yet."] ??= []).push(target.item);
  }
  return groups;
}

/** A table of numbers. */
export function table(head: string[], rows: string[][]): string {
  return centered(head, rows, "--:");
}

/** Three digits, but at most three decimals. Empty if nothing was measured. */
export function show(value: number, unit = ""): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  const decimals = size >= 100 || value === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return `${value.toFixed(decimals)} ${unit}`.trimEnd();
}

/** `1.18 × (1.17 to 1.20)`: the median and its interval. */
export function showEstimate({ median, low, high }: Estimate, unit = ""): string {
  if (!Number.isFinite(median)) return "";
  if (low === high) return show(median, unit);
  return `${show(median, unit)} (${show(low)} to ${show(high)})`;
}

export function showRounds(rounds: number): string {
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}`;
}
