/** Providers and the gate: meet the server, try the cookie, then the login or the pages. */
import { QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type JSX } from "react";
import { BrowserRouter } from "react-router";

import { makeQueryClient } from "@/lib/queries";
import { meet, watch } from "@/lib/server";
import { start, useSession } from "@/lib/session";
import { forgetArrived } from "@/lib/stream/store";
import { Skeleton } from "@/ui";
import { Pages } from "./Pages";

export function App(): JSX.Element {
  const [client] = useState(makeQueryClient);
  return (
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <Gate />
      </BrowserRouter>
    </QueryClientProvider>
  );
}

function Gate(): JSX.Element {
  const client = useQueryClient();
  const status = useSession((state) => state.status);
  useEffect(() => {
    void meet().then(start);
    return watch(() => void client.invalidateQueries());
  }, [client]);
  useEffect(() => {
    if (status !== "anonymous") return;
    client.clear(); // nothing of one person is shown to the next
    forgetArrived();
  }, [status, client]);
  return status === "starting" ? <Skeleton rows={6} label="Checking the login" /> : <Pages />;
}
