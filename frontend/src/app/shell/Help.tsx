/** The keys of every page. */
import * as Dialog from "@radix-ui/react-dialog";
import type { JSX } from "react";

import { Icon } from "@/ui";
import { PAGES } from "./nav";
import { useFrame } from "./state";

const KEYS: readonly (readonly [string, string])[] = [
  ["Ctrl K  or  ⌘ K", "Find a symbol, page, agent, job or command"],
  ["/", "Filter the table, else find"],
  ["j  k", "Next and previous row"],
  ["Enter", "Open what is selected"],
  ["Esc", "Close"],
  ["e", "Export the table"],
  ["x", "Runs: select one to compare"],
  [",  .", "Result: the tab before and after"],
  ...PAGES.map((page) => [page.keys, page.name] as const),
  ["←  →", "Symbol: a bar back and on"],
  ["[  ]", "Symbol: the signal before and after"],
  ["Home  End", "Symbol: first bar, newest bar"],
  ["Space", "Pause or continue the replay"],
  ["t", "Dark or light"],
  ["\\", "Wide or narrow rail"],
  ["?", "This list"],
];

export function Help(): JSX.Element {
  const open = useFrame((state) => state.help);
  return (
    <Dialog.Root
      open={open}
      onOpenChange={(help) => {
        useFrame.setState({ help });
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-bg/60" />
        <Dialog.Content aria-describedby={undefined} className="fixed top-[12vh] left-1/2 z-50 max-h-[76vh] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 overflow-y-auto rounded-panel border border-line-strong bg-raised p-4 shadow-float">
          <div className="flex items-center">
            <Dialog.Title className="text-panel font-semibold">Keys</Dialog.Title>
            <Dialog.Close aria-label="Close" className="ml-auto grid size-8 place-items-center rounded-button hover:bg-hover max-md:size-10">
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <dl className="mt-3 grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-1.5">
            {KEYS.map(([keys, what]) => (
              <div key={keys} className="contents">
                <dt>
                  <kbd className="gs-key font-sans whitespace-pre">{keys}</kbd>
                </dt>
                <dd className="text-muted">{what}</dd>
              </div>
            ))}
          </dl>
          <p className="mt-3 text-small text-muted">Single keys do nothing while you type, and can be turned off in the user menu.</p>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
