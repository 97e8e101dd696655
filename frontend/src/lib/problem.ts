/** Every failure of a request as one error: the API's problem details, or our words where no answer came. */
import type { Problem } from "@/types";

export interface FieldError {
  field: string;
  message: string;
}

/** A request that failed. `status` 0: no answer at all. `message` says what happened and what to do. */
export class RequestError extends Error {
  readonly status: number;
  readonly title: string;
  readonly correlationId: string | null;
  readonly fields: readonly FieldError[];
  readonly retryAfterS: number | null;

  constructor(status: number, title: string, detail: string, more: Partial<Pick<RequestError, "correlationId" | "fields" | "retryAfterS">> = {}) {
    super(detail);
    this.name = "RequestError";
    this.status = status;
    this.title = title;
    this.correlationId = more.correlationId ?? null;
    this.fields = more.fields ?? [];
    this.retryAfterS = more.retryAfterS ?? null;
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** The error of an answer that is not ok. */
export async function problemOf(response: Response): Promise<RequestError> {
  const retry = Number(response.headers.get("retry-after"));
  const retryAfterS = Number.isFinite(retry) && retry > 0 ? retry : null;
  const problem = isProblem(response) ? ((await response.json()) as Problem) : null;
  if (problem === null) {
    return new RequestError(response.status, "Unexpected answer", `The server answered ${String(response.status)} without saying why. Try again.`, { retryAfterS });
  }
  return new RequestError(problem.status, problem.title, problem.detail, {
    correlationId: problem.correlation_id,
    fields: (problem.errors ?? []).map(fieldOf),
    retryAfterS,
  });
}

/** Whether an answer carries problem details: it then comes from us and not from a proxy in between. */
export function isProblem(response: Response): boolean {
  return response.headers.get("content-type")?.includes("application/problem+json") ?? false;
}

function fieldOf(row: Record<string, unknown>): FieldError {
  const at = Array.isArray(row.loc) ? row.loc.filter((part) => part !== "body" && part !== "query").join(".") : "";
  return { field: at, message: typeof row.msg === "string" ? row.msg : "is not accepted" };
}
