/** The package has no types of its own; this is the part that is used. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export default function SwaggerUI(options: { url: string; dom_id: string; deepLinking: boolean; validatorUrl: null }): unknown;
}
