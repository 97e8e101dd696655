/** The clock of a replay: simulated time, speed, pause. Only where the feed is one; wall time is never shown as market time. */
import * as Menu from "@radix-ui/react-dropdown-menu";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { JSX } from "react";

import { ask } from "@/lib/api";
import { fixed } from "@/lib/format";
import { useKeys } from "@/lib/keyboard";
import { keys, useFeed } from "@/lib/queries";
import { hasAgents, useServer } from "@/lib/server";
import { may, useSession } from "@/lib/session";
import { Icon, Time } from "@/ui";
import type { FeedChange, FeedView } from "@/types";

const SPEEDS = [30, 12, 6, 3, 1, 0.5] as const; // seconds of wall time per session

export function ReplayChip({ plain = false }: { plain?: boolean }): JSX.Element | null {
  const client = useQueryClient();
  const feed = useFeed().data;
  const role = useSession((state) => state.role);
  const agents = useServer(hasAgents);
  const change = useMutation({
    mutationFn: (body: FeedChange) => ask<FeedView>("/v1/feed", { method: "PATCH", body }),
    onSuccess: (view) => client.setQueryData(keys.feed, view),
  });
  const reason = !may(role, "trader") ? "Needs the role trader" : agents ? null : "Agents are not running";
  const running = feed?.state === "running";
  const toggle = (): void => {
    if (reason === null && feed !== undefined && feed.state !== "ended") change.mutate({ state: running ? "paused" : "running" });
  };
  useKeys({ " ": toggle }, !plain && feed?.kind === "replay");
  if (feed?.kind !== "replay") return null;
  const state = running ? speed(feed) : feed.state;
  const word = running ? "Pause the replay" : "Continue the replay";
  return (
    <div className={`flex items-center gap-2.5 ${plain ? "h-11" : "h-8 rounded-button border border-gold-line px-2.5"}`}>
      <span className="font-medium text-gold-word">Replay</span>
      <Time iso={feed.clock} />
      <Menu.Root>
        <Menu.Trigger className="min-h-6 rounded-badge whitespace-nowrap text-muted hover:text-text max-md:min-h-10" aria-label={`${state}, change the speed`} disabled={reason !== null} title={reason ?? "Change the speed"}>
          {state}
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content className="gs-menu" sideOffset={6} align="end">
            <Menu.Label className="px-2 py-1 text-small text-muted">A session every</Menu.Label>
            {SPEEDS.map((seconds) => (
              <Menu.Item key={seconds} className="gs-menu-item" onSelect={() => change.mutate({ session_s: seconds })}>
                {seconds} s {feed.session_s === seconds && <Icon name="check" size={14} />}
              </Menu.Item>
            ))}
            <Menu.Separator className="my-1 h-px bg-line" />
            <Menu.Item className="gs-menu-item" onSelect={() => change.mutate({ clock: feed.first, state: "running" })}>
              Play from the first session
            </Menu.Item>
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
      {feed.state !== "ended" && (
        <button type="button" className="grid size-6 place-items-center rounded-badge hover:bg-hover disabled:text-faint max-md:size-10" aria-label={word} title={reason ?? `${word} (Space)`} disabled={reason !== null || change.isPending} onClick={toggle}>
          <Icon name={running ? "pause" : "play"} size={14} />
        </button>
      )}
      {change.isError && <span role="alert" className="text-small text-error">{change.error.message}</span>}
    </div>
  );
}

function speed(feed: FeedView): string {
  const seconds = feed.session_s ?? 0;
  return `1 day / ${fixed(seconds, Number.isInteger(seconds) ? 0 : 1)} s`;
}
