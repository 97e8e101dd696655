/** Logo, title, palette field, replay chip, connection chip, user. */
import type { JSX } from "react";
import { useLocation } from "react-router";

import { Icon, Logo } from "@/ui";
import { ConnectionChip } from "./ConnectionChip";
import { titleOf } from "./nav";
import { ReplayChip } from "./ReplayChip";
import { openPalette } from "./state";
import { UserMenu } from "./UserMenu";

export function Header({ narrow }: { narrow: boolean }): JSX.Element {
  const { page, of } = titleOf(useLocation().pathname);
  return (
    <header className="border-b border-line">
      <div className="flex h-12 items-center gap-3 px-4 max-md:h-13">
        <span className={`flex items-center gap-2.5 font-semibold text-title max-lg:w-auto ${narrow ? "" : "xl:w-[150px]"}`}>
          <Logo />
          <span className={narrow ? "sr-only" : "max-xl:sr-only"}>GoldenSignals</span>
        </span>
        <h1 className="min-w-0 truncate text-title font-semibold">
          {of !== null && <span className="font-normal text-muted max-md:sr-only">{page} / </span>}
          {of ?? page}
        </h1>
        <div className="ml-auto flex shrink-0 items-center gap-3">
          <button
            type="button"
            aria-keyshortcuts="Control+K Meta+K"
            className="flex h-8 w-[330px] items-center gap-2.5 rounded-button border border-line bg-surface px-2.5 text-left text-muted hover:bg-raised max-xl:w-56 max-lg:w-44 max-md:h-10 max-md:w-10 max-md:justify-center max-md:px-0"
            onClick={openPalette}
          >
            <Icon name="search" />
            <span className="flex-1 truncate max-md:sr-only">Symbol, agent, job or command</span>
            <kbd className="gs-key font-sans max-lg:hidden">{isMac() ? "⌘ K" : "Ctrl K"}</kbd>
          </button>
          <div className="max-md:hidden">
            <ReplayChip />
          </div>
          <ConnectionChip />
          <UserMenu />
        </div>
      </div>
      <div className="px-4 md:hidden">
        <ReplayChip plain />
      </div>
    </header>
  );
}

function isMac(): boolean {
  return navigator.userAgent.includes("Mac");
}
