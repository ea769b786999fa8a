// Starts Swagger UI on the document beside this page. Nothing is fetched from elsewhere: no validator badge, no fonts.
window.SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
});
