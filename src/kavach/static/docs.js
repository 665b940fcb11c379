"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  filter: true,
  persistAuthorization: false, // A token is not kept where another page could read it.
  tryItOutEnabled: true,
  validatorUrl: null, // Nothing is sent elsewhere.
});
