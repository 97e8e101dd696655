/** Restarts every actor of an agent. */
import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";

import { ask } from "@/lib/api";
import { keys } from "@/lib/queries";

interface Restarted {
  agent: string;
  actors: number;
}

export function useRestart(): UseMutationResult<Restarted, Error, string> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (agent: string) => ask<Restarted>(`/v1/agents/${encodeURIComponent(agent)}/restart`, { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.agents }),
  });
}
