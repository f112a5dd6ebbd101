// The calls of /openapi.json, with "Authorize" and "Try it out".
const ORDER = ["tasks", "activities", "identity"];
const place = (tag) => (ORDER.includes(tag) ? ORDER.indexOf(tag) : ORDER.length);

// Swagger UI fills every field with its example, and thirty filters at once find nothing. So the
// examples of what may be left out become words; only a page's size is filled in.
const FILLED_IN = ["limit"];
const told = (parameter) => {
  const { example, ...schema } = parameter.schema ?? {};
  if (example === undefined || parameter.required || FILLED_IN.includes(parameter.name)) return parameter;
  const words = [].concat(example).map((value) => `\`${value}\``).join(", ");
  return { ...parameter, schema, description: `${parameter.description ?? ""} Example: ${words}` };
};
const each = (members, change) =>
  Object.fromEntries(Object.entries(members).map(([name, member]) => [name, change(member)]));
const readable = (operation) =>
  operation.parameters ? { ...operation, parameters: operation.parameters.map(told) } : operation;
const examplesAsWords = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) =>
          update({ ...document, paths: each(document.paths ?? {}, (path) => each(path, readable)) }),
      },
    },
  },
});

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#calls",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  displayRequestDuration: true,
  validatorUrl: null,
  plugins: [examplesAsWords],
  tagsSorter: (one, other) => place(one) - place(other),
});
