/** The page at /docs: Swagger UI over the API's own document. Its files are part of this build; nothing comes from elsewhere. */
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

import { startTheme, useThemeState } from "@/lib/theme";

function show(): void {
  const { chosen, system } = useThemeState.getState();
  document.documentElement.classList.toggle("dark-mode", (chosen ?? system) === "dark"); // Swagger UI's own name for it
}

startTheme();
useThemeState.subscribe(show);
show();
SwaggerUI({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null, // it would send the document's address to a service elsewhere
});
