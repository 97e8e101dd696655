/** Starts the page. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "@/app/App";
import { startDensity } from "@/lib/density";
import { startTheme } from "@/lib/theme";
import "@/app/app.css";

startTheme();
startDensity();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
