// The calls of /openapi.json, with "Authorize" and "Try it out".
const ORDER = ["tasks", "activities", "identity"];
const place = (tag) => (ORDER.includes(tag) ? ORDER.indexOf(tag) : ORDER.length);

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#calls",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  displayRequestDuration: true,
  validatorUrl: null,
  tagsSorter: (one, other) => place(one) - place(other),
});
