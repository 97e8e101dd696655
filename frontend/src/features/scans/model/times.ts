/** When a scan is over, and how long it took. */
import type { JobView } from "@/types";

export function isOver(job: Pick<JobView, "state">): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

/** Seconds from its order to its end, waiting included; null while it is not over. */
export function tookOf(job: Pick<JobView, "state" | "created_at" | "updated_at">): number | null {
  return isOver(job) ? Math.max(0, (Date.parse(job.updated_at) - Date.parse(job.created_at)) / 1000) : null;
}
